// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer lets huge tasks without supply stand in front of everybody else's
contract StarvationTest is Fixture {
    address private griefer = makeAddr("griefer");
    address private developer = makeAddr("developer");

    /// @notice Thousands of units at a micro-VER each, and a single node that asks nothing: before, such a task filled each
    /// round that it came up in. Now it brings in the one unit that can be served, and the others their own.
    function test_HugeTasksWithHardlyAnySupply() public {
        register(griefer, CPU_US, 1, 0);
        register(alice, CPU_EU, 8, 10);
        for (uint256 i; i < 3; ++i) submit(griefer, 1 << 12, 1, CPU_US);
        submit(developer, 8, 20_000, CPU_EU);

        openRound();
        IRoundManager.RoundView memory r = rounds.current();
        assertEq(r.demands.length, 4);
        for (uint256 i; i < 3; ++i) assertEq(r.demands[i].units, 1);
        fulfil(1);
        settle(optimalPost());
        assertUnits(4, 0, 8, 0, 0);
        assertEq(tasks.task(1).leasedUnits + tasks.task(2).leasedUnits + tasks.task(3).leasedUnits, 1);
        emit log_named_decimal_uint(
            "VER that three tasks of 4,096 units cost for good, whatever becomes of them",
            3 * param(Param.SubmissionFee) * MICRO,
            18
        );
        emit log_named_uint("units that they keep from others", 0);
    }

    /// @notice Supply is counted over all of a task's classes, at its price less their surcharges, and never cuts off
    /// what could be leased.
    function test_DemandIsWhatIsListed() public {
        register(alice, CPU_EU, 5, 10);
        register(alice, CPU_EU, 7, 21);
        register(bob, CPU_US, 4, 20);
        submit(developer, submission(100, 20_000, list(CPU_EU, CPU_US)));
        openRound();
        assertEq(rounds.current().demands[0].units, 9);
        fulfil(1);
        settle(optimalPost());
        assertUnits(1, 91, 9, 0, 0);
        assertTrue(tasks.task(1).queued);
    }

    /// @notice A griefer lets its own node serve heaps of tasks of one cheap unit each, which fill the places of rounds.
    /// They are served in turn and let the others through after them, and each place has cost the fee for good.
    function test_DustTasksFillThePlaces() public {
        uint256 places = param(Param.RoundMaxTasks);
        uint256 count = 3 * places;
        register(griefer, CPU_US, uint32(count), 0);
        register(alice, CPU_EU, 8, 10);
        uint256 pool = vault.totals().bountyPool;
        for (uint256 i; i < count; ++i) submit(griefer, 1, 1, CPU_US);
        uint256 price = count * param(Param.SubmissionFee) * MICRO;
        assertEq(vault.totals().bountyPool, pool + price);
        uint32 honest = submit(developer, 8, 20_000, CPU_EU);

        for (uint256 i; i < 3; ++i) {
            runRound(i);
            assertEq(rounds.current().demands.length, places);
            assertEq(tasks.task(honest).leasedUnits, 0);
        }
        runRound(3);
        assertEq(tasks.task(honest).leasedUnits, 8, "fourth round");

        for (uint32 id = 1; id <= count; ++id) {
            release(id);
            vm.prank(griefer);
            tasks.cancel(id);
        }
        assertEq(vault.claimable(griefer), count * escrowFor(1, 1), "the escrow comes back, the fee does not");
        emit log_named_uint("rounds that dust fills, each until the next", 3);
        emit log_named_decimal_uint("VER that one of them costs for good", price / 3, 18);
    }
}
