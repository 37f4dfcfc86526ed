// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Factory of passkey accounts
/// @notice Creates an account for a passkey at an address that follows from its public key, so that it can be paid, and
/// found again by the passkey alone, before and after it exists.
interface IPasskeyAccountFactory {
    /// @notice An account was created.
    /// @param account Its address.
    /// @param x First coordinate of its passkey's public key.
    /// @param y Second coordinate.
    event AccountCreated(address indexed account, bytes32 indexed x, bytes32 indexed y);

    /// @notice Creates the account of a passkey; does nothing if it exists. Open to anyone: who calls gets no right over it.
    /// @param x First coordinate of the passkey's public key.
    /// @param y Second coordinate.
    /// @return account Its address.
    function create(bytes32 x, bytes32 y) external returns (address account);

    /// @notice The address of a passkey's account, whether it exists or not.
    /// @param x First coordinate of the passkey's public key.
    /// @param y Second coordinate.
    function accountOf(bytes32 x, bytes32 y) external view returns (address);
}
