// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PRICE_UNIT} from "../../types/Units.sol";
import {IReleaseCharge} from "../../core/interfaces/IReleaseCharge.sol";
import {NotModule} from "../../types/Errors.sol";
import {ICheckpointRegistry} from "../../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IReleaseFees} from "../../interfaces/IReleaseFees.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {Vault} from "../../core/vault/Vault.sol";

/// @title Release fees: what giving a lease back, or letting it expire, without headway costs
/// @notice See {IReleaseFees}.
contract ReleaseFees is IReleaseFees {
    /// @dev What an owner has paid for a task.
    struct Payer {
        address owner;
        /// Wei.
        uint96 amount;
    }

    /// @notice Different owners that must have lost a task so, none of its units ever paid, before they get their fees back.
    uint256 public constant EVIDENCE = 3;
    /// @dev Owners of a task whose fees are held; those of others go to the bounty pool at once.
    uint256 private constant MAX_PAYERS = 16;
    /// @dev Earlier leases of a range among which one of the same owner is looked for.
    uint256 private constant MAX_EARLIER = 8;

    /// @notice Holds the fees.
    Vault public immutable VAULT;
    /// @notice The fees' amounts.
    IParameters public immutable PARAMETERS;
    /// @notice Says who owns a node.
    INodeRegistry public immutable NODES;
    /// @notice Keeps owners out of new leases.
    ISupply public immutable SUPPLY;
    /// @notice Says whether a task takes leases, and what became of it.
    ITaskRegistry public immutable TASKS;
    /// @notice The leases that are given back.
    ILeaseRegistry public immutable LEASES;
    /// @notice Says what headway a lease made.
    ICheckpointRegistry public immutable CHECKPOINTS;

    mapping(uint32 taskId => HeldFees) private _held;
    mapping(uint32 taskId => Payer[]) private _payers;
    /// @dev Tasks whose fees are held.
    uint32[] private _tasks;

    constructor(
        Vault vault,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        ICheckpointRegistry checkpoints
    ) {
        VAULT = vault;
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        CHECKPOINTS = checkpoints;
    }

    /// @inheritdoc IReleaseCharge
    function charge(uint32 leaseId) external returns (bool) {
        require(msg.sender == address(LEASES), NotModule(msg.sender));
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        (uint256 roundShare, uint256 taskShare) = _shares(lease.count);
        if (roundShare + taskShare == 0 || !TASKS.takesLeases(lease.taskId)) return false;
        address owner = NODES.ownerOf(lease.nodeId);
        if (_hasHeadway(leaseId, lease)) {
            // Headway is a claim: without this, one owner could hold a range by it and give it back for ever. It does not count
            // against the owner: a machine that is idle by night gives the same range back each morning.
            if (_hadBefore(owner, lease.parent)) SUPPLY.bar(owner, false);
            return false;
        }
        // The fee is at most the node's stake, like any loss.
        uint256 fee = VAULT.holdFee(lease.nodeId, lease.taskId, (roundShare + taskShare) * PRICE_UNIT);
        emit ReleaseCharged(leaseId, lease.taskId, owner, fee);
        _note(lease.taskId, owner, fee, roundShare);
        SUPPLY.bar(owner, true);
        return true;
    }

    /// @inheritdoc IReleaseFees
    function distribute(uint32 taskId) external {
        HeldFees memory held = _held[taskId];
        require(held.owners != 0, NoFees(taskId));
        ITaskRegistry.TaskView memory task = TASKS.task(taskId);
        require(task.status == ITaskRegistry.TaskStatus.Ended, TaskNotEnded(taskId));
        delete _held[taskId];
        uint32 last = _tasks[_tasks.length - 1];
        _tasks.pop();
        if (last != taskId) {
            _tasks[held.place] = last;
            _held[last].place = held.place;
        }
        uint256 total = VAULT.feesOf(taskId);
        if (task.paidUnits == 0 && held.owners >= EVIDENCE) {
            emit ReleaseFeesDistributed(taskId, 0, 0, total);
            Payer[] storage payers = _payers[taskId];
            for (uint256 i; i < payers.length; ++i) VAULT.releaseFee(taskId, payers[i].owner, payers[i].amount);
            return;
        }
        // A stake that was too low for the whole fee leaves less than the shares are.
        uint256 toPool = task.paidUnits == 0 ? total : Math.min(uint256(held.roundShare) * PRICE_UNIT, total);
        emit ReleaseFeesDistributed(taskId, total - toPool, toPool, 0);
        if (toPool != 0) VAULT.forfeitFee(taskId, toPool);
        if (total != toPool) VAULT.releaseFee(taskId, task.owner, total - toPool);
    }

    /// @inheritdoc IReleaseFees
    function heldPage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds) {
        count = Math.min(count, Math.saturatingSub(_tasks.length, offset));
        taskIds = new uint32[](count);
        for (uint256 i; i < count; ++i) taskIds[i] = _tasks[offset + i];
    }

    /// @inheritdoc IReleaseFees
    function heldCount() external view returns (uint256) {
        return _tasks.length;
    }

    /// @inheritdoc IReleaseFees
    function heldOf(uint32 taskId) external view returns (HeldFees memory) {
        return _held[taskId];
    }

    /// @inheritdoc IReleaseFees
    function feeFor(uint256 units) external view returns (uint256) {
        (uint256 roundShare, uint256 taskShare) = _shares(units);
        return (roundShare + taskShare) * PRICE_UNIT;
    }

    /// @inheritdoc IReleaseFees
    function isFree(uint32 leaseId) external view returns (bool) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        (uint256 roundShare, uint256 taskShare) = _shares(lease.count);
        return roundShare + taskShare == 0 || !TASKS.takesLeases(lease.taskId) || _hasHeadway(leaseId, lease);
    }

    /// @dev Whether a node of the owner had the range before, from `leaseId` backwards, and gave it up otherwise than by a move.
    /// O({MAX_EARLIER}).
    function _hadBefore(address owner, uint32 leaseId) private view returns (bool) {
        for (uint256 i; i < MAX_EARLIER && leaseId != 0; ++i) {
            ILeaseRegistry.Lease memory earlier = LEASES.lease(leaseId);
            address other = NODES.ownerOf(earlier.nodeId);
            if (other == owner && LEASES.departureOf(leaseId).units == 0) return true;
            leaseId = earlier.parent;
        }
        return false;
    }

    /// @dev Whether the lease got its range further, and for as long as a checkpoint may take: what nobody can check, a claim
    /// of progress, is not enough alone.
    function _hasHeadway(uint32 leaseId, ILeaseRegistry.Lease memory lease) private view returns (bool) {
        (ICheckpointRegistry.Checkpoint memory newest, ) = CHECKPOINTS.newestOf(leaseId);
        if (newest.sequence == 0 || newest.progress <= _inherited(lease)) return false;
        (, , uint32 interval, ) = TASKS.termsOf(lease.taskId);
        return block.timestamp >= uint256(newest.startedAt) + interval;
    }

    /// @dev Notes who paid the fee. O(owners).
    function _note(uint32 taskId, address owner, uint256 fee, uint256 roundShare) private {
        HeldFees memory held = _held[taskId];
        Payer[] storage payers = _payers[taskId];
        uint256 at;
        while (at < held.owners && payers[at].owner != owner) ++at;
        if (at == MAX_PAYERS) {
            if (fee != 0) VAULT.forfeitFee(taskId, fee);
            return;
        }
        if (held.owners == 0) {
            held.place = uint32(_tasks.length);
            _tasks.push(taskId);
        }
        if (at == held.owners) {
            payers.push(Payer(owner, uint96(fee)));
            ++held.owners;
        } else {
            payers[at].amount += uint96(fee);
        }
        uint256 share = Math.min(fee / PRICE_UNIT, roundShare);
        held.roundShare += uint64(share);
        held.taskShare += uint64(fee / PRICE_UNIT - share);
        _held[taskId] = held;
    }

    /// @dev Progress that a lease went on from: its part of what the lease before it had reached.
    function _inherited(ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        if (lease.parent == 0) return 0;
        (ICheckpointRegistry.Checkpoint memory newest, ) = CHECKPOINTS.newestOf(lease.parent);
        return (uint256(newest.progress) * lease.count) / LEASES.lease(lease.parent).count;
    }

    /// @dev Share of the round's cost and share of the delay, micro-VER.
    function _shares(uint256 units) private view returns (uint256, uint256) {
        return (PARAMETERS.get(Param.ReleaseFee), PARAMETERS.get(Param.ReleaseUnitFee) * units);
    }
}
