// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PackedUint32} from "../../libraries/PackedUint32.sol";

/// @title The queue of leases whose ranges wait for a reassignment batch, oldest first
library OrphanQueue {
    struct Queue {
        // One slot.
        uint64 head;
        uint64 tail;
        /// How many of those that wait leave their node by a move.
        uint32 moving;
        /// Lease ids, eight to a word.
        mapping(uint256 key => uint256 word) ids;
    }

    /// @notice Adds a lease at the end.
    /// @param queue The queue.
    /// @param leaseId Id of the lease.
    /// @param moved Whether its range leaves its node by a move; else the node failed.
    function add(Queue storage queue, uint32 leaseId, bool moved) internal {
        uint64 at = queue.tail;
        queue.ids[at >> 3] = PackedUint32.set(queue.ids[at >> 3], at, leaseId);
        queue.tail = at + 1;
        if (moved) ++queue.moving;
    }

    /// @notice Drops the first leases.
    /// @param queue The queue.
    /// @param count How many; no more than wait.
    /// @param moved How many of them leave their node by a move.
    function drop(Queue storage queue, uint256 count, uint32 moved) internal {
        queue.head += uint64(count);
        if (moved != 0) queue.moving -= moved;
    }

    /// @notice How many leases wait.
    /// @param queue The queue.
    function waiting(Queue storage queue) internal view returns (uint256) {
        return queue.tail - queue.head;
    }

    /// @notice Leases that wait, oldest first.
    /// @param queue The queue.
    /// @param offset How many are passed over.
    /// @param count How many; no more than wait behind those.
    function page(Queue storage queue, uint256 offset, uint256 count) internal view returns (uint32[] memory leaseIds) {
        uint256 at = queue.head + offset;
        leaseIds = new uint32[](count);
        uint256 word;
        for (uint256 i; i < count; (++i, ++at)) {
            if (i == 0 || at & 7 == 0) word = queue.ids[at >> 3];
            leaseIds[i] = PackedUint32.get(word, at);
        }
    }
}
