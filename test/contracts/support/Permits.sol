// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "./Base.sol";
import {VerToken} from "../../../contracts/token/VerToken.sol";
import {Permit} from "../../../contracts/types/Permit.sol";

/// @title Signs ERC-2612 permits
abstract contract Permits is Base {
    bytes32 private constant PERMIT_TYPE = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    function signPermit(
        VerToken token,
        uint256 key,
        address spender,
        uint256 amount
    ) internal view returns (Permit memory p) {
        p.deadline = block.timestamp + 1 hours;
        address owner = vm.addr(key);
        bytes32 body = keccak256(abi.encode(PERMIT_TYPE, owner, spender, amount, token.nonces(owner), p.deadline));
        (p.v, p.r, p.s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), body)));
    }
}
