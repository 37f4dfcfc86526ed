// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {BASIS} from "../../types/Units.sol";
import {IPoolOutlet} from "../../interfaces/IPoolOutlet.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title The governed way out of the bounty pool
/// @notice See {IPoolOutlet}.
contract PoolOutlet is IPoolOutlet, AccessManaged {
    /// @notice Time in which at most {SHARE} is paid, seconds.
    uint256 public constant PERIOD = 7 days;
    /// @notice Maximum that is paid in a period, basis points of the pool at its beginning. Nobody can change it.
    uint256 public constant SHARE = 100;

    /// @notice Holds the pool.
    IVault public immutable VAULT;

    /// @dev When the period ends, and what is left to be paid in it. One slot; VER's supply is below 2^90 wei.
    uint40 private _until;
    uint128 private _left;

    /// @param authority OpenZeppelin access manager that says who may pay, and with what delay.
    constructor(address authority, IVault vault) AccessManaged(authority) {
        VAULT = vault;
    }

    /// @inheritdoc IPoolOutlet
    function pay(address to, uint256 amount) external restricted {
        (uint256 left, uint256 until) = available();
        if (until == 0) until = block.timestamp + PERIOD;
        require(amount <= left, OutletTooFast(amount, left, until));
        (_left, _until) = (uint128(left - amount), uint40(until));
        emit PoolPaid(to, VAULT.payBounty(to, amount), left - amount);
    }

    /// @inheritdoc IPoolOutlet
    function available() public view returns (uint256 left, uint256 until) {
        if (block.timestamp < _until) return (_left, _until);
        return ((VAULT.totals().bountyPool * SHARE) / BASIS, 0);
    }
}
