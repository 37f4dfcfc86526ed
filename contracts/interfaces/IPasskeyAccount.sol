// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title An account whose keys are passkeys
/// @notice An ERC-4337 account (EntryPoint 0.8) without a seed phrase: it acts where one of its passkeys has signed, in
/// batches (ERC-7821), and signs messages for others to check (ERC-1271 by ERC-7739, so that no signature counts for
/// another account of the same passkey). It holds up to four passkeys of equal rights. A recovery wallet, if one is named, can
/// replace lost passkeys, after a delay in which any of them stops it. Nobody can change its code.
/// @dev Warning: anyone who holds one of its passkeys can do everything, removal of the others included.
interface IPasskeyAccount {
    /// @notice A passkey's public key, a point of the curve P-256.
    struct Key {
        /// First coordinate.
        bytes32 x;
        /// Second coordinate.
        bytes32 y;
    }

    /// @notice A passkey may act for the account from now on.
    /// @param x First coordinate of its public key.
    /// @param y Second coordinate.
    event KeyAdded(bytes32 indexed x, bytes32 indexed y);
    /// @notice A passkey may no longer act for the account.
    /// @param x First coordinate of its public key.
    /// @param y Second coordinate.
    event KeyRemoved(bytes32 indexed x, bytes32 indexed y);
    /// @notice The recovery wallet was named.
    /// @param wallet Who may replace lost passkeys; zero: nobody.
    /// @param delay Time that it has to wait, seconds.
    event RecoveryWalletSet(address indexed wallet, uint32 delay);
    /// @notice The recovery wallet wants to replace all passkeys by one.
    /// @param x First coordinate of the new public key.
    /// @param y Second coordinate.
    /// @param readyAt Time from which it can do so, seconds.
    event RecoveryStarted(bytes32 indexed x, bytes32 indexed y, uint40 readyAt);
    /// @notice The recovery under way was stopped.
    event RecoveryCancelled();
    /// @notice The recovery has replaced all passkeys.
    /// @param x First coordinate of the public key that is left.
    /// @param y Second coordinate.
    event RecoveryFinished(bytes32 indexed x, bytes32 indexed y);

    /// @notice It is no point of the curve P-256: create the passkey with the algorithm ES256.
    /// @param x First coordinate.
    /// @param y Second coordinate.
    error InvalidKey(bytes32 x, bytes32 y);
    /// @notice The account has this passkey already.
    /// @param x First coordinate.
    /// @param y Second coordinate.
    error KeyKnown(bytes32 x, bytes32 y);
    /// @notice The account has no such passkey.
    /// @param x First coordinate.
    /// @param y Second coordinate.
    error KeyUnknown(bytes32 x, bytes32 y);
    /// @notice The account has as many passkeys as it can have: remove one first.
    /// @param most Maximum number of them.
    error TooManyPasskeys(uint256 most);
    /// @notice The last passkey cannot be removed: add another one first.
    error LastKey();
    /// @notice The account cannot be its own recovery wallet: a recovery wallet is there for the time when its keys are lost.
    error RecoveryWalletIsAccount();
    /// @notice The delay is out of its bounds.
    /// @param delay Delay that was given, seconds.
    /// @param min Minimum, seconds.
    /// @param max Maximum, seconds.
    error RecoveryDelayOutOfBounds(uint32 delay, uint32 min, uint32 max);
    /// @notice Only the recovery wallet may do this.
    /// @param caller Who called.
    error NotRecoveryWallet(address caller);
    /// @notice No recovery is under way.
    error NoRecovery();
    /// @notice The recovery can be finished later.
    /// @param readyAt From when on, seconds.
    error RecoveryNotReady(uint40 readyAt);

    /// @notice Gives the account its first passkey. Once, by the factory.
    /// @param x First coordinate of its public key.
    /// @param y Second coordinate.
    function initialize(bytes32 x, bytes32 y) external;

    /// @notice Adds a passkey. The account itself only.
    /// @param x First coordinate of its public key.
    /// @param y Second coordinate.
    function addKey(bytes32 x, bytes32 y) external;

    /// @notice Removes a passkey that is not the last one. The account itself only.
    /// @param x First coordinate of its public key.
    /// @param y Second coordinate.
    function removeKey(bytes32 x, bytes32 y) external;

    /// @notice Names the recovery wallet, and stops a recovery under way. The account itself only.
    /// @dev Warning: a recovery wallet that nobody watches takes the account over after the delay.
    /// @param wallet A wallet, or a contract; zero: nobody.
    /// @param delay Time that it has to wait, seconds: from one day to 30 days.
    function setRecoveryWallet(address wallet, uint32 delay) external;

    /// @notice Stops the recovery under way. The account itself only, so any of its passkeys.
    function cancelRecovery() external;

    /// @notice Begins to replace all passkeys by one; again with another one, the delay begins again. Recovery wallet only.
    /// @param x First coordinate of the new public key.
    /// @param y Second coordinate.
    function startRecovery(bytes32 x, bytes32 y) external;

    /// @notice Replaces all passkeys by the one of the recovery under way, after its delay. Recovery wallet only.
    function finishRecovery() external;

    /// @notice The public keys of its passkeys, at most four.
    function keys() external view returns (Key[] memory);

    /// @notice The public key of the recovery under way; zero if there is none.
    function recoveryKey() external view returns (Key memory);

    /// @notice Who may replace lost passkeys; zero: nobody.
    function recoveryWallet() external view returns (address);

    /// @notice Time that the recovery wallet has to wait, seconds.
    function recoveryDelay() external view returns (uint32);

    /// @notice Time from which the recovery under way can be finished, seconds; 0: none is under way.
    function recoveryReadyAt() external view returns (uint40);
}
