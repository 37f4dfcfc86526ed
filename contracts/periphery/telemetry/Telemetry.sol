// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {INodeReports} from "../../core/interfaces/INodeReports.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {NotModule} from "../../types/Errors.sol";
import {Reporter} from "../../types/Reporter.sol";
import {BASIS, MAX_UNIT_POWER, PRICE_UNIT} from "../../types/Units.sol";
import {PackedReport, ReportCodec} from "./ReportCodec.sol";
import {ReportStates} from "./ReportStates.sol";

/// @title Signed reports of nodes: load, latency and power
/// @notice See {ITelemetry}.
contract Telemetry is ITelemetry, AccessManaged, OneTimeInitialiser, EIP712 {
    using ReportCodec for bytes;
    using ReportCodec for PackedReport;
    using ReportCodec for Report;
    using ReportStates for ReportState;
    using ReportStates for uint256;
    using SafeCast for uint256;

    /// @dev A {ReportState}, packed.
    struct Slot {
        uint256 state;
    }

    /// @dev A node's signs as they were when a freeze began; written by the first report of the node in that freeze.
    struct Frozen {
        uint32 freeze;
        uint16 load;
        uint16 latency;
        uint40 at;
        uint24 capacity;
    }

    /// @dev What all reports of a batch are held against, read once; and the totals, written once.
    struct Batch {
        bytes32 domain;
        /// Number of the freeze that holds the listings; 0: none does.
        uint32 freeze;
        // See {Rule}.
        uint256 band;
        uint256 floor;
        uint256 maxLatency;
        uint256 interval;
        uint256 lowestLatency;
        // See {Totals}.
        uint256 load;
        uint256 watts;
        uint256 capacity;
        uint256 nodes;
        uint256 renewableNodes;
        uint256 throttledNodes;
        /// What the nodes owe who posts, micro-VER.
        uint256 feesMicroVer;
    }

    /// @dev Parameters as they were lately. One slot, so that a report need not ask for each.
    struct Rule {
        uint16 band;
        uint16 floor;
        uint16 maxLatency;
        uint16 interval;
        /// Lowest of all bounds of latency that classes were ever given: only reports above it need their node's class.
        uint16 lowestLatency;
        uint40 readAt;
    }

    /// @dev All but the highest bit of a word, and half of the order of secp256k1.
    bytes32 private constant LOW_BITS = bytes32(type(uint256).max >> 1);
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Gas with which an operator that is a contract judges a signature: enough for a few of ECDSA, or P-256 by the
    /// precompile; so little that a batch of 100 such reports still fits a transaction.
    uint256 public constant CONTRACT_GAS = 50_000;

    /// @notice A report's sequence is the number of its operator key << 24 | a count, which does for 15 years of a report every
    /// half a minute.
    uint256 public constant KEY_SHIFT = 24;

    /// @notice Parameters that are older than this are read again by the next report, seconds.
    uint256 public constant RULE_AGE = 1 hours;

    /// @notice Holds what owners pay in advance for the posting of their reports.
    IVault public immutable VAULT;
    /// @notice Times, the band of loads.
    IParameters public immutable PARAMETERS;
    /// @notice Operators, capacity, declared power.
    INodeRegistry public immutable NODES;
    /// @notice Keeps nodes out of new work.
    ISupply public immutable SUPPLY;

    address private _balancer;

    Totals private _totals;
    Rule private _rule;
    mapping(uint32 nodeId => Slot) private _reportStates;
    mapping(uint32 nodeId => Frozen) private _frozen;
    mapping(uint8 classId => uint16 milliseconds) private _maxLatencies;

    constructor(
        address authority,
        IVault vault,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply
    ) AccessManaged(authority) EIP712("DRMP", "1") {
        VAULT = vault;
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        _rule.lowestLatency = type(uint16).max;
    }

    /// @inheritdoc ITelemetry
    function initialise(address balancer) external initialiser {
        _balancer = balancer;
        emit ModulesSet(balancer);
    }

    /// @inheritdoc ITelemetry
    function post(bytes calldata packed) external returns (uint256 accepted) {
        uint256 count = packed.count();
        Reporter[] memory reporters = NODES.reportersOf(_nodesOf(packed, count));
        Batch memory batch = _batch();
        bytes memory taken = new bytes(count * ReportCodec.HEAD);
        for (uint256 i; i < count; ++i) {
            Refusal reason = _process(packed, i, reporters[i], batch);
            if (reason == Refusal.None) _append(taken, accepted++, packed.at(i));
            else emit ReportRefused(packed.at(i).nodeId(), packed.at(i).sequence(), reason);
        }
        if (accepted == 0) return 0;
        _writeTotals(batch);
        uint256 fees = batch.feesMicroVer * PRICE_UNIT;
        emit Reported(msg.sender, fees, _cut(taken, accepted * ReportCodec.HEAD));
        if (fees != 0) VAULT.passPrepaid(msg.sender, fees);
    }

    /// @inheritdoc ITelemetry
    function prepay(uint32 nodeId, uint24 reports, uint16 feeMicroVer) external {
        address owner = NODES.ownerOf(nodeId);
        require(msg.sender == owner, INodeRegistry.NotOwner(nodeId, msg.sender));
        ReportState memory s = _stateOf(nodeId);
        uint256 back = _prepaidOf(s);
        (s.prepaid, s.feeMicroVer) = (reports, feeMicroVer);
        _reportStates[nodeId].state = s.pack();
        emit ReportsPrepaid(nodeId, reports, feeMicroVer);
        uint256 amount = _prepaidOf(s);
        if (amount > back) VAULT.depositPrepaid(owner, amount - back);
        else if (back > amount) VAULT.passPrepaid(owner, back - amount);
    }

    /// @inheritdoc ITelemetry
    function refresh() external {
        _refresh();
    }

    /// @inheritdoc ITelemetry
    function exclude(uint32 nodeId) external {
        require(msg.sender == _balancer, NotModule(msg.sender));
        ReportState memory s = _stateOf(nodeId);
        if (s.ineligible) return;
        _setEligible(nodeId, s, false);
        _reportStates[nodeId].state = s.pack();
    }

    /// @inheritdoc ITelemetry
    function lapse(uint32 nodeId) external {
        INodeRegistry.Facts memory facts = NODES.factsOf(nodeId);
        ReportState memory s = _stateOf(nodeId);
        uint256 from = _silentFrom(s.at, facts.registeredAt);
        require(block.timestamp > from, NodeNotSilent(nodeId, from));
        require(s.counted || !s.ineligible, AlreadyLapsed(nodeId));
        if (s.counted) {
            Totals memory t = _totals;
            _uncount(t, s);
            _totals = t;
            s.counted = false;
        }
        emit NodeLapsed(nodeId);
        if (!s.ineligible) _setEligible(nodeId, s, false);
        _reportStates[nodeId].state = s.pack();
    }

    /// @inheritdoc ITelemetry
    function throttle(uint32 nodeId) external {
        uint32 threshold = NODES.factsOf(nodeId).powerThreshold;
        ReportState memory s = _stateOf(nodeId);
        require(!s.throttled, AlreadyThrottled(nodeId));
        require(
            threshold != 0 && s.watts > threshold && s.previousWatts > threshold,
            PowerWithinThreshold(nodeId, s.watts, s.previousWatts, threshold)
        );
        s.throttled = true;
        if (s.counted) ++_totals.throttledNodes;
        emit NodeThrottled(nodeId, s.watts, threshold);
        if (!s.ineligible) _setEligible(nodeId, s, false);
        _reportStates[nodeId].state = s.pack();
    }

    /// @inheritdoc ITelemetry
    function unthrottle(uint32 nodeId) external {
        uint32 threshold = NODES.factsOf(nodeId).powerThreshold;
        ReportState memory s = _stateOf(nodeId);
        require(s.throttled, NotThrottled(nodeId));
        require(threshold == 0 || s.watts <= threshold, PowerAboveThreshold(nodeId, s.watts, threshold));
        s.throttled = false;
        if (s.counted) --_totals.throttledNodes;
        emit NodeUnthrottled(nodeId, s.watts, threshold);
        // A lapsed node stays out until it reports again.
        bool eligible = s.counted && s.ineligible && _eligible(nodeId, s.load, s.latency, false, _batch());
        if (eligible) _setEligible(nodeId, s, true);
        _reportStates[nodeId].state = s.pack();
    }

    /// @inheritdoc ITelemetry
    function setMaxLatency(uint8 classId, uint16 milliseconds) external restricted {
        IParameters.Bounded memory b = PARAMETERS.bounded(Param.MaxLatency);
        bool within = milliseconds == 0 || (b.min <= milliseconds && milliseconds <= b.max);
        require(within, MaxLatencyOutOfBounds(classId, milliseconds, b.min, b.max));
        emit MaxLatencySet(classId, _maxLatencies[classId], milliseconds);
        _maxLatencies[classId] = milliseconds;
        if (milliseconds != 0 && milliseconds < _rule.lowestLatency) _rule.lowestLatency = milliseconds;
    }

    /// @inheritdoc INodeReports
    function loadAndLatencyOf(uint32 nodeId) external view returns (uint16, uint16, uint40, uint24) {
        uint32 freeze = _freezeNumber();
        if (freeze != 0) {
            Frozen storage f = _frozen[nodeId];
            if (f.freeze == freeze) return (f.load, f.latency, f.at, f.capacity);
        }
        uint256 state = _reportStates[nodeId].state;
        return (
            uint16(state.loadOf()),
            uint16(state.latencyOf()),
            uint40(state.atOf()),
            uint24(state.capacityOf())
        );
    }

    /// @inheritdoc INodeReports
    function silent(uint32 nodeId) external view returns (bool) {
        uint256 at = _reportStates[nodeId].state.atOf();
        // Its registration counts only for a node that never reported.
        if (at == 0) at = NODES.factsOf(nodeId).registeredAt;
        return block.timestamp > at + PARAMETERS.get(Param.ReportTimeout);
    }

    /// @inheritdoc INodeReports
    function averageLoad() external view returns (uint256, uint256) {
        return (_totals.load, _totals.capacity);
    }

    /// @inheritdoc ITelemetry
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// @inheritdoc ITelemetry
    function reportStateOf(uint32 nodeId) external view returns (ReportState memory) {
        return _stateOf(nodeId);
    }

    /// @inheritdoc ITelemetry
    function reportStatePage(uint32 from, uint32 count) external view returns (ReportState[] memory page) {
        page = new ReportState[](count);
        for (uint32 i; i < count; ++i) page[i] = _stateOf(from + i);
    }

    /// @inheritdoc ITelemetry
    function digestOf(Report calldata report) external view returns (bytes32) {
        return _hashTypedDataV4(report.hash());
    }

    /// @inheritdoc ITelemetry
    function maxLatencyOf(uint8 classId) public view returns (uint256) {
        uint256 own = _maxLatencies[classId];
        return own == 0 ? PARAMETERS.get(Param.MaxLatency) : own;
    }

    /// @dev Judges report `i` of a batch, and records it if it is good.
    function _process(
        bytes calldata packed,
        uint256 i,
        Reporter reporter,
        Batch memory batch
    ) private returns (Refusal) {
        PackedReport r = packed.at(i);
        address operator = reporter.operator();
        if (operator == address(0)) return Refusal.UnknownNode;
        uint256 capacity = reporter.capacity();
        if (capacity == 0) return Refusal.NotInMarket;
        Slot storage slot = _reportStates[r.nodeId()];
        uint256 state = slot.state;
        uint256 sequence = r.sequence();
        // Each key counts for itself: what a key that was stolen has signed holds its successor up in nothing.
        if (sequence <= state.sequenceOf() || sequence >> KEY_SHIFT != reporter.keyNumber()) {
            return Refusal.SequenceNotGrowing;
        }
        if (!_isSigned(packed, i, operator, r.digest(batch.domain))) return Refusal.BadSignature;
        uint256 load = r.load();
        if (load > BASIS) return Refusal.LoadTooHigh;
        uint256 watts = r.watts();
        unchecked {
            // A capacity has 24 bits.
            if (watts > reporter.powerMax() || watts > capacity * MAX_UNIT_POWER) return Refusal.PowerAboveMaximum;
        }
        // Once per freeze: what the draws of this freeze may know of the node.
        if (batch.freeze != 0) _keep(r.nodeId(), batch.freeze, state);
        if (msg.sender != operator) state = _charged(state, batch);
        _sum(batch, state, capacity, load * capacity, watts, r.renewable());
        state = state.next(r, capacity);
        bool eligible = _eligible(r.nodeId(), load, r.latency(), state.isThrottled(), batch);
        if (eligible == state.isIneligible()) {
            state = state.withIneligible(!eligible);
            SUPPLY.setEligible(r.nodeId(), eligible);
        }
        slot.state = state;
        return Refusal.None;
    }

    /// @dev Puts a node's new terms into the sums in place of those that it has there.
    function _sum(
        Batch memory batch,
        uint256 state,
        uint256 capacity,
        uint256 weighted,
        uint256 watts,
        bool renewable
    ) private pure {
        // A counted node's terms are in the sums. {_writeTotals} checks that they fit.
        unchecked {
            if (state.isCounted()) {
                uint256 before = state.capacityOf();
                weighted -= state.loadOf() * before;
                capacity -= before;
                watts -= state.wattsOf();
                if (state.isRenewable()) --batch.renewableNodes;
            } else {
                ++batch.nodes;
                if (state.isThrottled()) ++batch.throttledNodes;
            }
            batch.load += weighted;
            if (capacity != 0) batch.capacity += capacity;
            if (watts != 0) batch.watts += watts;
            if (renewable) ++batch.renewableNodes;
        }
    }

    function _keep(uint32 nodeId, uint32 freeze, uint256 state) private {
        if (_frozen[nodeId].freeze == freeze) return;
        ReportState memory s = state.unpack();
        _frozen[nodeId] = Frozen(freeze, s.load, s.latency, s.at, s.capacity);
    }

    /// @dev The state after the node has paid who posts for it; of two reports in half an interval, only the first pays.
    function _charged(uint256 state, Batch memory batch) private view returns (uint256) {
        unchecked {
            if (state.prepaidOf() == 0 || block.timestamp < batch.interval / 2 + state.atOf()) return state;
            batch.feesMicroVer += state.feeOf();
            return state.lessPrepaid();
        }
    }

    function _setEligible(uint32 nodeId, ReportState memory s, bool eligible) private {
        s.ineligible = !eligible;
        SUPPLY.setEligible(nodeId, eligible);
    }

    function _isSigned(bytes calldata packed, uint256 i, address operator, bytes32 digest) private view returns (bool) {
        (bytes32 r, bytes32 vs) = packed.signature(i);
        bytes32 s = vs & LOW_BITS;
        // Of the two signatures that ECDSA knows for one, the one with the lower s counts. What cannot be recovered is
        // zero, which the registry refuses as an operator.
        if (uint256(s) <= HALF_ORDER && ecrecover(digest, uint8(uint256(vs) >> 255) + 27, r, s) == operator)
            return true;
        return _acceptedBy(operator, digest, abi.encodePacked(r, vs));
    }

    /// @dev Whether an operator that is a contract accepts the signature (ERC-1271). With bounded gas: it must not be able to
    /// spoil the batch of others.
    function _acceptedBy(address operator, bytes32 digest, bytes memory signature) private view returns (bool) {
        if (operator.code.length == 0) return false;
        (bool ok, bytes memory answer) = operator.staticcall{gas: CONTRACT_GAS}(
            abi.encodeCall(IERC1271.isValidSignature, (digest, signature))
        );
        return ok && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }

    /// @dev What holds now; the parameters are read again if that is long ago.
    function _batch() private returns (Batch memory b) {
        Rule memory rule = _rule;
        if (block.timestamp > rule.readAt + RULE_AGE) {
            _refresh();
            rule = _rule;
        }
        Totals memory t = _totals;
        b.domain = _domainSeparatorV4();
        b.freeze = _freezeNumber();
        (b.band, b.floor, b.maxLatency) = (rule.band, rule.floor, rule.maxLatency);
        (b.interval, b.lowestLatency) = (rule.interval, rule.lowestLatency);
        (b.load, b.watts, b.capacity) = (t.load, t.watts, t.capacity);
        (b.nodes, b.renewableNodes, b.throttledNodes) = (t.nodes, t.renewableNodes, t.throttledNodes);
    }

    function _writeTotals(Batch memory b) private {
        _totals = Totals({
            load: b.load.toUint64(),
            watts: b.watts.toUint48(),
            capacity: b.capacity.toUint48(),
            nodes: b.nodes.toUint32(),
            renewableNodes: b.renewableNodes.toUint32(),
            throttledNodes: b.throttledNodes.toUint32()
        });
    }

    /// @dev Their bounds fit 16 bits.
    function _refresh() private {
        _rule.band = uint16(PARAMETERS.get(Param.BalanceBand));
        _rule.floor = uint16(PARAMETERS.get(Param.LoadFloor));
        _rule.maxLatency = uint16(PARAMETERS.get(Param.MaxLatency));
        _rule.interval = uint16(PARAMETERS.get(Param.ReportInterval));
        _rule.readAt = uint40(block.timestamp);
    }

    /// @dev Whether a node may take new work by its last report.
    function _eligible(
        uint32 nodeId,
        uint256 load,
        uint256 latency,
        bool throttled,
        Batch memory batch
    ) private view returns (bool) {
        if (throttled) return false;
        if (latency > batch.lowestLatency || latency > batch.maxLatency) {
            uint256 own = _maxLatencies[SUPPLY.stateOf(nodeId).classId];
            if (latency > (own == 0 ? batch.maxLatency : own)) return false;
        }
        // A node that is hardly busy is not overloaded, however idle the others say they are. No product has 100 bits.
        unchecked {
            return load <= batch.floor || load * batch.capacity <= batch.load + batch.band * batch.capacity;
        }
    }

    function _stateOf(uint32 nodeId) private view returns (ReportState memory) {
        return _reportStates[nodeId].state.unpack();
    }

    /// @dev Number of the freeze that holds the listings; 0: none does.
    function _freezeNumber() private view returns (uint32) {
        ISupply.Freeze memory last = SUPPLY.lastFreeze();
        return last.frozen ? last.count : 0;
    }

    function _silentFrom(uint40 at, uint40 registeredAt) private view returns (uint256) {
        return (at == 0 ? registeredAt : at) + PARAMETERS.get(Param.ReportTimeout);
    }

    function _nodesOf(bytes calldata packed, uint256 count) private pure returns (uint32[] memory nodeIds) {
        nodeIds = new uint32[](count);
        for (uint256 i; i < count; ++i) nodeIds[i] = packed.at(i).nodeId();
    }

    /// @dev Wei that a node's prepaid reports come to.
    function _prepaidOf(ReportState memory s) private pure returns (uint256) {
        return uint256(s.prepaid) * s.feeMicroVer * PRICE_UNIT;
    }

    function _uncount(Totals memory t, ReportState memory s) private pure {
        t.load -= uint64(s.load) * s.capacity;
        t.capacity -= s.capacity;
        t.watts -= s.watts;
        --t.nodes;
        if (s.renewable) --t.renewableNodes;
        if (s.throttled) --t.throttledNodes;
    }

    /// @dev Writes the fields of a report at place `i`, and keeps what follows them in the word.
    function _append(bytes memory taken, uint256 i, PackedReport report) private pure {
        uint256 width = ReportCodec.HEAD;
        assembly ("memory-safe") {
            let to := add(add(taken, 32), mul(i, width))
            mstore(to, or(report, shr(136, shl(136, mload(to)))))
        }
    }

    /// @dev Shortens an array to its first bytes.
    function _cut(bytes memory array, uint256 length) private pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(array, length)
        }
        return array;
    }
}
