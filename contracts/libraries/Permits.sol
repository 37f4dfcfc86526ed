// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Permit} from "../types/Permit.sol";

/// @title Use of ERC-2612 permits
library Permits {
    /// @notice Gives `spender` the caller's allowance that the permit grants.
    /// @dev Never reverts: a permit that somebody else has already used leaves the allowance it gave, and the transfer that
    /// follows checks that.
    /// @param permit The caller's permit.
    /// @param token Token that it is for.
    /// @param spender Who may spend.
    /// @param amount Amount that it is for, wei.
    function use(Permit calldata permit, address token, address spender, uint256 amount) internal {
        // solhint-disable no-empty-blocks
        try
            IERC20Permit(token).permit(msg.sender, spender, amount, permit.deadline, permit.v, permit.r, permit.s)
        {} catch {}
        // solhint-enable no-empty-blocks
    }
}
