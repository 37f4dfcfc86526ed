// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title What no round can serve leaves the queue when it is met at its front, and comes back when it can be served
contract ParkingTest is Fixture {
    function test_Park() public {
        submit(bob, 1, 1_000, CPU_EU);
        submit(bob, 1, 1_000, CPU_EU);
        submit(bob, 1, 20_000, CPU_EU);
        vm.prank(bob);
        tasks.cancel(2);
        register(alice, CPU_EU, 1, 10);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskParked(1, ITaskRegistry.Admission.NoSupply);
        assertEq(tasks.park(1), 1);
        assertEq(tasks.park(9), 1, "the cancelled one leaves, the third can be served");
        assertQueue(3);
        assertParked(1);
        assertFalse(tasks.task(2).queued);
        assertFalse(tasks.task(2).parked);
        assertEq(tasks.park(0), 0);
        assertEq(tasks.park(9), 0);
    }

    /// @notice Opening a round also parks: what it met, and nothing behind what it took.
    function test_Park_byOpening() public {
        submit(bob, 1, 1_000, CPU_EU);
        submit(bob, 1, 20_000, CPU_EU);
        register(alice, CPU_EU, 1, 10);
        runRound(1);
        assertParked(1);
        assertUnits(2, 0, 1, 0, 0);
    }

    /// @notice Each reason, in the order in which they are looked for.
    function test_Admission() public {
        assertAdmission(9, ITaskRegistry.Admission.NothingOpen);
        setParam(Param.SeedPrice, 20_000);
        submit(bob, 1, 20_000, CPU_EU);
        assertAdmission(1, ITaskRegistry.Admission.NoSupply);
        register(alice, CPU_EU, 1, 20);
        assertAdmission(1, ITaskRegistry.Admission.Admissible);
        setParam(Param.SeedPrice, 160_001);
        assertAdmission(1, ITaskRegistry.Admission.DepositTooLow);
        vm.warp(tasks.task(1).deadline - param(Param.MinLeaseTime) + 1);
        assertAdmission(1, ITaskRegistry.Admission.DeadlineNear);
        vm.prank(bob);
        tasks.cancel(1);
        assertAdmission(1, ITaskRegistry.Admission.NothingOpen);
    }

    /// @notice Where others see to it, the stay costs the task a submission fee, but never what its next round needs; its
    /// owner calls for nothing.
    function test_Enqueue() public {
        setParam(Param.SeedPrice, 20_000);
        submit(bob, 1, 20_000, CPU_EU);
        tasks.park(1);
        vm.expectRevert(ITaskRegistry.NothingToEnqueue.selector);
        tasks.enqueue(ids32(1));
        register(alice, CPU_EU, 1, 10);
        uint256 fee = param(Param.SubmissionFee) * MICRO;
        uint256 pool = vault.totals().bountyPool;
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.RoundDepositUsed(1, fee, 8 * 20_000 * MICRO - fee);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskQueued(1, 1);
        vm.prank(keeper);
        assertEq(tasks.enqueue(ids32(1)), 1);
        assertEq(vault.totals().bountyPool, pool + fee);
        assertQueue(1);
        vm.expectRevert(ITaskRegistry.NothingToEnqueue.selector);
        tasks.enqueue(ids32(1));

        // Its node drains and comes back until nothing is left but one round.
        uint256 stays;
        for (bool paid = true; paid; ++stays) {
            vm.prank(alice);
            nodes.drain(1);
            tasks.park(1);
            vm.prank(alice);
            nodes.resume(1);
            vm.prank(keeper);
            try tasks.enqueue(ids32(1)) {} catch {
                paid = false;
            }
        }
        assertEq(stays, 14, "stays for the rest of the deposit, and one that was refused");
        assertEq(tasks.task(1).roundDeposit, 20_000 * MICRO, "what a round needs");
        vm.prank(bob);
        assertEq(tasks.enqueue(ids32(1)), 1);
        runRound(1);
        assertUnits(1, 0, 1, 0, 0);
        assertBooks();
    }

    /// @notice What cannot be enqueued does not sink what can; an id twice counts once.
    function test_Enqueue_some() public {
        setParam(Param.SeedPrice, 20_000);
        for (uint256 i; i < 4; ++i) submit(bob, 1, i % 2 == 0 ? 20_000 : 1, CPU_EU);
        assertEq(tasks.park(9), 4);
        register(alice, CPU_EU, 4, 10);
        uint32[] memory ids = new uint32[](6);
        for (uint32 i; i < 6; ++i) ids[i] = 1 + (i % 5);
        assertEq(tasks.enqueue(ids), 2);
        uint32[] memory queue = lens.queuePage(0, 9);
        assertEq(queue.length, 2);
        assertEq(queue[0], 1);
        assertEq(queue[1], 3);
        assertEq(tasks.parkedCount(), 2);
    }

    /// @notice A raised price brings the task back at once if it can be served then.
    function test_RaisePrice() public {
        submit(bob, 2, 1_000, CPU_EU);
        register(alice, CPU_EU, 2, 10);
        tasks.park(1);
        fund(bob, 1e6 ether);
        vm.prank(bob);
        tasks.raisePrice(1, 2_000 * MICRO);
        assertParked(1);
        vm.prank(bob);
        tasks.raisePrice(1, 20_000 * MICRO);
        assertQueue(1);
        runRound(1);
        assertUnits(1, 0, 2, 0, 0);
    }

    /// @notice Cancelling, deadline and end work while a task is parked, and give everything back.
    function test_Parked_cancelled() public {
        setParam(Param.SeedPrice, 20_000);
        for (uint256 i; i < 3; ++i) submit(bob, 2, 20_000, CPU_EU);
        tasks.park(9);
        uint256 escrow = vault.escrowOf(2);
        vm.prank(bob);
        tasks.cancel(2);
        assertEq(vault.claimable(bob), escrow);
        assertEq(uint8(tasks.task(2).status), uint8(ITaskRegistry.TaskStatus.Ended));
        vm.warp(tasks.task(1).deadline + 1);
        tasks.close(1);
        tasks.close(3);
        assertEq(vault.claimable(bob), 3 * escrow);
        assertEq(tasks.parkedCount(), 0);
        assertEq(tasks.queueLength(), 0);
        assertBooks();
    }

    /// @notice A range that comes back brings the task back with it; leases of a parked task are paid as ever.
    function test_Parked_leases() public {
        register(alice, CPU_EU, 2, 10);
        submit(bob, 3, 20_000, CPU_EU);
        runRound(1);
        tasks.park(1);
        assertParked(1);
        assertUnits(1, 1, 2, 0, 0);
        release(1);
        assertQueue(1);
        runRound(2);
        tasks.park(1);
        deliver(2);
        accept(bob, 2);
        assertUnits(1, 1, 0, 2, 0);
        assertParked(1);
        vm.prank(bob);
        tasks.cancel(1);
        assertUnits(1, 0, 0, 2, 1);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice In any order of parking, every task stands in one place, and the list has each parked one once.
    function testFuzz_List(uint256 seed) public {
        for (uint256 i; i < 8; ++i) submit(bob, 1, 20_000, CPU_EU);
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed % 3 == 0) tasks.park(1);
            if (seed % 3 == 1) {
                vm.prank(bob);
                try tasks.cancel(uint32(1 + ((seed >> 8) % 8))) {} catch {}
            }
            if (seed % 3 == 2 && tasks.parkedCount() != 0) {
                register(alice, CPU_EU, 1, 10);
                uint32[] memory ids = lens.parkedPage((seed >> 8) % tasks.parkedCount(), 1);
                vm.prank(bob);
                tasks.enqueue(ids);
                uint32 node = nodes.nodeCount();
                vm.prank(alice);
                nodes.drain(node);
            }
            uint256 parked;
            for (uint32 id = 1; id <= 8; ++id) {
                ITaskRegistry.TaskView memory t = tasks.task(id);
                assertFalse(t.parked && t.queued);
                assertTrue(t.status == ITaskRegistry.TaskStatus.Ended ? !t.parked : t.parked || t.queued);
                if (t.parked) ++parked;
            }
            uint32[] memory list = lens.parkedPage(0, 99);
            assertEq(list.length, parked);
            for (uint256 a; a < list.length; ++a) {
                assertTrue(tasks.task(list[a]).parked);
                for (uint256 b; b < a; ++b) assertNotEq(list[a], list[b]);
            }
        }
    }

    function test_FundRounds() public {
        setParam(Param.SeedPrice, 20_000);
        submit(bob, 1, 20_000, CPU_EU);
        register(alice, CPU_EU, 1, 10);
        setParam(Param.SeedPrice, 200_000);
        tasks.park(1);
        assertParked(1);
        fund(keeper, 40_000 * MICRO);
        vm.prank(keeper);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.RoundDepositAdded(1, keeper, 40_000 * MICRO);
        tasks.fundRounds(1, 40_000 * MICRO);
        assertAdmission(1, ITaskRegistry.Admission.Admissible);
        vm.prank(bob);
        tasks.enqueue(ids32(1));
        runRound(1);
        deliver(1);
        accept(bob, 1);
        assertEq(vault.escrowOf(1), 0, "what is left goes to its owner");
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TaskNotOpen.selector, 1, ITaskRegistry.TaskStatus.Ended));
        tasks.fundRounds(1, 1);
        vm.expectRevert();
        vm.prank(keeper);
        tasks.fundRounds(2, 1);
        assertBooks();
    }

    function test_FundRounds_moreThanThereIs() public {
        submit(bob, 1, 20_000, CPU_EU);
        fund(keeper, 1);
        vm.prank(keeper);
        vm.expectRevert();
        tasks.fundRounds(1, (1 << 96) + 1);
    }

    function assertQueue(uint32 taskId) private view {
        assertEq(tasks.queueLength(), 1);
        assertEq(lens.queuePage(0, 2)[0], taskId);
        assertTrue(tasks.task(taskId).queued);
        assertFalse(tasks.task(taskId).parked);
    }

    function assertParked(uint32 taskId) private view {
        assertEq(tasks.parkedCount(), 1);
        assertEq(lens.parkedPage(0, 2)[0], taskId);
        assertEq(lens.parkedPage(1, 2).length, 0);
        assertTrue(tasks.task(taskId).parked);
        assertFalse(tasks.task(taskId).queued);
    }
}
