// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The governed way out of the bounty pool
/// @notice The pool takes in more than it pays as bounties: each round brings the price of its seed, which is paid to the oracle
/// in another currency. Governance pays such costs from the pool, after its delay, and never faster than
/// one per cent of the pool a week: whatever it decides, the pool outlasts the time in which everyone can see it.
interface IPoolOutlet {
    /// @notice `amount` wei of the bounty pool were credited to `to`; `left` wei can still be paid before the period
    /// ends.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    /// @param left What is left to be paid in this period, wei.
    event PoolPaid(address indexed to, uint256 amount, uint256 left);

    /// @notice More than can be paid from the pool until `until` (seconds): `left` wei. Pay less, or wait.
    /// @param amount Amount that was to be paid, wei.
    /// @param left What is left to be paid in this period, wei.
    /// @param until When the period ends, seconds.
    error OutletTooFast(uint256 amount, uint256 left, uint256 until);

    /// @notice Credits `amount` wei of the bounty pool to `to` in the vault. Only the role that the access manager
    /// names.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    function pay(address to, uint256 amount) external;

    /// @notice What can be paid now, wei, and when the period ends in which this counts, seconds; 0: it begins with the
    /// next payment.
    function available() external view returns (uint256 left, uint256 until);
}
