// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A queue of task ids that can also be given back to its front
/// @dev Head and tail count modulo 2^64 from zero, so that both ends can grow and no start value has to be set.
library TaskQueue {
    struct Queue {
        uint64 head;
        uint64 tail;
        mapping(uint64 place => uint32 taskId) places;
    }

    /// @notice Adds at the end.
    function pushBack(Queue storage q, uint32 taskId) internal {
        unchecked {
            q.places[q.tail] = taskId;
            q.tail += 1;
        }
    }

    /// @notice Adds at the front.
    function pushFront(Queue storage q, uint32 taskId) internal {
        unchecked {
            q.head -= 1;
            q.places[q.head] = taskId;
        }
    }

    /// @notice Takes the first.
    function popFront(Queue storage q) internal returns (uint32 taskId) {
        unchecked {
            uint64 place = q.head;
            taskId = q.places[place];
            delete q.places[place];
            q.head += 1;
        }
    }

    /// @notice The id `offset` places behind the front.
    function at(Queue storage q, uint256 offset) internal view returns (uint32) {
        unchecked {
            return q.places[q.head + uint64(offset)];
        }
    }

    /// @notice How many ids it holds.
    function length(Queue storage q) internal view returns (uint256) {
        unchecked {
            return q.tail - q.head;
        }
    }
}
