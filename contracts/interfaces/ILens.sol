// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "./ILeaseRegistry.sol";
import {ITaskRegistry} from "./ITaskRegistry.sol";

/// @title Views that read much in one call
/// @notice Holds nothing and changes nothing: whatever it answers, anybody can read from the contracts themselves.
interface ILens {
    /// @notice A view to be called.
    struct Call {
        /// Contract that is asked.
        address target;
        /// Calldata.
        bytes data;
    }

    /// @notice What a view answered; `data` is what it reverted with where `ok` is false.
    struct Outcome {
        /// Whether the call succeeded.
        bool ok;
        /// What it returned, or its revert.
        bytes data;
    }

    /// @notice A node that may sign for a lease's checkpoints.
    struct Holder {
        /// Which of the lease's candidates it is.
        uint8 candidate;
        /// Id of the node.
        uint32 nodeId;
        /// Key of the node's agent.
        address operator;
        /// Multiaddrs, comma-separated, as the node claims.
        string endpoint;
    }

    /// @notice What a node's reports are held against, but for its standing.
    struct Reporter {
        /// Id of the node.
        uint32 nodeId;
        /// Key of the node's agent.
        address operator;
        /// How often the operator key was changed.
        uint8 keyNumber;
        /// When the node was registered, seconds.
        uint40 registeredAt;
        /// Whether the operator is a contract, whose signatures only the chain can check.
        bool isContract;
    }

    /// @notice Calls views one after the other, at one block. One that fails does not keep the others from being read.
    /// @param calls Views by contract and calldata.
    /// @return number The block that they were read at.
    /// @return outcomes One for each call, in their order.
    function read(Call[] calldata calls) external view returns (uint256 number, Outcome[] memory outcomes);

    /// @notice Hash of one of the last 256 blocks; zero for any other.
    /// @param number Its number.
    /// @return Its hash.
    function hashOf(uint256 number) external view returns (bytes32);

    /// @notice Which of these nodes have missed their reports.
    /// @param nodeIds Registered nodes.
    /// @return The ids of those that have, in their order.
    function silentOf(uint32[] calldata nodeIds) external view returns (uint32[] memory);

    /// @notice Which of these leases anybody may expire now.
    /// @param leaseIds Granted leases.
    /// @return The ids of those that are active and overdue, in their order.
    function overdueOf(uint32[] calldata leaseIds) external view returns (uint32[] memory);

    /// @notice Which of these tasks a round could take now.
    /// @param taskIds Submitted tasks.
    /// @return The ids of those that are admissible, in their order.
    function servableOf(uint32[] calldata taskIds) external view returns (uint32[] memory);

    /// @notice Up to `count` tasks from id `from` on (ids start at 1).
    /// @dev Warning: ids below `from` = 1 do not exist; 0 counts as 1.
    /// @param from First id.
    /// @param count Maximum number of them.
    /// @return page Tasks by ascending id.
    function taskPage(uint32 from, uint32 count) external view returns (ITaskRegistry.TaskView[] memory page);

    /// @notice Up to `count` ids of the queue of open tasks, from its `offset`-th place on.
    /// @param offset How many are passed over.
    /// @param count Maximum number of them.
    function queuePage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds);

    /// @notice Up to `count` ids of parked tasks, from the `offset`-th on, in no order.
    /// @param offset How many are passed over.
    /// @param count Maximum number of them.
    function parkedPage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds);

    /// @notice A task's ranges that were leased before and wait again, see {ITaskRegistry.reopenedAt}.
    /// @param taskId Id of the task.
    function reopenedRanges(uint32 taskId) external view returns (ITaskRegistry.OpenRange[] memory);

    /// @notice Up to `count` leases from id `from` on (ids start at 1).
    /// @dev Warning: ids below `from` = 1 do not exist; 0 counts as 1.
    /// @param from First id.
    /// @param count Maximum number of them.
    /// @return page Leases by ascending id.
    function leasePage(uint32 from, uint32 count) external view returns (ILeaseRegistry.LeaseView[] memory page);

    /// @notice Leases among ids `from` to `from + count - 1` that can still change: active, moving, delivered or disputed.
    /// @param from First id.
    /// @param count How many ids to look at.
    /// @return Leases by ascending id.
    function liveLeases(uint32 from, uint32 count) external view returns (ILeaseRegistry.LeaseView[] memory);

    /// @notice The nodes that may sign for a lease's checkpoints now, in the order in which they are asked.
    /// @param leaseId A granted lease.
    /// @param most How many to name at most; 0: those that may sign. See {ICheckpointRegistry.holdersOf}.
    /// @return The first of them.
    function holdersOf(uint32 leaseId, uint256 most) external view returns (Holder[] memory);

    /// @notice What the reports of nodes are held against.
    /// @param nodeIds Registered nodes.
    /// @return One for each, in their order.
    function reportersOf(uint32[] calldata nodeIds) external view returns (Reporter[] memory);
}
