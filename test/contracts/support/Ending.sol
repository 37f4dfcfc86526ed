// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ForbiddenHandler} from "./ForbiddenHandler.sol";

/// @title The way out of any state, without the oracle, the arbiter, developers and operators
/// @notice All that {endAll} calls anyone may call; only what is then somebody's own has to be fetched by its owner.
abstract contract Ending is ForbiddenHandler {
    /// @dev More than rounds, batches, leases and orphans of a campaign can take.
    uint256 private constant MOST_STEPS = 200;

    /// @notice Ends every round, batch, lease, orphan and task, by anyone.
    function endAll() external {
        uint256 steps;
        while (_step()) require(++steps < MOST_STEPS, "a state that nobody gets out of");
        for (uint32 id = 1; id <= tasks.taskCount(); ++id) {
            require(tasks.task(id).status == ITaskRegistry.TaskStatus.Ended, "a task that does not end");
            if (releaseFees.heldOf(id).owners == 0) continue;
            heldFees[id] = 0;
            releaseFees.distribute(id);
        }
        require(vault.totals().escrow == 0, "escrow that nobody gets");
    }

    /// @notice Every owner leaves, and everybody fetches what is theirs.
    function leaveAll() external {
        supply.syncPending(type(uint256).max);
        for (uint32 id = 1; id <= nodes.nodeCount(); ++id) {
            INodeRegistry.NodeView memory n = nodes.node(id);
            vm.startPrank(n.owner);
            if (n.status == ISupply.NodeStatus.Active) nodes.drain(id);
            n = nodes.node(id);
            if (n.status == ISupply.NodeStatus.Draining) nodes.exit(id);
            n = nodes.node(id);
            if (n.status == ISupply.NodeStatus.Unbonding) {
                if (block.timestamp < n.withdrawableAt) vm.warp(n.withdrawableAt);
                nodes.withdraw(id);
            }
            vm.stopPrank();
        }
        require(vault.totals().stake == 0, "stake that nobody gets");
        address[7] memory all = accounts();
        for (uint256 i; i < all.length; ++i) {
            if (vault.claimable(all[i]) == 0) continue;
            vm.prank(all[i]);
            vault.claim(all[i]);
        }
        uint256 rest = vault.totals().bountyPool + vault.claimable(address(telemetry));
        require(ver.balanceOf(address(vault)) == rest, "money that nobody gets");
    }

    /// @return Whether something was left to do.
    function _step() private returns (bool) {
        return _session() || _leases() || _tasks() || _orphans();
    }

    /// @dev An open round or batch is settled, drawn, or given up where the oracle is silent.
    function _session() private returns (bool) {
        IRoundManager.RoundStatus round = rounds.current().status;
        if (round == IRoundManager.RoundStatus.Seeding) {
            vm.warp(block.timestamp + 1 hours);
            rounds.abort();
            return true;
        }
        if (round == IRoundManager.RoundStatus.Settling) {
            settle(optimalPost());
            return true;
        }
        IReassignment.BatchStatus batch = reassignment.current().status;
        if (batch == IReassignment.BatchStatus.Seeding) {
            vm.warp(block.timestamp + 1 hours);
            reassignment.abort();
            return true;
        }
        if (batch != IReassignment.BatchStatus.Drawing) return false;
        reassignment.draw(type(uint256).max);
        return true;
    }

    /// @dev Leases end by expiry, hand-over, acceptance, or the arbiter's silence.
    function _leases() private returns (bool any) {
        uint32 count = leases.leaseCount();
        for (uint32 id = 1; id <= count; ++id) {
            ILeaseRegistry.Lease memory held = leases.lease(id);
            bool waits =
                held.status == ILeaseRegistry.LeaseStatus.Delivered ||
                    held.status == ILeaseRegistry.LeaseStatus.Disputed;
            bool active = held.status == ILeaseRegistry.LeaseStatus.Active;
            if (!waits && !active && held.status != ILeaseRegistry.LeaseStatus.Moving) continue;
            any = true;
            if (block.timestamp <= held.due) vm.warp(uint256(held.due) + 1);
            if (active) _expireOf(id, held);
            else if (waits) leases.accept(ids32(id));
            else _handOverOf(id, held);
        }
    }

    function _expireOf(uint32 id, ILeaseRegistry.Lease memory held) private {
        uint256 stake = vault.stakeOf(held.nodeId);
        uint256 fees = vault.feesOf(held.taskId);
        leases.expire(id);
        fees = vault.feesOf(held.taskId) - fees;
        heldFees[held.taskId] += fees;
        require(stake - vault.stakeOf(held.nodeId) >= fees, "fees beyond what the node lost");
    }

    function _handOverOf(uint32 id, ILeaseRegistry.Lease memory held) private {
        uint256 fees = vault.feesOf(held.taskId);
        leases.handOver(id);
        heldFees[held.taskId] += vault.feesOf(held.taskId) - fees;
    }

    function _tasks() private returns (bool any) {
        for (uint32 id = 1; id <= tasks.taskCount(); ++id) {
            ITaskRegistry.TaskView memory t = tasks.task(id);
            if (t.status != ITaskRegistry.TaskStatus.Open) continue;
            any = true;
            if (block.timestamp <= t.deadline) vm.warp(uint256(t.deadline) + 1);
            tasks.close(id);
        }
    }

    function _orphans() private returns (bool) {
        if (orphanCount() == 0) return false;
        openBatch();
        return true;
    }
}
