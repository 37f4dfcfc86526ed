// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DITHER} from "../../types/Units.sol";

/// @title What is drawn from a seed
/// @notice Each draw hashes the seed with a tag of its purpose, so that draws are independent of one another.
/// packages/protocol/vrf/draws.ts is the same in TypeScript; test/vectors/draws.json holds both to the same values.
library SeedDraw {
    uint8 private constant TAG_DITHER = 1;
    uint8 private constant TAG_FILL = 2;
    uint8 private constant TAG_ORDER = 3;
    uint8 private constant TAG_REASSIGN = 4;
    uint8 private constant TAG_LOOK = 5;

    /// @notice Breaks ties between classes of equal cost for a task: 0 to 1023, of 1024 parts of a micro-VER.
    function dither(bytes32 seed, uint32 taskId, uint8 classId) internal pure returns (uint256) {
        return uint256(_hash(seed, TAG_DITHER, taskId, classId)) % DITHER;
    }

    /// @notice Where in the marginal tick's array of `count` nodes the filling starts.
    function fillStart(bytes32 seed, uint8 classId, uint256 count) internal pure returns (uint256) {
        return uint256(_hash(seed, TAG_FILL, classId, 0)) % count;
    }

    /// @notice The order in which a class's granted nodes are laid along the tasks.
    function nodeOrder(bytes32 seed, uint32 nodeId) internal pure returns (uint256) {
        return uint256(_hash(seed, TAG_ORDER, nodeId, 0));
    }

    /// @notice Two independent numbers for a try to find a node for an orphaned lease's range, 0 to 2^128 - 1 each.
    function reassign(bytes32 seed, uint32 leaseId, uint32 attempt) internal pure returns (uint256 high, uint256 low) {
        uint256 word = uint256(_hash(seed, TAG_REASSIGN, leaseId, attempt));
        return (word >> 128, uint128(word));
    }

    /// @notice Two independent numbers for a look at a node of the tick that a try came to, 0 to 2^128 - 1 each.
    /// @param attempt Number of the try, below 2^16.
    /// @param look_ Number of the look within the try, below 2^16.
    function look(
        bytes32 seed,
        uint32 leaseId,
        uint32 attempt,
        uint32 look_
    ) internal pure returns (uint256 high, uint256 low) {
        uint256 word = uint256(_hash(seed, TAG_LOOK, leaseId, (attempt << 16) | look_));
        return (word >> 128, uint128(word));
    }

    function _hash(bytes32 seed, uint8 tag, uint32 a, uint32 b) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(seed, tag, a, b));
    }
}
