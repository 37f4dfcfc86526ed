// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RoundBudget} from "../../../../contracts/core/tasks/RoundBudget.sol";
import {ClassSet} from "../../../../contracts/types/ClassSet.sol";
import {Base} from "../../support/Base.sol";

/// @title What a round's budget is spent on, by rates written once more
contract RoundBudgetTest is Base {
    using RoundBudget for RoundBudget.Budget;

    function test_Whole() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        assertEq(b.looking, 11_000_000);
        assertEq(b.settling, 15_900_000 - 200_000);
        assertEq(b.leasesLeft(), 307, "15,700,000 of 51,000 each");
    }

    /// @notice A class costs more the first time that it is looked at.
    function test_Look() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        assertTrue(b.look(ClassSet.wrap(7)));
        assertEq(b.looking, 11_000_000 - 60_000 - 3 * 3_500 - 3 * 10_000);
        b = RoundBudget.whole();
        b.seen = ClassSet.wrap(3);
        assertTrue(b.look(ClassSet.wrap(7)));
        assertEq(b.looking, 11_000_000 - 60_000 - 3 * 3_500 - 10_000);
        assertEq(ClassSet.unwrap(b.seen), 7);
        assertEq(b.settling, 15_700_000);
    }

    /// @notice The last look is one that the budget covers to the gas; one that it does not changes nothing.
    function test_Look_toTheGas() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        b.looking = 73_500;
        assertTrue(b.look(ClassSet.wrap(1)));
        assertEq(b.looking, 0);
        b.looking = 73_499;
        assertFalse(b.look(ClassSet.wrap(2)));
        assertEq(b.looking, 73_499);
        assertEq(ClassSet.unwrap(b.seen), 1);
    }

    /// @notice A class is paid for by the first task that brings it.
    function test_Take() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        assertTrue(b.take(ClassSet.wrap(3)));
        assertEq(b.settling, 15_700_000 - 87_000 - 2 * 5_000 - 2 * 60_000 - 51_000);
        assertTrue(b.take(ClassSet.wrap(7)));
        assertEq(b.settling, 15_432_000 - 87_000 - 3 * 5_000 - 60_000 - 51_000);
        assertEq(b.classCount, 3);
        assertEq(ClassSet.unwrap(b.classes), 7);
        assertEq(b.looking, 11_000_000);
    }

    function test_Take_toTheGas() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        b.settling = 203_000;
        assertTrue(b.take(ClassSet.wrap(1)));
        assertEq(b.settling, 0);
        b.settling = 202_999;
        assertFalse(b.take(ClassSet.wrap(2)));
        assertEq(b.settling, 202_999);
        assertEq(ClassSet.unwrap(b.classes), 1);
    }

    /// @notice A round has 64 classes at most, however much gas is left.
    function test_Take_toTheLastClass() public pure {
        RoundBudget.Budget memory b = RoundBudget.whole();
        b.classes = ClassSet.wrap((1 << 62) - 1);
        b.classCount = 62;
        assertFalse(b.take(ClassSet.wrap(7 << 62)));
        assertEq(b.classCount, 62);
        assertTrue(b.take(ClassSet.wrap(3 << 62)));
        assertEq(b.classCount, 64);
        assertFalse(b.take(ClassSet.wrap(1 << 64)));
        assertTrue(b.take(ClassSet.wrap(1 << 63)), "one that it has");
    }
}
