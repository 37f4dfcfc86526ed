// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title $VER, the token that developers pay and nodes stake
/// @notice ERC-20 with 18 decimals, ERC-2612 permit and a supply that can never exceed its cap.
contract VerToken is ERC20, ERC20Capped, ERC20Permit, AccessManaged {
    /// @param authority Access manager that says who may mint, and with what delay.
    /// @param cap_ Maximum wei of VER that can ever exist.
    /// @param treasury Receives the initial supply.
    /// @param initialSupply Wei of VER minted at once, at most the cap.
    constructor(
        address authority,
        uint256 cap_,
        address treasury,
        uint256 initialSupply
    ) ERC20("VerAI", "VER") ERC20Capped(cap_) ERC20Permit("VerAI") AccessManaged(authority) {
        _mint(treasury, initialSupply);
    }

    /// @notice Mints `amount` wei to `to`. Only the role that the access manager names; reverts above the cap.
    /// @param to Who gets them.
    /// @param amount Amount, wei.
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Capped) {
        super._update(from, to, value);
    }
}
