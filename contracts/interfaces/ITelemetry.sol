// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeReports} from "../core/interfaces/INodeReports.sol";

/// @title Signed reports of nodes: load, latency and power
/// @notice Every node's agent signs a report (EIP-712) once per {Param.ReportInterval} with the node's operator key; anyone
/// posts reports in batches, and is paid for it by nodes whose owners have prepaid. A report has what decides at once: who
/// is alive, how busy, how near, and who draws too much power. Energy is booked by {IEnergyLedger}. What is impossible is
/// refused report by report and never sinks a batch.
interface ITelemetry is INodeReports {
    /// @notice Why a report was refused.
    enum Refusal {
        None,
        UnknownNode,
        /// The node has left the market.
        NotInMarket,
        /// A replay, older than what is known, or of the sequence of another operator key.
        SequenceNotGrowing,
        /// Not signed by the node's operator for this chain and contract.
        BadSignature,
        /// Above 10,000 basis points.
        LoadTooHigh,
        /// More power than the machine can draw.
        PowerAboveMaximum
    }

    /// @notice What a node says of itself now. Signed as EIP-712 type `Report`.
    struct Report {
        /// Id of the node.
        uint32 nodeId;
        /// Grows with each report of the node: {INodeRegistry.Facts.keyNumber} << 24 | a count that begins at 1 for each key.
        uint32 sequence;
        /// Share of the machine in use since the report before, basis points.
        uint16 load;
        /// Round-trip time to its peers, milliseconds.
        uint16 latency;
        /// Average power since the report before, watts, rounded up.
        uint32 watts;
        /// Whether all energy since the report before was renewable, and there was some.
        bool renewable;
    }

    /// @notice What is known of a node by its reports.
    /// @dev One slot: a report costs one write here.
    struct ReportState {
        /// Sequence of its last report.
        uint32 sequence;
        /// When its last report was posted, seconds; 0 if none.
        uint32 at;
        /// Share of the machine in use in the last report, basis points.
        uint16 load;
        /// Round-trip time to its peers in the last report, milliseconds.
        uint16 latency;
        /// Average power in the last report, watts, rounded up.
        uint32 watts;
        /// Average power in the report before, watts, rounded up.
        uint32 previousWatts;
        /// Units of capacity at its last report: the weight of its load.
        uint24 capacity;
        /// Reports whose posting by others is paid in advance.
        uint24 prepaid;
        /// What each of them pays who posts it, micro-VER.
        uint16 feeMicroVer;
        /// Whether its power keeps it out of new work.
        bool throttled;
        /// Whether its load counts in the average.
        bool counted;
        /// Whether all energy of its last report was renewable, and there was some.
        bool renewable;
        /// Whether its reports, or their absence, keep it out of new work.
        bool ineligible;
    }

    /// @notice Sums over the nodes that count.
    struct Totals {
        /// Loads x units of capacity, basis points.
        uint64 load;
        /// Power in the last reports, watts.
        uint48 watts;
        /// Units of capacity.
        uint48 capacity;
        /// Nodes that count.
        uint32 nodes;
        /// Those of them whose last report was all renewable.
        uint32 renewableNodes;
        /// Those of them that are throttled.
        uint32 throttledNodes;
    }

    /// @notice The module was named.
    /// @param balancer The balancer.
    event ModulesSet(address balancer);
    /// @notice Reports of a batch were taken.
    /// @param poster Who posted them.
    /// @param fees What their nodes pay the poster, wei.
    /// @param reports Their fields as in {post}, without signatures, 17 bytes each, in the order of the batch.
    event Reported(address indexed poster, uint256 fees, bytes reports);
    /// @notice An owner has paid in advance for the posting of a node's reports by others.
    /// @param nodeId Id of the node.
    /// @param reports Reports that are prepaid now.
    /// @param feeMicroVer What each of them pays who posts it, micro-VER.
    event ReportsPrepaid(uint32 indexed nodeId, uint24 reports, uint16 feeMicroVer);
    /// @notice A report of a batch was refused.
    /// @param nodeId Id of the node.
    /// @param sequence Number of the report.
    /// @param reason Why.
    event ReportRefused(uint32 indexed nodeId, uint32 sequence, Refusal reason);
    /// @notice A node is kept out of new work because of its power.
    /// @param nodeId Id of the node.
    /// @param watts Average power in its last report, watts, rounded up.
    /// @param threshold Power threshold of the node, watts.
    event NodeThrottled(uint32 indexed nodeId, uint32 watts, uint32 threshold);
    /// @notice A throttled node is within its threshold again.
    /// @param nodeId Id of the node.
    /// @param watts Average power in its last report, watts, rounded up.
    /// @param threshold Power threshold of the node, watts.
    event NodeUnthrottled(uint32 indexed nodeId, uint32 watts, uint32 threshold);
    /// @notice A silent node counts no more and gets no new work until it reports again.
    /// @param nodeId Id of the node.
    event NodeLapsed(uint32 indexed nodeId);
    /// @notice Governance set a class's maximum latency.
    /// @param classId Id of the class.
    /// @param previous Value before, milliseconds; 0: {Param.MaxLatency} held.
    /// @param milliseconds Value from now on, milliseconds; 0: {Param.MaxLatency} holds.
    event MaxLatencySet(uint8 indexed classId, uint16 previous, uint16 milliseconds);

    /// @notice The packed batch ends within the report that starts at byte `offset`; each has 81 bytes.
    /// @param offset Where that report starts, bytes.
    error MalformedBatch(uint256 offset);
    /// @notice A class's highest latency has the bounds of {Param.MaxLatency}.
    /// @param classId Id of the class.
    /// @param milliseconds Value that was given, milliseconds.
    /// @param min Minimum, milliseconds.
    /// @param max Maximum, milliseconds.
    error MaxLatencyOutOfBounds(uint8 classId, uint16 milliseconds, uint64 min, uint64 max);
    /// @notice The node is in time with its reports.
    /// @param nodeId Id of the node.
    /// @param silentFrom Time after which it counts as silent, seconds.
    error NodeNotSilent(uint32 nodeId, uint256 silentFrom);
    /// @notice The node counts no longer and gets no new work already.
    /// @param nodeId Id of the node.
    error AlreadyLapsed(uint32 nodeId);
    /// @notice The node is throttled already.
    /// @param nodeId Id of the node.
    error AlreadyThrottled(uint32 nodeId);
    /// @notice The node is not throttled.
    /// @param nodeId Id of the node.
    error NotThrottled(uint32 nodeId);
    /// @notice Not above its threshold in both of its last two reports.
    /// @param nodeId Id of the node.
    /// @param watts Average power in its last report, watts, rounded up.
    /// @param previousWatts Average power in the report before, watts, rounded up.
    /// @param threshold Power threshold of the node, watts.
    error PowerWithinThreshold(uint32 nodeId, uint32 watts, uint32 previousWatts, uint32 threshold);
    /// @notice Still above its threshold in its last report.
    /// @param nodeId Id of the node.
    /// @param watts Average power in its last report, watts, rounded up.
    /// @param threshold Power threshold of the node, watts.
    error PowerAboveThreshold(uint32 nodeId, uint32 watts, uint32 threshold);

    /// @notice Names the balancer. The deployer, once.
    /// @param balancer The balancer.
    function initialise(address balancer) external;

    /// @notice Takes a batch of signed reports, packed one after the other, big-endian, without gaps, 81 bytes each:
    /// nodeId 4 | sequence 4 | load 2 | latency 2 | watts 4 | renewable 1 | signature 64 (ERC-2098: r, yParity and s; of an
    /// operator that is a contract, 64 bytes that it accepts by ERC-1271 with at most {CONTRACT_GAS}).
    /// Anyone. What is refused is told by {ReportRefused}; only a batch that cannot be taken apart reverts. A node that has
    /// prepaid reports pays its fee to who posts one of them, unless that is its operator, or the report before it was
    /// taken less than half a {Param.ReportInterval} ago. O(reports).
    /// @dev Warning: what is refused does not revert: look at what it returns, or at {ReportRefused}.
    /// @param packed The reports.
    /// @return accepted How many reports were taken.
    function post(bytes calldata packed) external returns (uint256 accepted);

    /// @notice Pays in advance for the posting of a node's reports by others, in place of what is left of an earlier
    /// payment; the vault takes or gives back the difference. Zero reports end it. Its owner only.
    /// @param nodeId Id of the node.
    /// @param reports Reports that are paid for.
    /// @param feeMicroVer What each of them pays who posts it, micro-VER.
    function prepay(uint32 nodeId, uint24 reports, uint16 feeMicroVer) external;

    /// @notice Reads {Param.BalanceBand}, {Param.LoadFloor}, {Param.MaxLatency} and {Param.ReportInterval} again, by which
    /// reports are judged. Anyone; the first report after {RULE_AGE} does it by itself.
    function refresh() external;

    /// @notice Keeps a node out of new work until it reports again. Balancer only.
    /// @param nodeId Id of the node.
    function exclude(uint32 nodeId) external;

    /// @notice Takes a silent node out of the average and out of new work. Anyone.
    /// @param nodeId Id of the node.
    function lapse(uint32 nodeId) external;

    /// @notice Throttles a node whose average power was above its threshold in its last two reports: no new work.
    /// Anyone.
    /// @param nodeId Id of the node.
    function throttle(uint32 nodeId) external;

    /// @notice Frees a throttled node whose last report is within its threshold. Anyone.
    /// @param nodeId Id of the node.
    function unthrottle(uint32 nodeId) external;

    /// @notice Sets the highest latency with which nodes of a class get new work, ms, within the bounds of
    /// {Param.MaxLatency}; 0: that parameter holds. Only the role that the access manager names.
    /// @param classId Id of the class.
    /// @param milliseconds Maximum round-trip time, milliseconds.
    function setMaxLatency(uint8 classId, uint16 milliseconds) external;

    /// @notice Sums over the nodes that count.
    function totals() external view returns (Totals memory);

    /// @notice What is known of a node by its reports; all zero if there is none.
    /// @param nodeId Id of the node.
    function reportStateOf(uint32 nodeId) external view returns (ReportState memory);

    /// @notice Standings of the nodes from id `from` on, `count` of them; those of unknown ids are zero.
    /// @param from First id.
    /// @param count How many.
    function reportStatePage(uint32 from, uint32 count) external view returns (ReportState[] memory);

    /// @notice Highest latency with which nodes of a class get new work, ms.
    /// @param classId Id of the class.
    function maxLatencyOf(uint8 classId) external view returns (uint256);

    /// @notice What a node's operator signs for a report: its EIP-712 digest on this chain for this contract.
    /// @param report The report.
    function digestOf(Report calldata report) external view returns (bytes32);
}
