// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice An ERC-2612 permit of the caller for the vault: takes the place of an approval in a transaction of its own.
struct Permit {
    /// Time until which it holds, seconds.
    uint256 deadline;
    /// Recovery id of the signature.
    uint8 v;
    /// First half of the signature.
    bytes32 r;
    /// Second half of the signature.
    bytes32 s;
}
