// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {INodeReports} from "../core/interfaces/INodeReports.sol";
import {IAuditEpochs} from "../interfaces/IAuditEpochs.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {IHolderPool} from "../interfaces/IHolderPool.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {IVrfSeeds} from "../interfaces/IVrfSeeds.sol";
import {BASIS} from "../types/Units.sol";
import {AuditDraw} from "./AuditDraw.sol";
import {TraceTree} from "./TraceTree.sol";

/// @title Epochs of audits: which seed decides on which segments, and whom it draws to verify them
/// @notice See {IAuditEpochs}.
contract AuditEpochs is IAuditEpochs, AccessManaged {
    /// @dev Bound of {Terms}: with a smaller loss no chance would make cheating a loss at any price.
    uint256 private constant MIN_LOSS = 5_000;

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

    /// @notice The fee, the oracle's time, the dispute window.
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
    function saltOf(uint32 epochId, uint32 leaseId, uint32 sequence) external view returns (bytes32) {
        Epoch storage e = _epochs[epochId];
        bytes32 seed = e.requestId == 0 || e.abandoned ? bytes32(0) : SEEDS.seedOf(e.requestId);
        require(seed != 0, EpochWithoutSeed(epochId));
        return AuditDraw.salt(seed, leaseId, sequence);
    }

    /// @inheritdoc IAuditEpochs
    function requireOpenable(uint32 epochId, uint40 at) external view {
        Epoch storage e = _epochs[epochId];
        require(e.from < at && at <= e.to, NotOfEpoch(at, e.from, e.to));
        uint256 until = e.to + PARAMETERS.get(Param.SeedTimeout) + _terms.openTime;
        require(block.timestamp <= until, EpochOver(epochId, until));
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
    ) external view returns (uint32 nodeId, uint16 next) {
        Epoch memory e = _epochs[epochId];
        next = from;
        if (e.positions == 0) return (0, next);
        address owner = NODES.ownerOf(producer);
        for (uint256 end = uint256(from) + most; nodeId == 0 && next < end; ++next) {
            (uint32 position, uint256 chance) = AuditDraw.candidate(salt, e.positions, next);
            nodeId = HOLDERS.drawn(position, e.freeze, e.average, chance);
            if (nodeId != 0 && !_mayVerify(nodeId, owner, classId, e.to)) nodeId = 0;
        }
    }

    /// @inheritdoc IAuditEpochs
    function chanceOf(
        uint256 asked,
        uint256 gainMicroVer,
        uint256 stakeMicroVer,
        bool isNew
    ) external view returns (uint256) {
        if (asked == 0) return 0;
        uint256 loss = (stakeMicroVer * _terms.loss) / BASIS;
        // With a third of the verifiers colluding two thirds of the chance are left.
        uint256 needed = gainMicroVer == 0 ? 0 : Math.ceilDiv(3 * gainMicroVer * BASIS, 2 * (gainMicroVer + loss));
        uint256 usual = Math.max(asked, isNew ? _terms.newChance : _terms.chance);
        return Math.min(BASIS, Math.max(needed, usual));
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
                t.loss <= BASIS;
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
