// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {OrphanQueue} from "../../../../contracts/core/reassignment/OrphanQueue.sol";
import {Base} from "../../support/Base.sol";

/// @title The queue of orphans, eight ids to a word
contract OrphanQueueTest is Base {
    using OrphanQueue for OrphanQueue.Queue;

    OrphanQueue.Queue private queue;

    /// @notice Pages begin and end anywhere in a word, and count from the oldest that waits.
    function test_Pages() public {
        for (uint32 id = 100; id < 130; ++id) queue.add(id, false);
        _assertPage(0, 30, 100);
        _assertPage(3, 12, 103);
        _assertPage(8, 8, 108);
        queue.drop(11, 0);
        assertEq(queue.waiting(), 19);
        _assertPage(0, 19, 111);
        _assertPage(4, 15, 115);
        _assertPage(19, 0, 0);
    }

    function test_Moving() public {
        queue.add(1, true);
        queue.add(2, false);
        queue.add(3, true);
        assertEq(queue.moving, 2);
        queue.drop(2, 1);
        assertEq(queue.moving, 1);
        assertEq(queue.waiting(), 1);
    }

    function _assertPage(uint256 offset, uint256 count, uint32 first) private view {
        uint32[] memory ids = queue.page(offset, count);
        assertEq(ids.length, count);
        for (uint32 i; i < count; ++i) assertEq(ids[i], first + i);
    }
}
