// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "./Fixture.sol";
import {Rng} from "./Rng.sol";

/// @title Random rounds, half of them degenerate
abstract contract RandomRounds is Fixture {
    using Rng for Rng.Stream;

    /// @dev Bounds of what is built: tasks, classes, nodes, and units of each task and node.
    struct Size {
        uint256 tasks;
        uint256 classes;
        uint256 nodes;
        uint256 units;
    }

    enum Shape {
        Any,
        /// Asks, maximum prices and surcharges all equal: only the seed decides.
        EqualPrices,
        OneNode,
        /// Tasks that want more than all nodes have.
        Scarce,
        /// Each task accepts a class that no other one does, as far as there are classes.
        Exclusive,
        /// Nodes that have no capacity left, and classes without a node.
        NoCapacity
    }

    address internal developer = makeAddr("developer");
    address internal contributor = makeAddr("contributor");

    /// @dev Registers nodes and submits tasks.
    function build(Rng.Stream memory rng, Size memory size) internal {
        Shape shape = rng.oneIn(2) ? Shape.Any : Shape(1 + rng.below(5));
        uint256 ticks = shape == Shape.EqualPrices ? 1 : 1 + rng.below(6);
        uint256 nodeCount = shape == Shape.OneNode ? 1 : 1 + rng.below(size.nodes);
        for (uint256 i; i < nodeCount; ++i) {
            uint8 classId = uint8(rng.below(size.classes));
            uint256 most = shape == Shape.Scarce ? 1 : size.units;
            uint32 id = register(contributor, classId, uint32(1 + rng.below(most)), rng.below(ticks) + 1);
            if (shape != Shape.NoCapacity || rng.oneIn(2)) continue;
            vm.prank(contributor);
            nodes.drain(id);
        }
        uint256 taskCount = 1 + rng.below(size.tasks);
        for (uint256 i; i < taskCount; ++i) _submitRandom(rng, size, shape, i);
    }

    /// @dev Opens a round and lets the oracle answer. False if there is nothing to allocate.
    function openRandom(Rng.Stream memory rng) internal returns (bool) {
        vm.warp(block.timestamp + 10);
        try rounds.open() {
            fulfil(rng.below(type(uint256).max));
            return true;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), ITaskRegistry.NothingToAllocate.selector);
            return false;
        }
    }

    function _submitRandom(Rng.Stream memory rng, Size memory size, Shape shape, uint256 i) private {
        uint256 set = 1 + rng.below((1 << size.classes) - 1);
        if (shape == Shape.Exclusive && i < size.classes) set = 1 << i;
        uint32 units = uint32(shape == Shape.Scarce ? size.units : 1 + rng.below(size.units));
        // Often just what some node asks, so that leasing costs as much as staying open.
        uint256 maxPrice = rng.oneIn(3) ? 1_000 * (2 + rng.below(6)) : 1_500 + rng.below(7_000);
        if (shape == Shape.EqualPrices) maxPrice = 3_000;
        ITaskRegistry.Submission memory s = submission(units, maxPrice, _classesIn(set));
        if (shape != Shape.EqualPrices && rng.oneIn(2)) {
            s.surcharges = new uint256[](s.classIds.length);
            for (uint256 f; f < s.surcharges.length; ++f) s.surcharges[f] = rng.below(3) * 1_000 * MICRO;
        }
        submit(developer, s);
    }

    function _classesIn(uint256 set) private pure returns (uint8[] memory ids) {
        ids = new uint8[](8);
        uint256 count;
        for (uint8 k; k < 8; ++k) if ((set >> k) & 1 == 1) ids[count++] = k;
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }
}
