// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IPasskeyAccountFactory} from "../interfaces/IPasskeyAccountFactory.sol";
import {PasskeyAccount} from "./PasskeyAccount.sol";

/// @title Factory of passkey accounts
/// @notice See {IPasskeyAccountFactory}.
contract PasskeyAccountFactory is IPasskeyAccountFactory {
    /// @notice The contract that every account is a clone of.
    PasskeyAccount public immutable IMPLEMENTATION;

    constructor() {
        IMPLEMENTATION = new PasskeyAccount();
    }

    /// @inheritdoc IPasskeyAccountFactory
    function create(bytes32 x, bytes32 y) external returns (address account) {
        account = accountOf(x, y);
        if (account.code.length > 0) return account;
        Clones.cloneDeterministic(address(IMPLEMENTATION), _salt(x, y));
        emit AccountCreated(account, x, y);
        PasskeyAccount(payable(account)).initialize(x, y);
    }

    /// @inheritdoc IPasskeyAccountFactory
    function accountOf(bytes32 x, bytes32 y) public view returns (address) {
        return Clones.predictDeterministicAddress(address(IMPLEMENTATION), _salt(x, y));
    }

    function _salt(bytes32 x, bytes32 y) private pure returns (bytes32) {
        return keccak256(abi.encode(x, y));
    }
}
