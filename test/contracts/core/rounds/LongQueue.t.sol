// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Rng} from "../../support/Rng.sol";

/// @title A queue of any length is worked off round by round, first come first served
contract LongQueueTest is Fixture {
    using Rng for Rng.Stream;

    /// @notice Whatever the sizes of tasks and rounds: where there is room for all, each round takes the next ones in the
    /// order of their submission, and no task is leased before one that came earlier.
    function testFuzz_FirstComeFirstServed(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        setParam(Param.RoundMaxTasks, uint64(1 + rng.below(6)));
        setParam(Param.RoundMaxUnits, uint64(4 + rng.below(12)));
        uint32 count = uint32(10 + rng.below(25));
        uint256 units;
        for (uint256 i; i < count; ++i) {
            uint32 size = uint32(1 + rng.below(4));
            units += size;
            submit(bob, size, 20_000, CPU_EU);
        }
        register(alice, CPU_EU, uint32(units), 10);

        uint32 next = 1;
        uint256 taken;
        while (tasks.queueLength() != 0) {
            runRound(rng.below(1 << 128));
            IRoundManager.Demand[] memory demands = rounds.current().demands;
            for (uint256 i; i < demands.length && next <= count; ++i) assertEq(demands[i].taskId, next++, "order");
            assertGt(_leased(), taken, "each round works something off");
            taken = _leased();
        }
        assertEq(taken, units, "all of it");
    }

    /// @notice A task of more units than a round holds gets its share of each round until the others are served.
    function test_HugeTaskSharesRounds() public {
        setParam(Param.RoundMaxUnits, 10);
        register(alice, CPU_EU, 60, 10);
        submit(bob, 35, 20_000, CPU_EU);
        for (uint256 i; i < 3; ++i) submit(bob, 5, 20_000, CPU_EU);
        uint32[5] memory shares = [uint32(3), 3, 9, 10, 10];
        for (uint256 i; i < 5; ++i) {
            runRound(i);
            assertEq(rounds.current().demands[0].taskId, 1);
            assertEq(rounds.current().demands[0].units, shares[i], "share of the round");
        }
        assertEq(tasks.queueLength(), 0);
        assertEq(_leased(), 50);
    }

    /// @notice What a round leaves aborted keeps its place.
    function test_AbortKeepsTheOrder() public {
        setParam(Param.RoundMaxTasks, 3);
        register(alice, CPU_EU, 9, 10);
        for (uint256 i; i < 6; ++i) submit(bob, 1, 20_000, CPU_EU);
        openRound();
        vm.warp(block.timestamp + 1 days);
        rounds.abort();
        uint32[] memory queue = lens.queuePage(0, 9);
        for (uint32 i; i < 6; ++i) assertEq(queue[i], i + 1);
    }

    function _leased() private view returns (uint256 sum) {
        for (uint32 id = 1; id <= tasks.taskCount(); ++id) sum += tasks.task(id).leasedUnits;
    }
}
