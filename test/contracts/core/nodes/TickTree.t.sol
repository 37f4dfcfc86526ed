// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "../../support/Base.sol";
import {TickTree} from "../../../../contracts/core/nodes/TickTree.sol";
import {Rng} from "../../support/Rng.sol";

/// @title The tree of ticks against a plain array
contract TickTreeTest is Base {
    using TickTree for TickTree.Tree;
    using Rng for Rng.Stream;

    uint256 private constant TICKS = 4096;

    TickTree.Tree private tree;

    function testFuzz_AgainstArray(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        uint256[] memory model = new uint256[](TICKS);
        // A small pool of ticks makes them collide, empty and fill again; 0, 7, 8 and 4095 sit at the edges of words.
        uint256[] memory pool = new uint256[](12);
        (pool[0], pool[1], pool[2], pool[11]) = (0, 7, 8, 4095);
        // Ascending: one to each of eight stretches.
        for (uint256 i = 3; i < 11; ++i) pool[i] = 16 + (i - 3) * 500 + rng.below(500);

        for (uint256 step; step < 60; ++step) {
            uint256 tick = pool[rng.below(pool.length)];
            uint256 kind = rng.below(6);
            if (kind < 3) {
                uint256 units = 1 + rng.below(rng.oneIn(4) ? 1e7 : 5);
                assertEq(tree.add(tick, units), model[tick] == 0, "was empty");
                model[tick] += units;
            } else if (kind == 3 && model[tick] != 0) {
                uint256 units = 1 + rng.below(model[tick]);
                tree.remove(tick, units);
                model[tick] -= units;
            } else if (kind == 4) {
                if (rng.oneIn(5)) tick = TICKS;
                uint256 units = tick == TICKS ? 0 : rng.below(model[tick] + 1);
                tree.consume(tick, units);
                for (uint256 i; i < pool.length; ++i) if (pool[i] < tick) model[pool[i]] = 0;
                if (tick != TICKS) model[tick] -= units;
            }
            _check(model, pool);
        }
    }

    function _checkLocated(uint256 tick, uint256 unit, uint256 units) private view {
        (uint256 found, uint256 there) = tree.locate(unit);
        assertEq(found, tick, "tick of a unit");
        assertEq(there, units, "units at the tick of a unit");
    }

    function _check(uint256[] memory model, uint256[] memory pool) private view {
        uint256 sum;
        for (uint256 i; i < pool.length; ++i) {
            (uint256 tick, uint256 units) = (pool[i], model[pool[i]]);
            assertEq(tree.at(tick), units, "at");
            assertEq(tree.below(tick), sum, "below");
            assertEq(tree.below(tick + 1), sum + units, "below the next");
            if (units == 0) continue;
            _checkLocated(tick, sum, units);
            sum += units;
            _checkLocated(tick, sum - 1, units);
        }
        assertEq(tree.below(TICKS), sum, "all");
        _checkLocated(TICKS, sum, 0);
    }

    function test_Empty() public view {
        assertEq(tree.below(0), 0);
        assertEq(tree.below(TICKS), 0);
        assertEq(tree.at(4095), 0);
    }

    function test_LaneIsFull() public {
        tree.add(5, type(uint32).max);
        vm.expectRevert(abi.encodeWithSelector(TickTree.ClassFull.selector, uint256(type(uint32).max) + 1));
        this.addOutside(5, 1);
        // Another field of the lowest word, but the same of the root: a class as a whole holds no more than a field.
        vm.expectRevert(abi.encodeWithSelector(TickTree.ClassFull.selector, uint256(type(uint32).max) + 1));
        this.addOutside(6, 1);
    }

    /// @notice Emptying a run of ticks leaves stale words below; they must not count when their field fills again.
    function test_StaleWordsDoNotCount() public {
        tree.add(100, 3);
        tree.add(101, 4);
        tree.consume(TICKS, 0);
        assertTrue(tree.add(101, 2));
        assertEq(tree.at(100), 0);
        assertEq(tree.at(101), 2);
        assertEq(tree.below(101), 0);
    }

    function addOutside(uint256 tick, uint256 units) external {
        tree.add(tick, units);
    }
}
