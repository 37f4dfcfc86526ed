// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Reassignment: the ranges of failed leases are drawn for among the nodes
/// @notice A range whose lease expired is an *orphan*. A batch takes the oldest orphans, freezes the listings as a round
/// does, asks for one seed and draws a node for each: node j of a class that the task accepts, at a price that it pays, with
/// probability proportional to free_j x (1 - load_j) / (latency_j + {Param.LatencyFloor}). docs/concepts/protocol.md has the proof.
/// Whatever finds no node goes back to the open units of its task, with its checkpoint.
interface IReassignment {
    /// @notice Seeding: waits for the oracle. Drawing: the seed is there. Done, Aborted: over.
    enum BatchStatus {
        None,
        Seeding,
        Drawing,
        Done,
        Aborted
    }

    /// @notice A batch as clients read it.
    struct BatchView {
        uint32 id;
        BatchStatus status;
        uint40 openedAt;
        uint40 closedAt;
        uint256 requestId;
        bytes32 seed;
        /// L0 as it was when the batch was opened, ms.
        uint16 latencyFloor;
        /// The expired leases whose ranges are drawn for, in this order.
        uint32[] leaseIds;
        /// How many of them are dealt with.
        uint32 drawn;
    }

    event RangeOrphaned(uint32 indexed leaseId);
    event BatchOpened(uint32 indexed batchId, address indexed opener, uint256 requestId, uint32[] leaseIds);
    /// @notice Units of an orphaned range went to a node, under a new lease.
    event RangeDrawn(
        uint32 indexed batchId,
        uint32 indexed orphanId,
        uint32 indexed leaseId,
        uint32 nodeId,
        uint24 start,
        uint24 count
    );
    /// @notice Units of an orphaned range went back to the open units of their task.
    event RangeReturned(uint32 indexed orphanId, uint24 start, uint24 count);
    event BatchDrawn(uint32 indexed batchId);
    event BatchAborted(uint32 indexed batchId, BatchStatus was);

    error NotModule(address caller);
    error NoOrphans();
    error BatchOpen(uint32 batchId);
    error NoBatchOpen();
    /// @notice A batch was the last to hold the listings: a waiting round may go first until then.
    error RoundsTurn(uint256 until);
    /// @notice The oracle has not answered yet.
    error SeedPending(uint32 batchId);
    /// @notice The oracle, or those who draw, still have time.
    error BatchInTime(uint32 batchId, uint256 until);

    /// @notice Notes an orphan. Lease registry only.
    function add(uint32 leaseId) external;

    /// @notice Opens a batch of the oldest orphans, at most 32: freezes the listings and asks for the seed. Orphans of tasks that take no
    /// leases any more are given back at once. Anyone. There is no second request for a batch.
    /// @return batchId 0 if all orphans that were looked at were given back: then nothing was opened.
    function open() external returns (uint32 batchId);

    /// @notice Draws for up to `most` orphans of the open batch, in their order; the last one ends the batch. Anyone; who
    /// calls, when, and in how many parts changes nothing of what is drawn. O(most), at most {TRIES} tries each.
    /// @return left Orphans of the batch that remain.
    function draw(uint256 most) external returns (uint256 left);

    /// @notice Ends a batch whose oracle was silent for {Param.SeedTimeout}, or that nobody drew for {Param.SettleTimeout}
    /// on top: what is not drawn goes back to the open units. Its seed, should it still come, is never used. Anyone. O(batch).
    function abort() external;

    /// @notice Whether a round must let a batch go first: orphans wait, and the last freeze was not a batch's.
    function hasTurn() external view returns (bool);

    /// @notice Earliest time at which a batch may be opened, as far as turns go (0: at once). While tasks are queued
    /// and a batch was the last to hold the listings, rounds have a moment to go first.
    function nextOpening() external view returns (uint256);

    /// @notice The newest batch (id 0: there was none).
    function current() external view returns (BatchView memory);

    /// @notice A batch.
    function batch(uint32 batchId) external view returns (BatchView memory);

    /// @notice Orphans that wait for a batch.
    function orphanCount() external view returns (uint256);

    /// @notice Up to `count` of the waiting orphans (ids of the expired leases), oldest first, from the `offset`-th on.
    function orphanPage(uint256 offset, uint256 count) external view returns (uint32[] memory leaseIds);
}
