// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Signed reports of nodes: load, latency and energy
/// @notice Every node's agent signs a report (EIP-712) once per {Param.ReportInterval} with the node's operator key; anyone
/// posts reports in batches. What is impossible is refused report by report and never sinks a batch. The average load is
/// kept in O(1) per report, and a report decides at once whether its node may take new work.
interface ITelemetry {
    /// @notice How a report's energy was found out. What is estimated is never called measured.
    enum Method {
        None,
        /// Measured by the processor's own energy counters (RAPL).
        Rapl,
        /// Measured by the graphics card's energy counter (NVML).
        Nvml,
        /// Estimated from a model of the machine and its utilisation.
        Estimated
    }

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
        /// The period is zero, or longer than the time that no report has covered yet.
        PeriodInvalid,
        /// Above 10,000 basis points.
        LoadTooHigh,
        UnknownMethod,
        /// More energy than the machine can draw in the period.
        PowerAboveMaximum,
        RenewableAboveTotal,
        /// The leases' shares add up to more than the whole.
        SharesAboveTotal,
        /// A share names a lease that was never the node's.
        ForeignLease,
        /// Shares come in ascending order of their leases, each once.
        SharesOutOfOrder,
        TooManyShares,
        /// More idle-harvested unit-seconds than the leases named, or the capacity, have in the period.
        IdleAboveWork,
        /// A share names a lease that was over before the time that the report covers.
        LeaseOver
    }

    /// @notice Energy of one lease's units in a report's period.
    struct Share {
        uint32 leaseId;
        uint40 joules;
    }

    /// @notice What a node says of a period that has just ended. Signed as EIP-712 type `Report`.
    struct Report {
        uint32 nodeId;
        /// Grows with each report of the node: {INodeRegistry.Facts.keyNumber} << 24 | a count that begins at 1 for each key.
        uint32 sequence;
        /// Seconds that it covers.
        uint32 period;
        /// Share of the machine in use, basis points.
        uint16 load;
        /// Round-trip time to its peers, ms.
        uint16 latency;
        uint40 joules;
        uint40 renewableJoules;
        /// {Method} as a number.
        uint8 method;
        /// Version of the agent: major << 8 | minor.
        uint16 version;
        /// Unit-seconds of work done while the machine's owner left it idle.
        uint32 idleUnitSeconds;
        /// One for each lease that ran in the period, ascending, at most 64. What runs more leases reports more often.
        Share[] shares;
    }

    /// @notice What is known of a node by its reports.
    /// @dev One slot: a report costs one write here.
    struct ReportState {
        uint32 sequence;
        /// When its last report was posted; 0 if none.
        uint32 at;
        uint16 load;
        uint16 latency;
        /// Average power in the last report and in the one before, watts, rounded up.
        uint32 watts;
        uint32 previousWatts;
        /// Milliwatts per leased unit in the last report; of an idle node, of its capacity at its declared maximum.
        uint32 unitPower;
        /// Seconds by which what the reports cover lags behind the last posting.
        uint16 lag;
        bool throttled;
        /// Whether its load counts in the average.
        bool counted;
        /// Whether all energy of its last report was renewable, and there was some.
        bool renewable;
        /// Units of capacity at its last report: the weight of its load.
        uint24 capacity;
    }

    /// @notice Sums over the nodes that count.
    struct Totals {
        /// Basis points x units of capacity.
        uint64 load;
        /// Watts of the last reports.
        uint48 watts;
        /// Units of capacity.
        uint48 capacity;
        uint32 nodes;
        uint32 renewableNodes;
        uint32 throttledNodes;
    }

    event Reported(
        uint32 indexed nodeId,
        uint32 sequence,
        uint32 period,
        uint16 load,
        uint16 latency,
        uint40 joules,
        uint40 renewableJoules,
        Method method,
        uint16 version,
        uint32 idleUnitSeconds
    );
    event ReportRefused(uint32 indexed nodeId, uint32 sequence, Refusal reason);
    event NodeThrottled(uint32 indexed nodeId, uint32 watts, uint32 threshold);
    event NodeUnthrottled(uint32 indexed nodeId, uint32 watts, uint32 threshold);
    /// @notice A silent node counts no more and gets no new work until it reports again.
    event NodeLapsed(uint32 indexed nodeId);
    event MaxLatencySet(uint8 indexed classId, uint16 previous, uint16 milliseconds);

    /// @notice The packed batch ends within the report that starts at byte `offset`.
    error MalformedBatch(uint256 offset);
    /// @notice A class's highest latency has the bounds of {Param.MaxLatency}.
    error MaxLatencyOutOfBounds(uint8 classId, uint16 milliseconds, uint64 min, uint64 max);
    /// @notice The node is in time with its reports.
    error NodeNotSilent(uint32 nodeId, uint256 silentFrom);
    error AlreadyLapsed(uint32 nodeId);
    error AlreadyThrottled(uint32 nodeId);
    error NotThrottled(uint32 nodeId);
    /// @notice Not above its threshold in both of its last two reports.
    error PowerWithinThreshold(uint32 nodeId, uint32 watts, uint32 previousWatts, uint32 threshold);
    /// @notice Still above its threshold in its last report.
    error PowerAboveThreshold(uint32 nodeId, uint32 watts, uint32 threshold);

    /// @notice Takes a batch of signed reports, packed one after the other, big-endian, without gaps:
    /// nodeId 4 | sequence 4 | period 4 | load 2 | latency 2 | joules 5 | renewableJoules 5 | method 1 | version 2 |
    /// idleUnitSeconds 4 | number of shares 1 | per share: leaseId 4, joules 5 | signature 64 (ERC-2098: r, yParity and s;
    /// of an operator that is a contract, 64 bytes that it accepts by ERC-1271 with at most {CONTRACT_GAS}).
    /// Anyone. What is refused is told by {ReportRefused}; only a batch that cannot be taken apart reverts.
    /// O(reports + shares).
    /// @return accepted How many reports were taken.
    function post(bytes calldata packed) external returns (uint256 accepted);

    /// @notice Takes a silent node out of the average and out of new work. Anyone.
    function lapse(uint32 nodeId) external;

    /// @notice Throttles a node whose average power was above its threshold in its last two reports: no new work. Anyone.
    function throttle(uint32 nodeId) external;

    /// @notice Frees a throttled node whose last report is within its threshold. Anyone.
    function unthrottle(uint32 nodeId) external;

    /// @notice Sets the highest latency with which nodes of a class get new work, ms, within the bounds of {Param.MaxLatency};
    /// 0: that parameter holds. Only the role that the access manager names.
    function setMaxLatency(uint8 classId, uint16 milliseconds) external;

    /// @notice What a node's last report says; while the listings are frozen, the last one before the freeze. All zero if
    /// there was none.
    /// @return load Basis points.
    /// @return latency Milliseconds.
    /// @return at When it was posted.
    /// @return capacity Units of capacity that the node had then.
    function loadAndLatencyOf(
        uint32 nodeId
    ) external view returns (uint16 load, uint16 latency, uint40 at, uint24 capacity);

    /// @notice Whether the node missed its reports: nothing for {Param.ReportTimeout}, counted from its registration if it
    /// never reported. Reverts if unknown.
    function silent(uint32 nodeId) external view returns (bool);

    /// @notice The average load is sum / capacity: of the machines' units, not of the nodes, so that splitting a machine into
    /// many nodes, or adding small ones, moves it by no more than the stake under them.
    function averageLoad() external view returns (uint256 sumBps, uint256 capacity);

    /// @notice Sums over the nodes that count.
    function totals() external view returns (Totals memory);

    /// @notice What is known of a node by its reports; all zero if there is none.
    function reportStateOf(uint32 nodeId) external view returns (ReportState memory);

    /// @notice Standings of the nodes from id `from` on, `count` of them; those of unknown ids are zero.
    function reportStatePage(uint32 from, uint32 count) external view returns (ReportState[] memory);

    /// @notice Highest latency with which nodes of a class get new work, ms.
    function maxLatencyOf(uint8 classId) external view returns (uint256);

    /// @notice What a node's operator signs for a report: its EIP-712 digest on this chain for this contract.
    function digestOf(Report memory report) external view returns (bytes32);
}
