// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The queue of ranges that wait for a reassignment batch
/// @notice Leases add to it, rounds ask for whom they have to wait; {IReassignment} keeps it.
/// @dev Kept with those who draw for it: the lease registry has no room under EIP-170.
interface IOrphans {
    /// @notice Notes a range that waits for a batch. Lease registry only.
    /// @param leaseId Id of the lease that ended.
    /// @param moved Whether the range leaves its node by a move; else its node failed.
    function add(uint32 leaseId, bool moved) external;

    /// @notice Ranges that wait for a batch.
    /// @return waiting How many there are.
    /// @return moving How many of them leave their node by a move.
    /// @return inARow Whether the next batch goes before any round although the last freeze was a batch's.
    function orphanCounts() external view returns (uint256 waiting, uint256 moving, bool inARow);
}
