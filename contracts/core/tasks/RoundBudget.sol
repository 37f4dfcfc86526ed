// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ClassSet} from "../../types/ClassSet.sol";
import {MAX_ROUND_CLASSES} from "../../types/Units.sol";

/// @title What a round may cost, and how much of it is left
/// @notice A round that cannot be settled in one transaction would come back for ever. So tasks are taken into it while the
/// dearest legal settlement of all of them fits, whatever anybody does after the seed; and they are looked at while the
/// dearest opening fits. Both are reckoned, not measured by the gas that is left: who opens a round must not decide how
/// many tasks are in it. The rates are those of the dearest cases (`test/contracts/attacks/SettleGas.t.sol` searches for
/// dearer ones, `test/contracts/costs/WorstCase.t.sol` has the openings).
library RoundBudget {
    /// @dev What is left for a round, and what it has so far.
    struct Budget {
        /// Gas for looking at tasks, and for settling what was taken.
        uint256 looking;
        uint256 settling;
        /// Classes of the tasks that were looked at, and of those that were taken.
        ClassSet seen;
        ClassSet classes;
        uint256 classCount;
    }

    /// @notice Gas of a settlement with its calldata: 2^24, less 5 % of margin.
    uint256 internal constant SETTLING = 15_900_000;
    /// @notice Gas that is spent whatever the round is made of.
    uint256 internal constant ROUND = 200_000;
    /// @notice Gas of a task: read, charged, and ended where it was cancelled after the seed.
    uint256 internal constant TASK = 87_000;
    /// @notice Gas of a class that a task accepts.
    uint256 internal constant FLOW = 5_000;
    /// @notice Gas of a class of the round, filled from the middle of a tick.
    uint256 internal constant CLASS = 60_000;
    /// @notice Gas of a lease of a range and a node of its own, with the place that the node leaves.
    uint256 internal constant LEASE = 51_000;

    /// @notice Gas of an opening that is for looking at tasks; the rest is for listings that wait, the seed and the events.
    uint256 internal constant LOOKING = 11_000_000;
    /// @notice Gas of a look at a task, taken or parked.
    uint256 internal constant LOOK = 60_000;
    /// @notice Gas of a look at a class of it that was looked at before, and what it takes more if it was not.
    uint256 internal constant LOOK_CLASS = 3_500;
    uint256 internal constant LOOK_NEW_CLASS = 10_000;

    /// @notice The budget of a round that has no task yet.
    function whole() internal pure returns (Budget memory budget) {
        budget.looking = LOOKING;
        budget.settling = SETTLING - ROUND;
    }

    /// @notice Takes a look at a task that accepts these classes out of the budget. O(classes).
    /// @return Whether it was left; if not, nothing has changed.
    function look(Budget memory budget, ClassSet accepted) internal pure returns (bool) {
        uint256 gas_ = LOOK + LOOK_CLASS * accepted.count() + LOOK_NEW_CLASS * accepted.without(budget.seen).count();
        if (gas_ > budget.looking) return false;
        budget.looking -= gas_;
        budget.seen = budget.seen.union(accepted);
        return true;
    }

    /// @notice Takes the settlement of a task that accepts these classes, with a lease of one unit, out of the budget.
    /// O(classes).
    /// @return Whether it was left; if not, nothing has changed.
    function take(Budget memory budget, ClassSet accepted) internal pure returns (bool) {
        uint256 added = accepted.without(budget.classes).count();
        uint256 gas_ = TASK + FLOW * accepted.count() + CLASS * added + LEASE;
        if (gas_ > budget.settling || budget.classCount + added > MAX_ROUND_CLASSES) return false;
        budget.settling -= gas_;
        budget.classes = budget.classes.union(accepted);
        budget.classCount += added;
        return true;
    }

    /// @notice How many leases more fit the round.
    function leasesLeft(Budget memory budget) internal pure returns (uint256) {
        return budget.settling / LEASE;
    }
}
