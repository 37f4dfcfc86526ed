// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Numbers of 32 bits, eight to a word
library PackedUint32 {
    uint256 private constant MASK = type(uint32).max;

    /// @notice Number `at & 7` of a word.
    /// @param word The word.
    /// @param at Position; only its lowest three bits count.
    function get(uint256 word, uint256 at) internal pure returns (uint32) {
        return uint32(word >> ((at & 7) << 5));
    }

    /// @notice The word with number `at & 7` replaced.
    /// @param word The word.
    /// @param at Position; only its lowest three bits count.
    /// @param value The new number, below 2^32.
    function set(uint256 word, uint256 at, uint256 value) internal pure returns (uint256) {
        uint256 shift = (at & 7) << 5;
        return (word & ~(MASK << shift)) | (value << shift);
    }
}
