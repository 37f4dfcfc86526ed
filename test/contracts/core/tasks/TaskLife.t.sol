// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotTaskOwner} from "../../../../contracts/types/Errors.sol";

/// @title Cancelling, closing, the queue, and ranges that come back
contract TaskLifeTest is Fixture {
    function test_Cancel_whileQueued() public {
        uint256 escrow = escrowFor(4, 1_001);
        submit(bob, 4, 1_001, CPU_EU);
        vm.expectRevert(abi.encodeWithSelector(NotTaskOwner.selector, 1, alice));
        vm.prank(alice);
        tasks.cancel(1);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.UnitsRefunded(1, 4, escrow);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskEnded(1, 0);
        vm.prank(bob);
        tasks.cancel(1);
        assertEq(vault.claimable(bob), escrow);
        assertEq(vault.escrowOf(1), 0);
        assertUnits(1, 0, 0, 0, 4);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TaskNotOpen.selector, 1, ITaskRegistry.TaskStatus.Ended));
        vm.prank(bob);
        tasks.cancel(1);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, 2));
        tasks.cancel(2);
        assertBooks();
    }

    /// @notice What is leased runs on; what its node gives back is refunded at once.
    function test_Cancel_whileLeased() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 5, 20_000, CPU_EU);
        runRound(1);
        vm.prank(bob);
        tasks.cancel(1);
        assertUnits(1, 0, 3, 0, 2);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Closing));
        release(1);
        assertUnits(1, 0, 0, 0, 5);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.claimable(bob), escrowFor(5, 20_000) - firstHalfOfFee(3, 10_000));
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice In an open round the task takes part to its end; what the round leaves open is refunded then.
    function test_Cancel_inOpenRound() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 5, 20_000, CPU_EU);
        openRound();
        vm.prank(bob);
        tasks.cancel(1);
        assertUnits(1, 5, 0, 0, 0);
        fulfil(1);
        settle(optimalPost());
        assertUnits(1, 0, 3, 0, 2);
        assertFalse(tasks.task(1).queued);
        deliver(1);
        accept(bob, 1);
        assertUnits(1, 0, 0, 3, 2);
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice What comes back to a cancelled task during a round is refunded at the round's end, not under its feet.
    function test_Cancel_inOpenRound_whileRangesComeBack() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 5, 20_000, CPU_EU);
        runRound(1);
        register(alice, CPU_EU, 2, 10);
        openRound();
        fulfil(1);
        vm.prank(bob);
        tasks.cancel(1);
        release(1);
        assertUnits(1, 5, 0, 0, 0);
        settle(optimalPost());
        assertUnits(1, 0, 2, 0, 3);
        assertBooks();
    }

    function test_Cancel_inAbortedRound() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 5, 20_000, CPU_EU);
        openRound();
        vm.prank(bob);
        tasks.cancel(1);
        vm.warp(block.timestamp + 61);
        rounds.abort();
        assertUnits(1, 0, 0, 0, 5);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(tasks.queueLength(), 0);
        assertBooks();
    }

    function test_Close() public {
        register(alice, CPU_EU, 3, 10);
        ITaskRegistry.Submission memory s = submission(5, 20_000, list(CPU_EU));
        s.deadline = uint40(block.timestamp + 100);
        submit(bob, s);
        runRound(1);
        vm.warp(s.deadline);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.DeadlineNotOver.selector, 1, s.deadline));
        tasks.close(1);
        vm.warp(s.deadline + 1);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskClosing(1);
        vm.prank(keeper);
        tasks.close(1);
        assertUnits(1, 0, 3, 0, 2);

        // The lease is overdue by now.
        vm.prank(keeper);
        leases.expire(1);
        assertUnits(1, 0, 0, 0, 5);
        assertBooks();
    }

    function test_Expire_pastDeadlineWithoutFault() public {
        register(alice, CPU_EU, 3, 10);
        ITaskRegistry.Submission memory s = submission(3, 20_000, list(CPU_EU));
        s.deadline = uint40(block.timestamp + 100);
        submit(bob, s);
        runRound(1);
        vm.warp(s.deadline);
        checkpoint(1, 5);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, 1, uint40(block.timestamp + 90))
        );
        leases.expire(1);
        vm.warp(s.deadline + 1);
        uint256 claimable = vault.claimable(keeper);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseExpired(1, 1, 1, keeper, ILeaseRegistry.EndReason.DeadlinePassed);
        vm.prank(keeper);
        leases.expire(1);
        assertEq(vault.claimable(keeper), claimable, "no bounty");
        assertEq(nodes.node(1).stake, stakeFor(3), "no penalty");
        assertEq(nodes.node(1).cooldownUntil, 0);
        // Too close to its deadline for a new lease: it waits to be closed.
        tasks.close(1);
        assertUnits(1, 0, 0, 0, 3);
    }

    /// @notice Reopened ranges keep their parent and a higher fence, and are split across nodes as capacity has it.
    function test_ReopenedRangesAreSplit() public {
        register(alice, CPU_EU, 6, 10);
        submit(bob, 8, 20_000, CPU_EU);
        runRound(1);
        vm.prank(alice);
        nodes.drain(1);
        release(1);
        ITaskRegistry.OpenRange[] memory ranges = lens.reopenedRanges(1);
        assertEq(ranges.length, 1);
        assertEq(keccak256(abi.encode(ranges[0])), keccak256(abi.encode(ITaskRegistry.OpenRange(0, 6, 1, 2, 1))));

        register(alice, CPU_EU, 4, 10);
        runRound(1);
        _assertLease(2, 0, 4, 2, 1);
        ranges = lens.reopenedRanges(1);
        assertEq(keccak256(abi.encode(ranges[0])), keccak256(abi.encode(ITaskRegistry.OpenRange(4, 2, 1, 2, 1))));
        register(alice, CPU_EU, 4, 11);
        runRound(1);
        _assertLease(3, 4, 2, 2, 1);
        _assertLease(4, 6, 2, 1, 0);
        assertEq(lens.reopenedRanges(1).length, 0);

        // Handed back once more: the chain of parents goes on, and so does the fence.
        release(3);
        runRound(2);
        _assertLease(5, 4, 2, 3, 3);
    }

    /// @notice A range that comes back while a round is open waits for the next: it cannot push itself into this one.
    function test_ReopenedInOpenRoundWaits() public {
        register(alice, CPU_EU, 2, 10);
        submit(bob, 6, 20_000, CPU_EU);
        runRound(1);
        register(alice, CPU_EU, 2, 11);
        openRound();
        fulfil(5);
        release(1);
        settle(optimalPost());
        // Fresh units, as it stood when the round was opened.
        _assertLease(2, 2, 2, 1, 0);
        assertUnits(1, 4, 2, 0, 0);
        supply.syncPending(10);
        runRound(2);
        _assertLease(3, 0, 2, 2, 1);
    }

    /// @notice However many ranges have come back, taking a few of them costs the same.
    function test_ManyReopenedRangesAreCheapToTake() public {
        submit(bob, 1 << 20, 20_000, CPU_EU);
        vm.startPrank(address(rounds));
        tasks.take(1, 20_000);
        vm.stopPrank();
        vm.startPrank(address(leases));
        for (uint24 i; i < 10_000; ++i) tasks.reopen(1, ITaskRegistry.OpenRange(i, 1, i, 2, 1));
        vm.stopPrank();
        register(alice, CPU_EU, 2, 10);
        openRound();
        fulfil(1);
        Reopened memory before = Reopened(lens.reopenedRanges(1).length, gasleft());
        vm.prank(address(rounds));
        tasks.take(1, 2);
        assertLt(before.gas_ - gasleft(), 200_000);
        assertEq(lens.reopenedRanges(1).length, before.count - 2);
    }

    /// @notice Bounded by tasks and by units, which are shared fairly.
    function test_Freeze_bounds() public {
        register(alice, CPU_EU, 100, 10);
        setParam(Param.RoundMaxUnits, 10);
        submit(bob, 7, 20_000, CPU_EU);
        submit(bob, 7, 20_000, CPU_EU);
        submit(bob, 7, 20_000, CPU_EU);
        openRound();
        IRoundManager.Demand[] memory d = rounds.current().demands;
        assertEq(d.length, 3);
        assertEq(d[0].units, 4);
        assertEq(d[1].units, 3);
        assertEq(d[2].units, 3);
        submit(bob, 7, 20_000, CPU_EU);
        fulfil(1);
        settle(optimalPost());
        uint32[] memory queue = lens.queuePage(0, 9);
        assertEq(queue[0], 4);
        assertEq(queue[1], 1, "what stays open goes to the end");
        setParam(Param.RoundMaxTasks, 1);
        openRound();
        assertEq(rounds.current().demands.length, 1);
    }

    struct Reopened {
        uint256 count;
        uint256 gas_;
    }

    function _assertLease(uint32 id, uint24 start, uint24 count, uint24 fence, uint32 parent) private view {
        ILeaseRegistry.Lease memory held = leases.lease(id);
        assertEq(held.start, start, "start");
        assertEq(held.count, count, "count");
        assertEq(held.fence, fence, "fence");
        assertEq(held.parent, parent, "parent");
    }
}
