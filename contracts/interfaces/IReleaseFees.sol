// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Release fees: what giving a lease back without headway costs
/// @notice A node that takes units and gives them back has cost a round its seed and its settlement and has held its task up.
/// It pays a fee out of its stake, and its owner is kept out of new leases for a time that doubles with each such release and
/// is forgotten again with time. The fee is held under the task until the task ends, for only then others have shown whose
/// fault it was: where a unit was paid, the task could be run, and the fees go to the developer and the bounty pool; where none was
/// and several owners gave it back, they get their fees back; else the bounty pool gets all, so that neither side earns.
interface IReleaseFees {
    /// @notice What is held of a task's fees.
    struct HeldFees {
        /// For the bounty pool, which pays for rounds, micro-VER.
        uint64 roundShare;
        /// For the developer, micro-VER.
        uint64 taskShare;
        /// Different owners that paid them.
        uint8 owners;
    }

    /// @notice A lease was given back without headway.
    /// @param leaseId The lease.
    /// @param taskId Its task, under which the fee is held.
    /// @param owner Owner of its node, who is kept out of new leases.
    /// @param fee Taken from the node's stake, wei.
    event ReleaseCharged(uint32 indexed leaseId, uint32 indexed taskId, address indexed owner, uint256 fee);
    /// @notice The fees of an ended task went to those who were held up, or back.
    /// @param taskId The task.
    /// @param toDeveloper Wei credited to its developer.
    /// @param toPool Wei that went to the bounty pool.
    /// @param toOwners Wei credited to the owners that had paid it.
    event ReleaseFeesDistributed(uint32 indexed taskId, uint256 toDeveloper, uint256 toPool, uint256 toOwners);

    /// @notice Only the lease registry may charge.
    error NotModule(address caller);
    /// @notice The task has not ended: whose fault the releases are is not known yet. Wait until it has.
    /// @param taskId The task.
    error TaskNotEnded(uint32 taskId);
    /// @notice No fee of this task is held.
    /// @param taskId The task.
    error NoFees(uint32 taskId);

    /// @notice Charges a release if the lease made no headway: no checkpoint beyond what it began with, or less than the task's
    /// checkpoint interval since it was granted. Nothing is charged if the task no longer takes leases. Lease registry only.
    function charge(uint32 leaseId) external;

    /// @notice Settles the fees of a task that has ended. Anyone. O(owners), at most 16.
    function distribute(uint32 taskId) external;

    /// @notice What is held of a task's fees.
    function heldOf(uint32 taskId) external view returns (HeldFees memory);

    /// @notice Whether giving a lease back costs nothing now: it has headway, see {charge}, or its task takes no leases any
    /// longer. Only such a lease may move.
    function isFree(uint32 leaseId) external view returns (bool);

    /// @notice Fee for giving back a lease of so many units without headway, wei.
    function feeFor(uint256 units) external view returns (uint256);
}
