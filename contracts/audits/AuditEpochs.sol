// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {INodeReports} from "../core/interfaces/INodeReports.sol";
import {IAuditEpochs} from "../interfaces/IAuditEpochs.sol";
import {IAudits} from "../interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {IHolderPool} from "../interfaces/IHolderPool.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {IVrfSeeds} from "../interfaces/IVrfSeeds.sol";
import {BASIS, PRICE_UNIT} from "../types/Units.sol";
import {AuditDraw} from "./AuditDraw.sol";
import {TraceTree} from "./TraceTree.sol";

/// @title Epochs of audits: which seed decides on which segments, and whom it draws to verify them
/// @notice See {IAuditEpochs}.
contract AuditEpochs is IAuditEpochs, AccessManaged {
    /// @dev Bound of {Terms}: with a smaller loss no chance would make cheating a loss at any price.
    uint256 private constant MIN_LOSS = 5_000;
    /// @dev Bound of {Terms}: one stranger alone convicts nobody.
    uint256 private constant MIN_OWNERS = 2;
    /// @dev Candidates that may verify of which a panel's members and owners are taken, at most.
    uint256 private constant ROW = 15;

    /// @dev The contracts that epochs stand on.
    struct Contracts {
        IParameters parameters;
        INodeRegistry nodes;
        ISupply supply;
        IHolderPool holders;
        INodeReports reports;
        IVrfSeeds seeds;
        ITaskRegistry tasks;
        ILeaseRegistry leases;
        ICheckpointRegistry checkpoints;
    }

    /// @dev What candidates of a segment are looked at by.
    struct Row {
        Epoch epoch;
        bytes32 salt;
        uint8 classId;
        /// Owner of the node that posted it.
        address producer;
    }

    /// @notice The fee, the oracle's time, the dispute window, the stake of a unit.
    IParameters public immutable PARAMETERS;
    /// @notice Keys.
    INodeRegistry public immutable NODES;
    /// @notice Classes.
    ISupply public immutable SUPPLY;
    /// @notice Verifiers are drawn from it.
    IHolderPool public immutable HOLDERS;
    /// @notice Says who reports in time.
    INodeReports public immutable REPORTS;
    /// @notice Seeds.
    IVrfSeeds public immutable SEEDS;
    /// @notice Which tasks ask for audits.
    ITaskRegistry public immutable TASKS;
    /// @notice Leases of tasks.
    ILeaseRegistry public immutable LEASES;
    /// @notice Says when a lease posted.
    ICheckpointRegistry public immutable CHECKPOINTS;

    /// @inheritdoc IAuditEpochs
    uint32 public epochCount;
    /// @dev End of the last epoch that was not abandoned, seconds.
    uint40 private _covered;
    Terms private _terms;
    mapping(uint32 epochId => Epoch) private _epochs;
    mapping(uint32 nodeId => Enlistment) private _enlistments;

    constructor(address authority, Contracts memory c, Terms memory terms_) AccessManaged(authority) {
        PARAMETERS = c.parameters;
        NODES = c.nodes;
        SUPPLY = c.supply;
        HOLDERS = c.holders;
        REPORTS = c.reports;
        SEEDS = c.seeds;
        TASKS = c.tasks;
        LEASES = c.leases;
        CHECKPOINTS = c.checkpoints;
        _covered = uint40(block.timestamp);
        _setTerms(terms_);
    }

    /// @inheritdoc IAuditEpochs
    function setTerms(Terms calldata terms_) external restricted {
        _setTerms(terms_);
    }

    /// @inheritdoc IAuditEpochs
    function openEpoch(uint32 leaseId) external returns (uint32 epochId) {
        epochId = epochCount;
        Epoch storage last = _epochs[epochId];
        if (epochId != 0 && SEEDS.seedOf(last.requestId) == bytes32(0)) {
            uint256 until = last.to + PARAMETERS.get(Param.SeedTimeout);
            require(block.timestamp > until, EpochTooSoon(until + 1));
            last.abandoned = true;
            emit EpochAbandoned(epochId);
        } else {
            uint256 from = uint256(last.to) + _terms.epoch;
            require(block.timestamp >= from, EpochTooSoon(from));
            if (epochId != 0) _covered = last.to;
        }
        _requireAudited(leaseId, _covered);
        epochCount = ++epochId;
        Epoch storage e = _epochs[epochId];
        (e.from, e.to) = (_covered, uint40(block.timestamp));
        (e.freeze, e.positions, e.average) = HOLDERS.lastFreeze();
        uint256 requestId = SEEDS.request();
        e.requestId = requestId;
        emit EpochOpened(epochId, msg.sender, requestId, e.from, e.to);
    }

    /// @inheritdoc IAuditEpochs
    function enlist(uint32 nodeId, bool enlisted) external {
        address operator = NODES.operatorOf(nodeId);
        require(msg.sender == operator, NotNodeOperator(nodeId, msg.sender));
        Enlistment storage s = _enlistments[nodeId];
        s.classId = SUPPLY.stateOf(nodeId).classId;
        s.enlistedAt = enlisted ? uint40(block.timestamp) : 0;
        emit VerifierSet(nodeId, s.classId, enlisted);
    }

    /// @inheritdoc IAuditEpochs
    function epoch(uint32 epochId) external view returns (Epoch memory) {
        return _epochs[epochId];
    }

    /// @inheritdoc IAuditEpochs
    function terms() external view returns (Terms memory) {
        return _terms;
    }

    /// @inheritdoc IAuditEpochs
    function enlistmentOf(uint32 nodeId) external view returns (Enlistment memory) {
        return _enlistments[nodeId];
    }

    /// @inheritdoc IAuditEpochs
    function judge(
        uint32 epochId,
        IAudits.Segment calldata segment,
        uint40 provenAt
    ) external view returns (uint256 chance) {
        (uint32 leaseId, uint32 sequence, uint40 at) = (segment.leaseId, segment.end.sequence, segment.end.at);
        bytes32 salt = saltOf(epochId, leaseId, sequence);
        Epoch storage e = _epochs[epochId];
        (uint40 from, uint40 to) = (e.from, e.to);
        require(from < at && at <= to, NotOfEpoch(at, from, to));
        uint256 until = to + PARAMETERS.get(Param.SeedTimeout) + _terms.openTime;
        require(block.timestamp <= until, EpochOver(epochId, until));
        require(segment.salt == salt, WrongSalt(salt));
        chance = _chanceOf(segment, provenAt);
        require(AuditDraw.isDrawn(salt, chance), NotDrawn(leaseId, sequence, chance));
    }

    /// @inheritdoc IAuditEpochs
    function answerOf(
        bytes32 salt,
        uint16 question,
        bytes32 traceRoot,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external pure returns (bytes32) {
        TraceTree.Opening memory o = opening;
        if (o.units == 0 || o.count == 0 || o.place != AuditDraw.unitAt(salt, o.units)) return 0;
        bytes32 root = TraceTree.rootOf(o, AuditDraw.probeAt(salt, question, o.count), paths);
        return root != 0 && root == traceRoot ? TraceTree.answer(o) : bytes32(0);
    }

    /// @inheritdoc IAuditEpochs
    function draw(
        uint32 epochId,
        bytes32 salt,
        uint16 from,
        uint16 most,
        uint8 classId,
        uint32 producer
    ) external view returns (uint32, uint16) {
        return _draw(Row(_epochs[epochId], salt, classId, NODES.ownerOf(producer)), from, most);
    }

    /// @inheritdoc IAuditEpochs
    function drawPanel(
        uint32 epochId,
        bytes32 salt,
        uint16 from,
        uint8 classId,
        uint32 producer,
        uint32 verifier
    ) external view returns (uint32[] memory nodeIds, uint16 next) {
        Row memory row = Row(_epochs[epochId], salt, classId, NODES.ownerOf(producer));
        return _drawPanel(row, from, verifier, _terms.panelOwners);
    }

    /// @inheritdoc IAuditEpochs
    function chanceOf(IAudits.Segment calldata segment, uint40 provenAt) external view returns (uint256) {
        return _chanceOf(segment, provenAt);
    }

    /// @inheritdoc IAuditEpochs
    function worthOf(IAudits.Segment calldata segment) external view returns (uint256 pay, uint256 stakeMicroVer) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(segment.leaseId);
        return (_payOf(segment, lease), _stakeUnder(lease));
    }

    /// @inheritdoc IAuditEpochs
    function paymentOf(
        IAudits.Segment calldata segment,
        uint256 chance
    ) external view returns (uint32 producer, uint256 ofNode, uint256 ofPool) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(segment.leaseId);
        uint256 pay = _payOf(segment, lease);
        uint256 paid = Math.max(_terms.chance, TASKS.auditChanceOf(lease.taskId));
        ofPool = Math.min(pay, (pay * paid) / chance);
        return (lease.nodeId, pay - ofPool, ofPool);
    }

    /// @inheritdoc IAuditEpochs
    function saltOf(uint32 epochId, uint32 leaseId, uint32 sequence) public view returns (bytes32) {
        Epoch storage e = _epochs[epochId];
        uint256 requestId = e.requestId;
        bytes32 seed = requestId == 0 || e.abandoned ? bytes32(0) : SEEDS.seedOf(requestId);
        require(seed != 0, EpochWithoutSeed(epochId));
        return AuditDraw.salt(seed, leaseId, sequence);
    }

    /// @dev See {draw}.
    function _draw(Row memory row, uint16 from, uint16 most) private view returns (uint32 nodeId, uint16 next) {
        Epoch memory e = row.epoch;
        next = from;
        if (e.positions == 0) return (0, next);
        for (uint256 end = uint256(from) + most; nodeId == 0 && next < end; ++next) {
            (uint32 position, uint256 chance) = AuditDraw.candidate(row.salt, e.positions, next);
            nodeId = HOLDERS.drawn(position, e.freeze, e.average, chance);
            if (nodeId != 0 && !_mayVerify(nodeId, row.producer, row.classId, e.to)) nodeId = 0;
        }
    }

    /// @dev See {drawPanel}; `least` owners beside the verifier's.
    function _drawPanel(
        Row memory row,
        uint16 from,
        uint32 verifier,
        uint256 least
    ) private view returns (uint32[] memory nodeIds, uint16 next) {
        nodeIds = new uint32[](AuditDraw.MEMBERS);
        address[] memory owners = new address[](ROW + 1);
        owners[0] = NODES.ownerOf(verifier);
        (uint256 members, uint256 count) = (0, 1);
        next = from;
        for (uint256 i; i < ROW && next < AuditDraw.CANDIDATES; ++i) {
            if (members == AuditDraw.MEMBERS && count > least) break;
            uint32 nodeId;
            (nodeId, next) = _draw(row, next, AuditDraw.LOOKS);
            if (nodeId == 0) break;
            address owner = NODES.ownerOf(nodeId);
            if (!_hasOwner(owners, count, owner)) owners[count++] = owner;
            // Others may have the same node drawn twice; within a round it counts once.
            if (nodeId == verifier || members == AuditDraw.MEMBERS || _hasNode(nodeIds, members, nodeId)) continue;
            nodeIds[members++] = nodeId;
        }
        if (count <= least) members = 0;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(nodeIds, members)
        }
    }

    function _chanceOf(IAudits.Segment calldata segment, uint40 provenAt) private view returns (uint256) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(segment.leaseId);
        uint256 asked = TASKS.auditChanceOf(lease.taskId);
        if (asked == 0) return 0;
        uint256 gain = _gainOf(segment, lease);
        uint256 loss = (_stakeUnder(lease) * _terms.loss) / BASIS;
        // With a third of the verifiers colluding two thirds of the chance are left.
        uint256 needed = gain == 0 ? 0 : Math.ceilDiv(3 * gain * BASIS, 2 * (gain + loss));
        bool isNew = provenAt == 0 || segment.end.at <= provenAt;
        uint256 usual = Math.max(asked, isNew ? _terms.newChance : _terms.chance);
        return Math.min(BASIS, Math.max(needed, usual));
    }

    /// @dev Price of a segment, micro-VER: of what its lease did in it, not of what it found.
    function _gainOf(
        IAudits.Segment calldata segment,
        ILeaseRegistry.Lease memory lease
    ) private view returns (uint256) {
        uint256 before = segment.before.progress;
        if (segment.end.sequence == 1 && lease.parent != 0) {
            (ICheckpointRegistry.Checkpoint memory found, ) = CHECKPOINTS.newestOf(lease.parent);
            before = (uint256(found.progress) * lease.count) / LEASES.lease(lease.parent).count;
        }
        return (Math.saturatingSub(segment.end.progress, before) * lease.priceMicroVer) / BASIS;
    }

    /// @dev What verifying a segment pays, wei.
    function _payOf(
        IAudits.Segment calldata segment,
        ILeaseRegistry.Lease memory lease
    ) private view returns (uint256) {
        return (3 * _gainOf(segment, lease) * PRICE_UNIT) / 2;
    }

    /// @dev Stake under a lease at least, micro-VER.
    function _stakeUnder(ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        return lease.count * Math.max(lease.priceMicroVer, PARAMETERS.get(Param.StakePerUnit));
    }

    /// @dev A seed costs the oracle's price: it is asked for only where something waits that it may draw.
    function _requireAudited(uint32 leaseId, uint40 since) private view {
        (ICheckpointRegistry.Checkpoint memory newest, ) = CHECKPOINTS.newestOf(leaseId);
        bool audited = newest.at > since && TASKS.auditChanceOf(LEASES.lease(leaseId).taskId) != 0;
        require(audited, NothingToAudit(leaseId, since));
    }

    /// @dev Whether a node was enlisted for the class before the epoch was opened, is of another owner, and reports.
    function _mayVerify(uint32 nodeId, address producer, uint8 classId, uint40 opened) private view returns (bool) {
        Enlistment storage s = _enlistments[nodeId];
        uint40 since = s.enlistedAt;
        if (since == 0 || since >= opened || s.classId != classId) return false;
        address owner = NODES.ownerOf(nodeId);
        return owner != producer && !REPORTS.silent(nodeId);
    }

    function _hasOwner(address[] memory owners, uint256 count, address owner) private pure returns (bool) {
        for (uint256 i; i < count; ++i) if (owners[i] == owner) return true;
        return false;
    }

    function _hasNode(uint32[] memory nodeIds, uint256 count, uint32 nodeId) private pure returns (bool) {
        for (uint256 i; i < count; ++i) if (nodeIds[i] == nodeId) return true;
        return false;
    }

    function _setTerms(Terms memory t) private {
        bool good =
            t.epoch >= 10 seconds &&
                t.epoch <= 1 days &&
                t.openTime >= 1 minutes &&
                t.openTime <= 2 days &&
                t.step >= 1 minutes &&
                t.step <= 1 days &&
                t.chance != 0 &&
                t.chance <= t.newChance &&
                t.newChance <= BASIS &&
                t.loss >= MIN_LOSS &&
                t.loss <= BASIS &&
                t.panelOwners >= MIN_OWNERS &&
                t.panelOwners <= ROW;
        require(good, TermsOutOfBounds());
        // The fee pays for audits at the usual chance.
        uint256 fee = PARAMETERS.get(Param.FeeBps);
        require(3 * uint256(t.chance) <= 2 * fee, ChanceNotPaid(t.chance, fee));
        // Nothing is paid before its audit can have begun.
        uint256 needed = 2 * uint256(t.epoch) + PARAMETERS.get(Param.SeedTimeout) + t.openTime;
        uint256 window = PARAMETERS.get(Param.DisputeWindow);
        require(needed <= window, WindowTooShort(needed, window));
        _terms = t;
        emit TermsSet(t);
    }
}
