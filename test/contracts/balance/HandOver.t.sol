// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../support/Moves.sol";

/// @title What becomes of a move: hand-over, delivery before it, the deadline
contract HandOverTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        checkpoint(1, 1);
        loads(9_000, 1_000, 5_000);
    }

    function test_Release() public {
        vm.expectEmit(address(balancer));
        emit IBalancer.Moved(1, 1, 2, 4, IBalancer.Cause.Load);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseMoving(1, 2, 4, 12_000, uint40(block.timestamp + param(Param.MoveGrace)));
        move(1, 2, 4);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Moving);
        assertEq(nodes.node(2).leased, 4);
        assertEq(nodes.node(2).listedUnits, 6);
        assertEq(leases.targetOf(1).nodeId, 2);

        // The old node writes a last checkpoint under its fence, and hands over.
        uint40 due = leases.lease(1).due;
        checkpoint(1, 2);
        assertEq(leases.lease(1).due, due, "a grace is not prolonged");
        release(1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Released);
        ILeaseRegistry.Lease memory kept = leases.lease(2);
        ILeaseRegistry.Lease memory moved = leases.lease(3);
        assertEq(abi.encode(kept.nodeId, kept.start, kept.count, kept.price), abi.encode(1, 0, 6, 10_000));
        assertEq(abi.encode(moved.nodeId, moved.start, moved.count, moved.price), abi.encode(2, 6, 4, 12_000));
        assertEq(abi.encode(kept.fence, kept.parent, moved.fence, moved.parent), abi.encode(2, 1, 2, 1));
        assertEq(nodes.node(1).leased, 6);
        assertEq(nodes.node(2).leased, 4);
        assertEq(leases.targetOf(1).nodeId, 0);
        assertUnits(1, 0, 10, 0, 0);

        // Each goes on by itself, and is paid what its node asked.
        deliver(2);
        deliver(3);
        accept(bob, 2);
        accept(bob, 3);
        assertUnits(1, 0, 0, 10, 0);
        assertEq(vault.claimable(alice), (6 * 10_000 + 4 * 12_000) * MICRO);
        assertBooks();
    }

    /// @notice Who does not hand over in time is handed over, by anyone and without penalty.
    function test_HandOver() public {
        uint256 stake = vault.stakeOf(1);
        move(1, 2, 4);
        uint40 due = leases.lease(1).due;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.MoveInGrace.selector, 1, due));
        leases.handOver(1);
        vm.warp(due + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, 1, ILeaseRegistry.LeaseStatus.Moving)
        );
        leases.expire(1);
        vm.prank(bob);
        leases.handOver(1);
        assertEq(leases.lease(3).nodeId, 2);
        assertEq(vault.stakeOf(1), stake);
        // The old node holds nothing of it any more.
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        vm.prank(operatorOf(1));
        leases.release(1, 1);
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        leases.handOver(1);
    }

    /// @notice Who delivers before the hand-over keeps the lease; the target's units are free again.
    function test_DeliveredFirst() public {
        move(1, 2, 4);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.MoveDropped(1, 2, 4);
        deliver(1);
        assertEq(nodes.node(2).leased, 0);
        assertEq(nodes.node(2).listedUnits, 10);
        accept(bob, 1);
        assertUnits(1, 0, 0, 10, 0);
        assertBooks();
    }

    /// @notice Past the deadline nothing moves any more: the units are refunded once the task is closed.
    function test_PastTheDeadline() public {
        move(1, 2, 4);
        vm.warp(tasks.task(1).deadline + 1);
        tasks.close(1);
        leases.handOver(1);
        assertEq(leases.leaseCount(), 1);
        assertEq(nodes.node(1).leased, 0);
        assertEq(nodes.node(2).leased, 0);
        assertUnits(1, 0, 0, 0, 10);
        assertBooks();
    }

    /// @notice Only the balancer moves, and only what is active.
    function test_StartMove() public {
        ILeaseRegistry.Target memory target = ILeaseRegistry.Target(2, 1, 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.NotModule.selector, alice));
        vm.prank(alice);
        leases.startMove(1, target);
        deliver(1);
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        vm.prank(address(balancer));
        leases.startMove(1, target);
    }

    /// @notice A node that falls silent while its lease moves costs nobody anything: its units move on, the rest expires.
    function test_SilentWhileMoving() public {
        move(1, 2, 4);
        vm.warp(leases.lease(1).due + 1);
        leases.handOver(1);
        // The new lease's own time for a sign of life.
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        assertTrue(telemetry.silent(1));
        leases.expire(2);
        assertStatus(2, ILeaseRegistry.LeaseStatus.Expired);
        // Its six units wait as an orphan, which no live lease holds.
        assertUnits(1, 0, 10, 0, 0);
        assertEq(reassignment.orphanCount(), 1);
    }
}
