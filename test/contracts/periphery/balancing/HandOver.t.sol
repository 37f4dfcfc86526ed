// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../../contracts/interfaces/IBalancer.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../../contracts/interfaces/IReassignment.sol";
import {Moves} from "../../support/Moves.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";
import {ClassSet} from "../../../../contracts/types/ClassSet.sol";

/// @title What becomes of a move: hand-over, draw, delivery before it, the deadline
contract HandOverTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        checkpoint(1, 1);
        loads(9_000, 1_000, 5_000);
    }

    function test_Release() public {
        vm.expectEmit(address(balancer));
        emit IBalancer.Moved(1, 1, 4, IBalancer.Cause.Load);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseMoving(1, 4, uint40(block.timestamp + param(Param.MoveGrace)));
        move(1, 4);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Moving);
        assertEq(nodes.node(2).leased, 0, "nobody is named");
        assertEq(leases.departureOf(1).units, 4);

        // The old node writes a last checkpoint under its fence, and hands over.
        uint40 due = leases.lease(1).due;
        checkpoint(1, 2);
        assertEq(leases.lease(1).due, due, "a grace is not prolonged");
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.RangeOrphaned(1, true);
        release(1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Released);
        ILeaseRegistry.Lease memory kept = leases.lease(2);
        assertEq(abi.encode(kept.nodeId, kept.start, kept.count, kept.priceMicroVer), abi.encode(1, 0, 6, 10_000));
        assertEq(kept.due, block.timestamp + 12 hours + param(Param.LeaseGrace), "as if it began now");
        assertEq(nodes.node(1).leased, 6);
        assertUnits(1, 0, 10, 0, 0);

        runBatch(11);
        ILeaseRegistry.Lease memory moved = leases.lease(3);
        assertEq(abi.encode(moved.nodeId, moved.start, moved.count, moved.priceMicroVer), abi.encode(2, 6, 4, 12_000));
        assertEq(abi.encode(kept.fence, kept.parent, moved.fence, moved.parent), abi.encode(2, 1, 2, 1));
        assertEq(nodes.node(2).leased, 4);

        // Each goes on by itself, and is paid what its node asked.
        deliver(2);
        deliver(3);
        accept(bob, 2);
        accept(bob, 3);
        assertUnits(1, 0, 0, 10, 0);
        assertEq(vault.claimable(alice), 6 * 10_000 * MICRO);
        assertEq(vault.claimable(carol), 4 * 12_000 * MICRO);
        assertBooks();
    }

    /// @notice A lease may move as a whole; then nothing is left of it with its node.
    function test_Whole() public {
        register(alice, CPU_EU, 2, 1);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        assertEq(leases.lease(2).nodeId, 4);
        loads(5_000, 1_000, 5_000);
        report(4, 10_000);
        moveAndDraw(2, 2, 3);
        assertEq(leases.leaseCount(), 3);
        assertEq(nodes.node(4).leased, 0);
        assertEq(abi.encode(leases.lease(3).nodeId, leases.lease(3).count), abi.encode(2, 2));
        assertUnits(2, 0, 2, 0, 0);
    }

    /// @notice Who does not hand over in time is handed over, by anyone and without penalty.
    function test_HandOver() public {
        uint256 stake = vault.stakeOf(1);
        move(1, 4);
        uint40 due = leases.lease(1).due;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.MoveGraceNotOver.selector, 1, due));
        leases.handOver(1);
        vm.warp(due + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, 1, ILeaseRegistry.LeaseStatus.Moving)
        );
        leases.expire(1);
        vm.prank(bob);
        leases.handOver(1);
        runBatch(1);
        assertEq(leases.lease(3).nodeId, 2);
        assertEq(vault.stakeOf(1), stake);
        // The old node no longer holds any of it.
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        vm.prank(operatorOf(1));
        leases.release(1, 1, ILeaseRegistry.EndReason.GivenBack);
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        leases.handOver(1);
    }

    /// @notice Who delivers before the hand-over keeps the lease; nothing is drawn for.
    function test_DeliveredFirst() public {
        move(1, 4);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.MoveDropped(1, 4);
        deliver(1);
        assertEq(leases.departureOf(1).units, 0);
        assertEq(orphanCount(), 0);
        accept(bob, 1);
        assertUnits(1, 0, 0, 10, 0);
        assertBooks();
    }

    /// @notice In the deadline's last second what moves is still drawn for.
    function test_AtTheDeadline() public {
        move(1, 4);
        vm.warp(tasks.task(1).deadline);
        leases.handOver(1);
        assertEq(leases.leaseCount(), 2);
        assertEq(orphanCount(), 1);
        assertUnits(1, 0, 10, 0, 0);
    }

    /// @notice Past the deadline nothing moves: the units are refunded once the task is closed.
    function test_PastTheDeadline() public {
        move(1, 4);
        vm.warp(tasks.task(1).deadline + 1);
        tasks.close(1);
        leases.handOver(1);
        assertEq(leases.leaseCount(), 1);
        assertEq(nodes.node(1).leased, 0);
        assertUnits(1, 0, 0, 0, 10);
        assertBooks();
    }

    /// @notice Where the task was cancelled meanwhile, what moves is refunded, and no more than that.
    function test_Cancelled() public {
        move(1, 4);
        release(1);
        vm.prank(bob);
        tasks.cancel(1);
        assertEq(reassignment.open(), 0);
        assertUnits(1, 0, 6, 0, 4);
        assertBooks();
    }

    /// @notice A silent oracle leads to the queue, with the lineage of what moved.
    function test_Aborted() public {
        move(1, 4);
        release(1);
        openBatch();
        vm.warp(block.timestamp + param(Param.SeedTimeout) + 1);
        reassignment.abort();
        assertUnits(1, 4, 6, 0, 0);
        assertEq(abi.encode(lens.reopenedRanges(1)[0].start, lens.reopenedRanges(1)[0].parent), abi.encode(6, 1));
    }

    /// @notice Only the balancer moves, and only what is active.
    function test_StartMove() public {
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, alice));
        vm.prank(alice);
        leases.startMove(1, 1, ClassSet.wrap(0));
        deliver(1);
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        vm.prank(address(balancer));
        leases.startMove(1, 1, ClassSet.wrap(0));
    }

    /// @notice A node that falls silent while its lease moves costs nobody anything: its units move on, the rest expires.
    function test_SilentWhileMoving() public {
        move(1, 4);
        vm.warp(leases.lease(1).due + 1);
        leases.handOver(1);
        // The new lease's own time for a sign of life.
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        assertTrue(telemetry.silent(1));
        leases.expire(2);
        assertStatus(2, ILeaseRegistry.LeaseStatus.Expired);
        // Ten units wait as two orphans, which no live lease holds.
        assertUnits(1, 0, 10, 0, 0);
        assertEq(orphanCount(), 2);
    }

    /// @notice Ranges that only move share a seed as rounds do; what failed does not wait, and takes them along.
    function test_MovesShareASeed() public {
        moveAndDraw(1, 1, 1);
        uint256 openedAt = reassignment.current().openedAt;
        setParam(Param.RoundInterval, 600);
        vm.warp(block.timestamp + param(Param.MoveCooldown));
        uint256 from = block.timestamp - 10;
        // Another batch, so that the interval runs.
        loads(10_000, 0, 0);
        move(2, 1);
        release(2);
        runBatch(1);
        openedAt = reassignment.current().openedAt;
        assertGt(openedAt, from);
        register(alice, CPU_EU, 2, 5);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        uint32 second = leases.leaseCount();
        vm.warp(block.timestamp + 60);
        report(4, 10_000);
        move(second, 1);
        release(second);
        assertFalse(reassignment.hasTurn());
        vm.expectRevert(abi.encodeWithSelector(IReassignment.BatchTooSoon.selector, openedAt + 600));
        reassignment.open();
        assertEq(reassignment.nextOpening(), openedAt + 600);
        uint256 before = vm.snapshotState();
        vm.warp(openedAt + 600);
        assertTrue(reassignment.hasTurn());
        reassignment.open();
        vm.revertToState(before);
        expire(second + 1);
        assertTrue(reassignment.hasTurn());
        reassignment.open();
        assertEq(reassignment.current().leaseIds.length, 2);
    }
}
