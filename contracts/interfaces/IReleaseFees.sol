// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReleaseCharge} from "../core/interfaces/IReleaseCharge.sol";

/// @title Release fees: what giving a lease back, or letting it expire, without headway costs
/// @notice A node that takes units and gives them back, or does nothing with them, has cost a round its seed and its settlement and has held its task up.
/// It pays a fee out of its stake, and its owner is kept out of new leases for a time that doubles with each such lease and
/// is forgotten again with time. The fee is held under the task until the task ends, for only then others have shown whose
/// fault it was: where a unit was paid, the task could be run, and the fees go to the developer and the bounty pool; where none was
/// and several owners lost it so, they get their fees back; else the bounty pool gets all, so that neither side earns.
interface IReleaseFees is IReleaseCharge {
    /// @notice What is held of a task's fees.
    struct HeldFees {
        /// For the bounty pool, which pays for rounds, micro-VER.
        uint64 roundShare;
        /// For the developer, micro-VER.
        uint64 taskShare;
        /// Different owners that paid them.
        uint8 owners;
        /// Place of the task in {heldPage} while fees are held.
        uint32 place;
    }

    /// @notice A lease was given back, or failed, without headway.
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

    /// @notice The task has not ended: whose fault the releases are is not known yet. Wait until it has.
    /// @param taskId The task.
    error TaskNotEnded(uint32 taskId);
    /// @notice No fee of this task is held.
    /// @param taskId The task.
    error NoFees(uint32 taskId);

    /// @notice Settles the fees of a task that has ended. Anyone. O(owners), at most 16.
    /// @param taskId Id of the task.
    function distribute(uint32 taskId) external;

    /// @notice Up to `count` ids of tasks whose fees are held, from the `offset`-th on, in no order.
    /// @param offset How many are passed over.
    /// @param count Maximum number of them.
    function heldPage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds);

    /// @notice How many tasks' fees are held.
    function heldCount() external view returns (uint256);

    /// @notice What is held of a task's fees.
    /// @param taskId Id of the task.
    function heldOf(uint32 taskId) external view returns (HeldFees memory);

    /// @notice Whether giving a lease back costs nothing now: it has headway, see {charge}, or its task takes no leases any
    /// longer. Only such a lease may move.
    /// @param leaseId Id of the lease.
    function isFree(uint32 leaseId) external view returns (bool);

    /// @notice Fee for giving back a lease of so many units without headway, wei.
    /// @param units Units of the lease.
    function feeFor(uint256 units) external view returns (uint256);
}
