// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRoundManager} from "../../interfaces/IRoundManager.sol";

/// @title The packed post that settles a round
/// @notice Big-endian, without padding, for calldata is what a round costs on the L1:
///   clearing prices: 8 bytes for each class of the round, classes ascending
///   flows:           3 bytes for each task of the round and each class that it accepts, ascending
///   nodes:           for each class of the round 2 bytes with a count, then 4 bytes per node id
/// Amounts, rows and unit ranges are not posted: they follow from these.
library RoundPost {
    /// @notice Clearing price of the `i`-th class, micro-VER x 1024.
    function clearing(bytes calldata post, uint256 i) internal pure returns (uint64) {
        return uint64(_read(post, 8 * i, 8));
    }

    /// @notice The `i`-th flow, in units.
    function flow(bytes calldata post, uint256 classes, uint256 i) internal pure returns (uint256) {
        return _read(post, 8 * classes + 3 * i, 3);
    }

    /// @notice Node ids of the class whose list starts at `offset`, and where the next list starts.
    function nodes(bytes calldata post, uint256 offset) internal pure returns (bytes calldata ids, uint256 next) {
        uint256 count = _read(post, offset, 2);
        next = offset + 2 + 4 * count;
        require(next <= post.length, IRoundManager.MalformedPost(post.length));
        ids = post[offset + 2:next];
    }

    function _read(bytes calldata post, uint256 offset, uint256 size) private pure returns (uint256) {
        require(offset + size <= post.length, IRoundManager.MalformedPost(post.length));
        return uint256(bytes32(post[offset:])) >> (256 - 8 * size);
    }
}
