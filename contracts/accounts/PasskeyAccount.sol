// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC4337Utils} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {IEntryPoint} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {AbstractSigner} from "@openzeppelin/contracts/utils/cryptography/signers/AbstractSigner.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {IPasskeyAccount} from "../interfaces/IPasskeyAccount.sol";

/// @title An account whose keys are passkeys
/// @notice See {IPasskeyAccount}. Cloned by {PasskeyAccountFactory}; nobody can change its code.
contract PasskeyAccount is IPasskeyAccount, Account, ERC7739, ERC7821, Initializable {
    /// @notice Maximum number of passkeys: checking a signature tries each of them.
    uint256 public constant MAX_KEYS = 4;
    /// @notice Shortest delay of a recovery, seconds.
    uint32 public constant MIN_RECOVERY_DELAY = 1 days;
    /// @notice Longest delay of a recovery, seconds.
    uint32 public constant MAX_RECOVERY_DELAY = 30 days;

    Key[] private _keys;
    /// @inheritdoc IPasskeyAccount
    address public recoveryWallet;
    /// @inheritdoc IPasskeyAccount
    uint32 public recoveryDelay;
    /// @inheritdoc IPasskeyAccount
    uint40 public recoveryReadyAt;
    Key private _recoveryKey;

    modifier onlyRecoveryWallet() {
        require(msg.sender == recoveryWallet, NotRecoveryWallet(msg.sender));
        _;
    }

    /// @dev Without a passkey the implementation itself accepts no signature.
    constructor() EIP712("DRMP passkey account", "1") {
        _disableInitializers();
    }

    /// @inheritdoc IPasskeyAccount
    function initialize(bytes32 x, bytes32 y) external initializer {
        _addKey(x, y);
    }

    /// @inheritdoc IPasskeyAccount
    function addKey(bytes32 x, bytes32 y) external onlyEntryPointOrSelf {
        _addKey(x, y);
    }

    /// @inheritdoc IPasskeyAccount
    function removeKey(bytes32 x, bytes32 y) external onlyEntryPointOrSelf {
        uint256 count = _keys.length;
        uint256 at = _indexOf(x, y);
        require(at < count, KeyUnknown(x, y));
        require(count > 1, LastKey());
        if (at != count - 1) _keys[at] = _keys[count - 1];
        _keys.pop();
        emit KeyRemoved(x, y);
    }

    /// @inheritdoc IPasskeyAccount
    function setRecoveryWallet(address wallet, uint32 delay) external onlyEntryPointOrSelf {
        require(wallet != address(this), RecoveryWalletIsAccount());
        require(
            delay >= MIN_RECOVERY_DELAY && delay <= MAX_RECOVERY_DELAY,
            RecoveryDelayOutOfBounds(delay, MIN_RECOVERY_DELAY, MAX_RECOVERY_DELAY)
        );
        if (recoveryReadyAt != 0) _cancelRecovery();
        (recoveryWallet, recoveryDelay) = (wallet, delay);
        emit RecoveryWalletSet(wallet, delay);
    }

    /// @inheritdoc IPasskeyAccount
    function cancelRecovery() external onlyEntryPointOrSelf {
        require(recoveryReadyAt != 0, NoRecovery());
        _cancelRecovery();
    }

    /// @inheritdoc IPasskeyAccount
    function startRecovery(bytes32 x, bytes32 y) external onlyRecoveryWallet {
        require(P256.isValidPublicKey(x, y), InvalidKey(x, y));
        uint40 readyAt = uint40(block.timestamp + recoveryDelay);
        (recoveryReadyAt, _recoveryKey) = (readyAt, Key(x, y));
        emit RecoveryStarted(x, y, readyAt);
    }

    /// @inheritdoc IPasskeyAccount
    function finishRecovery() external onlyRecoveryWallet {
        uint40 readyAt = recoveryReadyAt;
        require(readyAt != 0, NoRecovery());
        require(block.timestamp >= readyAt, RecoveryNotReady(readyAt));
        Key memory key = _recoveryKey;
        for (uint256 i = _keys.length; i > 0; --i) {
            Key memory old = _keys[i - 1];
            _keys.pop();
            emit KeyRemoved(old.x, old.y);
        }
        delete recoveryReadyAt;
        delete _recoveryKey;
        _addKey(key.x, key.y);
        emit RecoveryFinished(key.x, key.y);
    }

    /// @inheritdoc IPasskeyAccount
    function keys() external view returns (Key[] memory) {
        return _keys;
    }

    /// @inheritdoc IPasskeyAccount
    function recoveryKey() external view returns (Key memory) {
        return _recoveryKey;
    }

    /// @notice The entry point whose operations it carries out: version 0.8, at the address that it has on every chain.
    function entryPoint() public pure override returns (IEntryPoint) {
        return ERC4337Utils.ENTRYPOINT_V08;
    }

    /// @dev A batch comes from the entry point, or from the account itself.
    function _erc7821AuthorizedExecutor(
        address caller,
        bytes32 mode,
        bytes calldata executionData
    ) internal view override returns (bool) {
        return caller == address(entryPoint()) || super._erc7821AuthorizedExecutor(caller, mode, executionData);
    }

    /// @dev Whether any passkey of the account has signed `hash`, with its user verified by the device. The signature holds
    /// the six fields of WebAuthnAuth in their order. Tries {MAX_KEYS} keys at most.
    function _rawSignatureValidation(
        bytes32 hash,
        bytes calldata signature
    ) internal view override(AbstractSigner) returns (bool) {
        (bool decoded, WebAuthn.WebAuthnAuth calldata auth) = WebAuthn.tryDecodeAuth(signature);
        if (!decoded) return false;
        bytes memory challenge = abi.encodePacked(hash);
        for (uint256 i = 0; i < _keys.length; ++i) {
            Key memory key = _keys[i];
            if (WebAuthn.verify(challenge, auth, key.x, key.y)) return true;
        }
        return false;
    }

    function _addKey(bytes32 x, bytes32 y) private {
        require(P256.isValidPublicKey(x, y), InvalidKey(x, y));
        require(_indexOf(x, y) == _keys.length, KeyKnown(x, y));
        require(_keys.length < MAX_KEYS, TooManyPasskeys(MAX_KEYS));
        _keys.push(Key(x, y));
        emit KeyAdded(x, y);
    }

    function _cancelRecovery() private {
        delete recoveryReadyAt;
        delete _recoveryKey;
        emit RecoveryCancelled();
    }

    /// @dev The place of a passkey; the number of all if it is none of them.
    function _indexOf(bytes32 x, bytes32 y) private view returns (uint256 at) {
        uint256 count = _keys.length;
        while (at < count && (_keys[at].x != x || _keys[at].y != y)) ++at;
    }
}
