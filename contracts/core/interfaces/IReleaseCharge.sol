// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What is told of a lease that its node gives back, or that fails
/// @notice {IReleaseFees} charges for it.
interface IReleaseCharge {
    /// @notice Charges for the end of a lease if it made no headway: no checkpoint beyond what it began with, or less than
    /// the task's checkpoint interval since it was granted. With headway nothing is charged, but an owner that had the
    /// range before and gave it up is barred: see {ISupply.bar}. Neither if the task no longer takes leases.
    /// Lease registry only.
    /// @param leaseId Id of the lease.
    /// @return charged Whether it was charged for.
    function charge(uint32 leaseId) external returns (bool charged);
}
