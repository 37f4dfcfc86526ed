// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What paying a lease needs of the checkpoints of its range
/// @notice {ICheckpointRegistry} answers.
interface IWorkShares {
    /// @notice What an earlier lease of a range is paid when a later one is accepted.
    struct Share {
        /// The earlier lease.
        uint32 leaseId;
        /// Its node.
        uint32 nodeId;
        /// Its price of a unit, micro-VER.
        uint40 priceMicroVer;
        /// Work that it is paid for, basis points of a unit.
        uint256 work;
    }

    /// @notice How the price of a delivered lease is shared with the earlier leases of its range, its parent and
    /// theirs, oldest first; what is left is its own. A checkpoint stands for work on the units of the lease in equal
    /// parts. Each is paid for the progress of its newest checkpoint beyond what those before it are paid for, but for
    /// no larger a part of the units than its part of the time worked on them: from its grant to that checkpoint, out
    /// of all such times of the line and the time of the delivered lease, or out of the task's longest time for a unit
    /// if that is less. Rounded down. Leases that are paid nothing are left out. O(leases of the range), at most 64.
    /// @param leaseId Id of the delivered lease.
    function sharesOf(uint32 leaseId) external view returns (Share[] memory shares);
}
