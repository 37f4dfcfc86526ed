// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";

/// @title What is just allowed, and sums that few tasks come to
contract TaskBoundsTest is Fixture {
    function test_Submit_highestChance() public {
        ITaskRegistry.Submission memory s = submission(1, 1_000, list(CPU_EU));
        s.auditChance = 5_000;
        assertEq(tasks.auditChanceOf(submit(bob, s)), 5_000);
    }

    function test_Submit_highestPrice() public {
        assertEq(tasks.task(submit(bob, 1, type(uint40).max, CPU_EU)).maxPrice, uint256(type(uint40).max) * MICRO);
    }

    /// @notice A unit may be given no more time than its first checkpoint has.
    function test_Submit_longestInterval() public {
        ITaskRegistry.Submission memory s = submission(1, 1_000, list(CPU_EU));
        (s.checkpointInterval, s.maxUnitTime) = (1 days, 1 days);
        (uint32 interval, uint32 unitTime) = tasks.paceOf(submit(bob, s));
        assertEq(interval, 1 days);
        assertEq(unitTime, 1 days);
    }

    /// @notice The quote for a price that is no whole micro-VER is rounded up, as any fee is.
    function test_DepositFor_roundsUp() public view {
        (uint256 escrow, ) = tasks.depositFor(3, 1, 0);
        assertEq(escrow, 6, "a wei, and a wei for the fee, three times");
    }

    /// @notice A task whose units all run has nothing open, whatever is listed and before its deadline.
    function test_Admission_allLeased() public {
        leaseOf(bob, alice, 2);
        assertAdmission(1, ITaskRegistry.Admission.NothingOpen);
    }

    /// @notice Leases are granted until just the shortest lease's time is left.
    function test_TakesLeases_lastMoment() public {
        submit(bob, 1, 20_000, CPU_EU);
        register(alice, CPU_EU, 1, 10);
        vm.warp(tasks.task(1).deadline - param(Param.MinLeaseTime));
        assertTrue(tasks.takesLeases(1));
        assertAdmission(1, ITaskRegistry.Admission.Admissible);
        vm.warp(block.timestamp + 1);
        assertFalse(tasks.takesLeases(1));
    }

    /// @notice A surcharge may be all that the task pays: then a node that asks for nothing can serve it.
    function test_Admission_surchargeOfAll() public {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.surcharges = new uint256[](1);
        s.surcharges[0] = 20_000 * MICRO;
        submit(bob, s);
        register(alice, CPU_EU, 1, 1);
        assertFalse(servable(1));
        register(alice, CPU_EU, 1, 0);
        assertTrue(servable(1));
    }

    /// @notice The fee of a round's leases counts towards the task's share of the seed; its deposit pays the rest.
    function test_Charge_deposit() public {
        setParam(Param.SeedPrice, 20_000);
        submit(bob, 1, 20_000, CPU_EU);
        register(alice, CPU_EU, 1, 10);
        runRound(1);
        // Of 10,000 micro-VER the first half of the fee is 1 %.
        assertEq(tasks.task(1).roundDeposit, (8 * 20_000 - (20_000 - 100)) * MICRO);
        assertBooks();
    }

    function test_Charge_onlyRounds() public {
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        tasks.charge(ids32(1), new uint256[](1));
    }

    /// @notice What is paid, and what was refunded, needs no deposit at a higher price.
    function test_DepositToRaise_forTheRest() public {
        register(alice, CPU_EU, 1, 10);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        deliver(1);
        accept(bob, 1);
        assertUnits(1, 3, 0, 1, 0);
        assertEq(tasks.depositToRaise(1, 30_000 * MICRO), escrowFor(3, 30_000) - escrowFor(3, 20_000));
        runRound(2);
        vm.prank(bob);
        tasks.cancel(1);
        assertUnits(1, 0, 1, 1, 2);
        assertEq(tasks.depositToRaise(1, 30_000 * MICRO), escrowFor(1, 30_000) - escrowFor(1, 20_000));
    }
}
