// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";

/// @title The newest two checkpoints of a lease, two slots each
/// @notice They take turns by the parity of their sequence numbers, so that a checkpoint overwrites the one before last. The
/// higher number is the newest: no counter has to be kept beside them.
/// @dev Packed by hand: the compiler would read and mask the slot once for each field.
library StoredCheckpoints {
    /// @notice A checkpoint in storage.
    struct Stored {
        bytes32 digest;
        /// The other fields, from the lowest bit on: sequence, time, progress, size, codec, progress and time of the start.
        uint256 rest;
    }

    /// @notice The newest two, by parity.
    struct Pair {
        Stored[2] turns;
    }

    /// @notice Sequence number of the newest and what is kept of it besides its digest; 0 if there is none. Two reads.
    function newest(Pair storage pair) internal view returns (uint32 sequence, uint256 rest) {
        (uint256 even, uint256 odd) = (pair.turns[0].rest, pair.turns[1].rest);
        rest = uint32(even) > uint32(odd) ? even : odd;
        sequence = uint32(rest);
    }

    /// @notice The newest, or the one before it where `back` is 1; all zero if there is none.
    function load(Pair storage pair, uint256 back) internal view returns (ICheckpointRegistry.Checkpoint memory c) {
        (uint32 sequence, ) = newest(pair);
        Stored storage stored = pair.turns[(sequence + back) & 1];
        uint256 rest = stored.rest;
        c.digest = stored.digest;
        c.codec = uint16(rest >> 176);
        c.progress = progressOf(rest);
        c.size = uint64(rest >> 112);
        c.at = uint40(atOf(rest));
        c.sequence = uint32(rest);
        c.startProgress = startProgressOf(rest);
        c.startedAt = startedAtOf(rest);
    }

    /// @notice Writes a checkpoint over the one before last.
    function store(Pair storage pair, ICheckpointRegistry.Checkpoint memory c) internal {
        uint256 rest = uint256(c.sequence) | (uint256(c.at) << 32) | (uint256(c.progress) << 72);
        rest |= (uint256(c.size) << 112) | (uint256(c.codec) << 176);
        rest |= (uint256(c.startProgress) << 192) | (uint256(c.startedAt) << 224);
        Stored storage stored = pair.turns[c.sequence & 1];
        (stored.digest, stored.rest) = (c.digest, rest);
    }

    /// @notice See {ICheckpointRegistry.Checkpoint}, field by field.
    function atOf(uint256 rest) internal pure returns (uint256) {
        return uint40(rest >> 32);
    }

    function progressOf(uint256 rest) internal pure returns (uint40) {
        return uint40(rest >> 72);
    }

    function startProgressOf(uint256 rest) internal pure returns (uint32) {
        return uint32(rest >> 192);
    }

    function startedAtOf(uint256 rest) internal pure returns (uint32) {
        return uint32(rest >> 224);
    }
}
