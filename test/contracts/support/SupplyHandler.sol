// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {IReleaseFees} from "../../../contracts/interfaces/IReleaseFees.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Actions} from "./Actions.sol";

/// @title What contributors and their operators do at random, for the invariants
/// @dev Each action is one that its caller is allowed to take then: none may revert.
abstract contract SupplyHandler is Actions {
    uint256 internal constant MOST_NODES = 12;
    uint8 internal constant CLASSES = 3;
    uint256 internal constant HANDLER_TICKS = 6;
    /// @notice The lowest stake of a unit that governance asks for, micro-VER.
    uint256 public constant LOWEST_STAKE = 8_000_000;

    /// @dev What giving leases back, or letting them expire, took from stakes and nobody has yet, wei.
    mapping(uint32 taskId => uint256) public heldFees;
    /// @dev What releases and expiries of a node's leases took as fees, wei.
    mapping(uint32 nodeId => uint256) public feesTaken;
    /// @dev Whether governance has changed the stake of a unit. No listing and no lease waits for that: those from before are covered by
    /// what was asked for then.
    bool public stakeChanged;
    /// @dev What failures took of a node's stake beyond what {LOWEST_STAKE} and their prices cover, wei.
    mapping(uint32 nodeId => uint256) public excess;

    function register(uint8 owner, uint8 classId, uint8 capacity, uint8 tick) external {
        if (nodes.nodeCount() == MOST_NODES) return;
        register(contributor(owner), classId % CLASSES, 1 + (capacity % 8), tick % HANDLER_TICKS);
    }

    function setTerms(uint8 pick, uint8 classId, uint8 capacity, uint8 tick) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.status != ISupply.NodeStatus.Active && n.status != ISupply.NodeStatus.Draining) return;
        uint256 committed = n.leased + (supply.frozen() ? n.listedUnits : 0);
        uint256 most = n.stake / stakeFor(1);
        if (most < n.capacity) most = n.capacity;
        uint256 wanted = bound(capacity, committed == 0 ? 1 : committed, most);
        ISupply.Terms memory terms = termsOf(classId % CLASSES, uint32(wanted), tick % HANDLER_TICKS);
        vm.prank(n.owner);
        nodes.setTerms(n.id, terms);
    }

    function addStake(uint8 pick, uint64 amount) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.status != ISupply.NodeStatus.Active && n.status != ISupply.NodeStatus.Draining) return;
        fund(alice, amount);
        vm.prank(alice);
        nodes.addStake(n.id, amount);
    }

    function drainOrResume(uint8 pick) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        vm.startPrank(n.operator);
        if (n.status == ISupply.NodeStatus.Active && pick % 4 == 0) nodes.drain(n.id);
        else if (n.status == ISupply.NodeStatus.Draining && pick % 4 != 0) nodes.resume(n.id);
        vm.stopPrank();
    }

    function leave(uint8 pick) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        vm.startPrank(n.owner);
        if (n.status == ISupply.NodeStatus.Draining && n.leased == 0 && n.listedUnits == 0) nodes.exit(n.id);
        else if (n.status == ISupply.NodeStatus.Unbonding && block.timestamp >= n.withdrawableAt) {
            nodes.withdraw(n.id);
        }
        vm.stopPrank();
    }

    function sync(uint8 pick) external {
        if (supply.frozen() || nodes.nodeCount() == 0) return;
        if (pick % 2 == 0) supply.syncPending(pick);
        else supply.sync(ids32(_pickNode(pick).id));
    }

    /// @dev Mostly upwards.
    function setStakePerUnit(uint64 value) external {
        uint256 now_ = param(Param.StakePerUnit);
        uint256 wanted = bound(value, value % 8 == 0 ? LOWEST_STAKE : now_, 12_000_000);
        if (wanted != now_) stakeChanged = true;
        setParam(Param.StakePerUnit, uint64(wanted));
    }

    function checkpointLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        if (id == 0) return;
        (uint40 progress, uint40 most) = (_progressOf(id) + 500, 10_000 * uint40(leases.lease(id).count));
        if (progress <= most) checkpoint(id, progress);
    }

    function deliverLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        if (id != 0 && _inTime(id)) deliver(id);
    }

    function releaseLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        if (id == 0) return;
        ILeaseRegistry.Lease memory held = leases.lease(id);
        uint256 stake = vault.stakeOf(held.nodeId);
        release(id);
        heldFees[held.taskId] += stake - vault.stakeOf(held.nodeId);
        feesTaken[held.nodeId] += stake - vault.stakeOf(held.nodeId);
    }

    /// @dev Fees of a task that has ended go where they belong, once; all others stay where they are.
    function distribute(uint8 pick) external {
        uint32 count = tasks.taskCount();
        if (count == 0) return;
        uint32 taskId = uint32(1 + (pick % count));
        for (uint256 i; i < count && releaseFees.heldOf(taskId).owners == 0; ++i) taskId = (taskId % count) + 1;
        if (releaseFees.heldOf(taskId).owners == 0) {
            vm.expectRevert(abi.encodeWithSelector(IReleaseFees.NoFees.selector, taskId));
        } else if (tasks.task(taskId).status != ITaskRegistry.TaskStatus.Ended) {
            vm.expectRevert(abi.encodeWithSelector(IReleaseFees.TaskNotEnded.selector, taskId));
        } else {
            heldFees[taskId] = 0;
        }
        releaseFees.distribute(taskId);
    }

    function expireLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        if (id == 0) return;
        ILeaseRegistry.Lease memory held = leases.lease(id);
        if (block.timestamp <= held.due) vm.warp(uint256(held.due) + 1);
        uint256 stake = vault.stakeOf(held.nodeId);
        // The fee comes first; the penalty takes of what is left.
        if (!releaseFees.isFree(id)) {
            uint256 fee = Math.min(stake, releaseFees.feeFor(held.count));
            heldFees[held.taskId] += fee;
            feesTaken[held.nodeId] += fee;
            stake -= fee;
        }
        vm.prank(keeper);
        leases.expire(id);
        _noteExcess(held, stake);
    }

    /// @param stake Stake of the lease's node before its failure took of it, wei.
    function _noteExcess(ILeaseRegistry.Lease memory held, uint256 stake) internal {
        uint256 taken = stake - vault.stakeOf(held.nodeId);
        uint256 cover = held.count * Math.max(held.priceMicroVer, LOWEST_STAKE) * MICRO;
        if (taken > cover) excess[held.nodeId] += taken - cover;
    }

    function contributor(uint256 pick) public returns (address) {
        return makeAddr(["contributor a", "contributor b", "contributor c"][pick % 3]);
    }

    function _pickNode(uint256 pick) internal view returns (INodeRegistry.NodeView memory n) {
        uint32 count = nodes.nodeCount();
        if (count != 0) n = nodes.node(uint32(1 + (pick % count)));
    }

    /// @dev Whether a result of the lease still counts.
    function _inTime(uint32 leaseId) internal view returns (bool) {
        (, , , uint40 deadline) = tasks.termsOf(leases.lease(leaseId).taskId);
        return block.timestamp <= deadline;
    }

    /// @dev The first lease with this status from a random one on, 0 if there is none.
    function _pickLease(uint256 pick, ILeaseRegistry.LeaseStatus status) internal view returns (uint32) {
        uint32 count = leases.leaseCount();
        for (uint256 i; i < count; ++i) {
            uint32 id = uint32(1 + ((pick + i) % count));
            if (leases.lease(id).status == status) return id;
        }
        return 0;
    }

    function _progressOf(uint32 leaseId) private view returns (uint40) {
        return checkpoints.newestOfMany(ids32(leaseId))[0].progress;
    }
}
