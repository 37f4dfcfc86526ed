// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Reassignment: takers are drawn for the ranges of failed leases, and for units that move
/// @notice Every change of hands between rounds goes this way. A range whose lease expired, or that leaves its node by a move,
/// is an *orphan*. A batch takes the oldest orphans, freezes the listings as a round does, asks for one seed and draws nodes
/// for each, with probability proportional to free_j x (1 - load_j) / (latency_j + {Param.LatencyFloor}), see {DrawRule}, among
/// the nodes of classes that the task accepts that
/// - ask no more than the lease that ended was paid, or no more than what one class alone lists enough units for (with
///   surcharges), and never more than the task pays;
/// - are of another owner than the lease's node, and report in time;
/// - for a load that moves: are below the band, and come above the average by no more than one unit's worth, nor by more
///   than the band; for work that leaves a throttled node: stay within the band.
/// docs/concepts/protocol.md has the proof. Whatever finds no node goes back to the open units of its task, with its checkpoint.
interface IReassignment {
    /// @notice Seeding: waits for the oracle. Drawing: the seed is there. Done, Aborted: over.
    enum BatchStatus {
        None,
        Seeding,
        Drawing,
        Done,
        Aborted
    }

    /// @notice What the draws of a batch go by, fixed when it was opened. Loads in basis points, latencies in milliseconds.
    /// @dev What a node reports of itself can only lower its weight. Its load counts as the share of its capacity that is not
    /// free or {loadFloor} if that is more, its latency as {latencyMin} if that is more.
    struct DrawRule {
        /// L0: what is added to latencies, {Param.LatencyFloor}.
        uint16 latencyFloor;
        /// Half of {Param.MaxLatency}.
        uint16 latencyMin;
        /// {Param.LoadFloor}.
        uint16 loadFloor;
        /// Average load, rounded down, and the half width of the band; zero if nothing in the batch moves.
        uint16 averageLoad;
        uint16 band;
        /// Who last reported before this time is not drawn.
        uint40 reportedSince;
    }

    /// @notice Units that a node was drawn for by moves, which its reports may not show yet.
    /// @dev They count until a report comes after `until`.
    struct Arrival {
        uint40 until;
        uint24 units;
    }

    /// @notice A batch as clients read it.
    struct BatchView {
        uint32 id;
        BatchStatus status;
        uint40 openedAt;
        uint40 closedAt;
        uint256 requestId;
        bytes32 seed;
        DrawRule rule;
        /// The leases that ended whose ranges are drawn for, in this order.
        uint32[] leaseIds;
        /// How many of them are dealt with.
        uint32 drawn;
    }

    /// @notice A range waits for a batch.
    /// @param moved Whether it leaves its node by a move; else its node failed.
    event RangeOrphaned(uint32 indexed leaseId, bool moved);
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
    error RoundHasPriority(uint256 until);
    /// @notice Only ranges that move wait: they share a seed, as rounds do every {Param.RoundInterval}.
    /// @param until Earliest time at which the next batch of them may be opened.
    error BatchTooSoon(uint256 until);
    /// @notice The oracle has not answered yet.
    error SeedPending(uint32 batchId);
    /// @notice The oracle, or those who draw, still have time.
    error BatchNotTimedOut(uint32 batchId, uint256 until);

    /// @notice Notes an orphan. Lease registry only.
    /// @param moved Whether the range leaves its node by a move; else its node failed.
    function add(uint32 leaseId, bool moved) external;

    /// @notice Opens a batch of the oldest orphans, at most 32, if one of them failed or the last batch was opened a
    /// {Param.RoundInterval} ago: freezes the listings and asks for the seed. Orphans of tasks that take no
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

    /// @notice Whether a round must let a batch go first: it may be opened, and the last freeze was not a batch's.
    function hasTurn() external view returns (bool);

    /// @notice Earliest time at which a batch may be opened (0: at once). While tasks are queued and a batch was the last to
    /// hold the listings, rounds have a moment to go first; ranges that only move wait for one another.
    function nextOpening() external view returns (uint256);

    /// @notice The newest batch (id 0: there was none).
    function current() external view returns (BatchView memory);

    /// @notice A batch.
    function batch(uint32 batchId) external view returns (BatchView memory);

    /// @notice Orphans that wait for a batch.
    function orphanCount() external view returns (uint256);

    /// @notice Up to `count` of the waiting orphans (ids of the leases that ended), oldest first, from the `offset`-th on.
    function orphanPage(uint256 offset, uint256 count) external view returns (uint32[] memory leaseIds);

    /// @notice Units that a node was drawn for by moves and that its last report may not show; zero if there are none.
    function arrivalOf(uint32 nodeId) external view returns (Arrival memory);
}
