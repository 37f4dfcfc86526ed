// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, MAX_UNIT_POWER} from "../../types/Units.sol";
import {IEnergyLedger} from "../../interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {ReportCodec} from "./ReportCodec.sol";

/// @title Signed reports of nodes: load, latency and energy
/// @notice See {ITelemetry}.
contract Telemetry is ITelemetry, AccessManaged, EIP712 {
    using ReportCodec for bytes;
    using ReportCodec for Report;

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
        /// Number of the freeze that holds the listings; 0: none does.
        uint32 freeze;
        uint32 leaseCount;
        Rule rule;
        Totals totals;
    }

    /// @dev Parameters.
    struct Rule {
        uint256 timeout;
        uint256 band;
        uint256 floor;
        uint256 maxLatency;
    }

    /// @notice Gas with which an operator that is a contract judges a signature: enough for a few of ECDSA, or P-256 by the
    /// precompile; so little that a batch of 100 such reports still fits a transaction.
    uint256 public constant CONTRACT_GAS = 50_000;
    /// @notice Most shares in a report.
    uint256 public constant MAX_SHARES = 64;

    /// @notice A report's sequence is the number of its operator key << 24 | a count, which does for 15 years of a report every
    /// half a minute.
    uint256 public constant KEY_SHIFT = 24;

    /// @notice Times, the band of loads.
    IParameters public immutable PARAMETERS;
    /// @notice Operators, capacity, declared power; is told who is fit for new work.
    INodeRegistry public immutable NODES;
    /// @notice Keeps nodes out of new work.
    ISupply public immutable SUPPLY;
    /// @notice Whose leases the shares name.
    ILeaseRegistry public immutable LEASES;
    /// @notice Keeps the energy.
    IEnergyLedger public immutable LEDGER;

    Totals private _totals;
    mapping(uint32 nodeId => ReportState) private _reportStates;
    mapping(uint32 nodeId => Frozen) private _frozen;
    mapping(uint8 classId => uint16 milliseconds) private _maxLatencies;

    constructor(
        address authority,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ILeaseRegistry leases,
        IEnergyLedger ledger
    ) AccessManaged(authority) EIP712("DRMP", "1") {
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        LEASES = leases;
        LEDGER = ledger;
    }

    /// @inheritdoc ITelemetry
    function post(bytes calldata packed) external returns (uint256 accepted) {
        Batch memory batch = Batch({
            freeze: SUPPLY.frozen() ? SUPPLY.freezeCount() : 0,
            leaseCount: LEASES.leaseCount(),
            rule: _rule(),
            totals: _totals
        });
        for (uint256 at; at < packed.length;) {
            (Report memory report, uint256 end) = packed.read(at);
            bytes calldata signature = packed[end - ReportCodec.SIGNATURE:end];
            Refusal reason = _process(report, signature, batch);
            if (reason == Refusal.None) ++accepted;
            else emit ReportRefused(report.nodeId, report.sequence, reason);
            at = end;
        }
        _totals = batch.totals;
    }

    /// @inheritdoc ITelemetry
    function lapse(uint32 nodeId) external {
        INodeRegistry.Facts memory facts = NODES.factsOf(nodeId);
        ReportState memory s = _reportStates[nodeId];
        bool ineligible = SUPPLY.stateOf(nodeId).ineligible;
        uint256 from = _silentFrom(s.at, facts.registeredAt);
        require(block.timestamp > from, NodeNotSilent(nodeId, from));
        require(s.counted || !ineligible, AlreadyLapsed(nodeId));
        if (s.counted) {
            Totals memory t = _totals;
            _uncount(t, s);
            _totals = t;
            _reportStates[nodeId].counted = false;
        }
        emit NodeLapsed(nodeId);
        if (!ineligible) SUPPLY.setEligible(nodeId, false);
    }

    /// @inheritdoc ITelemetry
    function throttle(uint32 nodeId) external {
        uint32 threshold = NODES.factsOf(nodeId).powerThreshold;
        ReportState memory s = _reportStates[nodeId];
        require(!s.throttled, AlreadyThrottled(nodeId));
        require(
            threshold != 0 && s.watts > threshold && s.previousWatts > threshold,
            PowerWithinThreshold(nodeId, s.watts, s.previousWatts, threshold)
        );
        _reportStates[nodeId].throttled = true;
        if (s.counted) ++_totals.throttledNodes;
        emit NodeThrottled(nodeId, s.watts, threshold);
        if (!SUPPLY.stateOf(nodeId).ineligible) SUPPLY.setEligible(nodeId, false);
    }

    /// @inheritdoc ITelemetry
    function unthrottle(uint32 nodeId) external {
        uint32 threshold = NODES.factsOf(nodeId).powerThreshold;
        ReportState memory s = _reportStates[nodeId];
        require(s.throttled, NotThrottled(nodeId));
        require(threshold == 0 || s.watts <= threshold, PowerAboveThreshold(nodeId, s.watts, threshold));
        s.throttled = false;
        _reportStates[nodeId].throttled = false;
        if (s.counted) --_totals.throttledNodes;
        emit NodeUnthrottled(nodeId, s.watts, threshold);
        // A lapsed node stays out until it reports again.
        ISupply.State memory state = SUPPLY.stateOf(nodeId);
        if (s.counted && state.ineligible && _eligible(s, state.classId, _totals, _rule()))
            SUPPLY.setEligible(nodeId, true);
    }

    /// @inheritdoc ITelemetry
    function setMaxLatency(uint8 classId, uint16 milliseconds) external restricted {
        IParameters.Bounded memory b = PARAMETERS.bounded(Param.MaxLatency);
        bool within = milliseconds == 0 || (b.min <= milliseconds && milliseconds <= b.max);
        require(within, MaxLatencyOutOfBounds(classId, milliseconds, b.min, b.max));
        emit MaxLatencySet(classId, _maxLatencies[classId], milliseconds);
        _maxLatencies[classId] = milliseconds;
    }

    /// @inheritdoc ITelemetry
    function loadAndLatencyOf(uint32 nodeId) external view returns (uint16, uint16, uint40, uint24) {
        if (SUPPLY.frozen()) {
            Frozen storage f = _frozen[nodeId];
            if (f.freeze == SUPPLY.freezeCount()) return (f.load, f.latency, f.at, f.capacity);
        }
        ReportState storage s = _reportStates[nodeId];
        return (s.load, s.latency, s.at, s.capacity);
    }

    /// @inheritdoc ITelemetry
    function silent(uint32 nodeId) external view returns (bool) {
        return block.timestamp > _silentFrom(_reportStates[nodeId].at, NODES.factsOf(nodeId).registeredAt);
    }

    /// @inheritdoc ITelemetry
    function averageLoad() external view returns (uint256, uint256) {
        return (_totals.load, _totals.capacity);
    }

    /// @inheritdoc ITelemetry
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// @inheritdoc ITelemetry
    function reportStateOf(uint32 nodeId) external view returns (ReportState memory) {
        return _reportStates[nodeId];
    }

    /// @inheritdoc ITelemetry
    function reportStatePage(uint32 from, uint32 count) external view returns (ReportState[] memory page) {
        page = new ReportState[](count);
        for (uint32 i; i < count; ++i) page[i] = _reportStates[from + i];
    }

    /// @inheritdoc ITelemetry
    function digestOf(Report memory report) external view returns (bytes32) {
        return _hashTypedDataV4(report.hash());
    }

    /// @inheritdoc ITelemetry
    function maxLatencyOf(uint8 classId) public view returns (uint256) {
        uint256 own = _maxLatencies[classId];
        return own == 0 ? PARAMETERS.get(Param.MaxLatency) : own;
    }

    /// @dev Judges a report, and books it if it is good.
    function _process(Report memory r, bytes calldata signature, Batch memory batch) private returns (Refusal reason) {
        ISupply.State memory state = SUPPLY.stateOf(r.nodeId);
        if (state.status == ISupply.NodeStatus.None) return Refusal.UnknownNode;
        INodeRegistry.Reporter memory facts = NODES.reporterOf(r.nodeId);
        ReportState memory s = _reportStates[r.nodeId];
        uint256 from = _coveredFrom(s, facts.registeredAt, batch.rule.timeout);
        if (state.status != ISupply.NodeStatus.Active && state.status != ISupply.NodeStatus.Draining) {
            return Refusal.NotInMarket;
        }
        reason = _judgeOrigin(r, facts, signature, s.sequence);
        if (reason != Refusal.None) return reason;
        if (r.period == 0 || from + r.period > block.timestamp) return Refusal.PeriodInvalid;
        reason = _judgeValues(r, facts.powerMax, state.capacity);
        if (reason != Refusal.None) return reason;
        IEnergyLedger.Part[] memory parts;
        (reason, parts) = _judgeShares(r, state.capacity, batch.leaseCount, from);
        if (reason != Refusal.None) return reason;

        // Once per freeze: what the draws of this freeze may know of the node.
        if (batch.freeze != 0 && _frozen[r.nodeId].freeze != batch.freeze) {
            _frozen[r.nodeId] = Frozen(batch.freeze, s.load, s.latency, s.at, s.capacity);
        }
        if (s.counted) _uncount(batch.totals, s);
        s.lag = uint16(block.timestamp - from - r.period);
        _book(r, facts.powerMax, state, s, batch);
        _record(r, state.classId, parts);
    }

    /// @dev Changes the node's standing, the totals, and whether it is fit for new work.
    function _book(
        Report memory r,
        uint256 powerMax,
        ISupply.State memory state,
        ReportState memory s,
        Batch memory batch
    ) private {
        s.sequence = r.sequence;
        s.at = uint32(block.timestamp);
        s.load = r.load;
        s.capacity = uint24(state.capacity);
        s.latency = r.latency;
        s.previousWatts = s.watts;
        s.watts = uint32(Math.ceilDiv(r.joules, r.period));
        s.unitPower = _unitPower(s.watts, powerMax, state);
        s.counted = true;
        s.renewable = r.joules != 0 && r.renewableJoules == r.joules;
        _reportStates[r.nodeId] = s;
        _count(batch.totals, s);
        emit Reported(
            r.nodeId,
            r.sequence,
            r.period,
            r.load,
            r.latency,
            r.joules,
            r.renewableJoules,
            Method(r.method),
            r.version,
            r.idleUnitSeconds
        );
        bool eligible = _eligible(s, state.classId, batch.totals, batch.rule);
        if (eligible == state.ineligible) SUPPLY.setEligible(r.nodeId, eligible);
    }

    function _record(Report memory r, uint8 classId, IEnergyLedger.Part[] memory parts) private {
        LEDGER.record(
            IEnergyLedger.Entry(
                r.nodeId,
                classId,
                r.method,
                r.period,
                r.joules,
                r.renewableJoules,
                r.idleUnitSeconds,
                parts
            )
        );
    }

    function _judgeOrigin(
        Report memory r,
        INodeRegistry.Reporter memory facts,
        bytes calldata signature,
        uint32 sequence
    ) private view returns (Refusal) {
        if (r.shares.length > MAX_SHARES) return Refusal.TooManyShares;
        // Each key counts for itself: what a key that was stolen has signed holds its successor up in nothing.
        if (r.sequence <= sequence || r.sequence >> KEY_SHIFT != facts.keyNumber) return Refusal.SequenceNotGrowing;
        // ERC-2098: r, then s with the parity in its highest bit.
        bytes32 digest = _hashTypedDataV4(r.hash());
        (address signer, , ) = ECDSA.tryRecover(digest, bytes32(signature), bytes32(signature[32:]));
        // What cannot be recovered is zero, which the registry refuses as an operator.
        bool good = signer == facts.operator || _acceptedBy(facts.operator, digest, signature);
        return good ? Refusal.None : Refusal.BadSignature;
    }

    /// @dev Whether an operator that is a contract accepts the signature (ERC-1271). With bounded gas: it must not be able to
    /// spoil the batch of others.
    function _acceptedBy(address operator, bytes32 digest, bytes calldata signature) private view returns (bool) {
        if (operator.code.length == 0) return false;
        (bool ok, bytes memory answer) = operator.staticcall{gas: CONTRACT_GAS}(
            abi.encodeCall(IERC1271.isValidSignature, (digest, signature))
        );
        return ok && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }

    function _judgeValues(Report memory r, uint256 powerMax, uint256 capacity) private pure returns (Refusal) {
        if (r.load > BASIS) return Refusal.LoadTooHigh;
        if (r.method == 0 || r.method > uint8(type(Method).max)) return Refusal.UnknownMethod;
        uint256 most = Math.min(powerMax, capacity * MAX_UNIT_POWER);
        if (r.joules > most * r.period) return Refusal.PowerAboveMaximum;
        return r.renewableJoules > r.joules ? Refusal.RenewableAboveTotal : Refusal.None;
    }

    /// @dev Looks the leases up that the shares name. At most {MAX_SHARES} steps.
    function _judgeShares(
        Report memory r,
        uint256 capacity,
        uint32 leaseCount,
        uint256 from
    ) private view returns (Refusal, IEnergyLedger.Part[] memory parts) {
        parts = new IEnergyLedger.Part[](r.shares.length);
        uint256 shared;
        uint256 units;
        uint32 last;
        for (uint256 i; i < parts.length; ++i) {
            uint32 leaseId = r.shares[i].leaseId;
            if (leaseId <= last) return (Refusal.SharesOutOfOrder, parts);
            last = leaseId;
            if (leaseId > leaseCount) return (Refusal.ForeignLease, parts);
            ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
            if (lease.nodeId != r.nodeId) return (Refusal.ForeignLease, parts);
            if (_endOf(leaseId, lease) < from) return (Refusal.LeaseOver, parts);
            parts[i] = IEnergyLedger.Part(leaseId, lease.taskId, lease.count, lease.classId, r.shares[i].joules);
            shared += r.shares[i].joules;
            units += lease.count;
        }
        if (shared > r.joules) return (Refusal.SharesAboveTotal, parts);
        bool idle = r.idleUnitSeconds <= Math.min(units, capacity) * r.period;
        return (idle ? Refusal.None : Refusal.IdleAboveWork, parts);
    }

    /// @dev When a lease ended: with its delivery, its release or its expiry; the highest number while its node runs it.
    function _endOf(uint32 leaseId, ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        ILeaseRegistry.LeaseStatus status = lease.status;
        if (status == ILeaseRegistry.LeaseStatus.Active || status == ILeaseRegistry.LeaseStatus.Moving) {
            return type(uint256).max;
        }
        bool returned = status == ILeaseRegistry.LeaseStatus.Released || status == ILeaseRegistry.LeaseStatus.Expired;
        return returned ? lease.due : LEASES.result(leaseId).deliveredAt;
    }

    /// @dev Parameters. The lag's 16 bits hold no longer time-out.
    function _rule() private view returns (Rule memory) {
        return
            Rule({
                timeout: Math.min(PARAMETERS.get(Param.ReportTimeout), type(uint16).max),
                band: PARAMETERS.get(Param.BalanceBand),
                floor: PARAMETERS.get(Param.LoadFloor),
                maxLatency: PARAMETERS.get(Param.MaxLatency)
            });
    }

    /// @dev From when on the node's next report may cover. Reports may be posted late, but never cover a second twice
    /// nor reach back further than the time-out, so that idle stretches cannot be claimed later.
    function _coveredFrom(ReportState memory s, uint256 registeredAt, uint256 timeout) private view returns (uint256) {
        uint256 covered = s.at == 0 ? registeredAt : s.at - s.lag;
        return Math.max(covered, Math.saturatingSub(block.timestamp, timeout));
    }

    /// @dev Whether a node may take new work by its last report.
    function _eligible(
        ReportState memory s,
        uint8 classId,
        Totals memory t,
        Rule memory rule
    ) private view returns (bool) {
        if (s.throttled) return false;
        uint256 own = _maxLatencies[classId];
        if (s.latency > (own == 0 ? rule.maxLatency : own)) return false;
        // A node that is hardly busy is not overloaded, however idle the others say they are.
        return s.load <= rule.floor || uint256(s.load) * t.capacity <= t.load + rule.band * t.capacity;
    }

    function _silentFrom(uint40 at, uint40 registeredAt) private view returns (uint256) {
        return (at == 0 ? registeredAt : at) + PARAMETERS.get(Param.ReportTimeout);
    }

    function _count(Totals memory t, ReportState memory s) private pure {
        t.load += uint64(s.load) * s.capacity;
        t.capacity += s.capacity;
        t.watts += s.watts;
        ++t.nodes;
        if (s.renewable) ++t.renewableNodes;
        if (s.throttled) ++t.throttledNodes;
    }

    function _uncount(Totals memory t, ReportState memory s) private pure {
        t.load -= uint64(s.load) * s.capacity;
        t.capacity -= s.capacity;
        t.watts -= s.watts;
        --t.nodes;
        if (s.renewable) --t.renewableNodes;
        if (s.throttled) --t.throttledNodes;
    }

    /// @dev Milliwatts per leased unit, rounded up; of an idle node, of its capacity at its declared maximum.
    function _unitPower(uint256 watts, uint256 powerMax, ISupply.State memory state) private pure returns (uint32) {
        (uint256 power, uint256 units) = state.leased == 0 ? (powerMax, state.capacity) : (watts, state.leased);
        return uint32(Math.min(Math.ceilDiv(power * 1_000, units), type(uint32).max));
    }
}
