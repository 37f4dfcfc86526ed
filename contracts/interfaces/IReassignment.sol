// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOrphans} from "../core/interfaces/IOrphans.sol";

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
interface IReassignment is IOrphans {
    /// @notice Seeding: waits for the oracle. Drawing: the seed has arrived. Done, Aborted: over.
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
        /// Average load, basis points, rounded down; zero if nothing in the batch moves.
        uint16 averageLoad;
        /// Half width of the band around the average, {Param.BalanceBand}; zero if nothing in the batch moves.
        uint16 band;
        /// Who last reported before this time, seconds, is not drawn.
        uint40 reportedSince;
    }

    /// @notice Units that a node was drawn for by moves, which its reports may not show yet.
    /// @dev They count until a report comes after `until`.
    struct Arrival {
        /// Reports after this time show them, seconds.
        uint40 until;
        /// Units that are on their way.
        uint24 units;
    }

    /// @notice A batch as clients read it.
    struct BatchView {
        /// Its id.
        uint32 id;
        /// Its status.
        BatchStatus status;
        /// When it was opened, seconds.
        uint40 openedAt;
        /// When it was over, seconds; 0 while it is open.
        uint40 closedAt;
        /// Number of the request for its seed.
        uint256 requestId;
        /// Its seed; 0 while it is not known.
        bytes32 seed;
        /// What its draws go by.
        DrawRule rule;
        /// The leases that ended whose ranges are drawn for, in this order.
        uint32[] leaseIds;
        /// How many of them are dealt with.
        uint32 drawn;
    }

    /// @notice A batch was opened.
    /// @param batchId Id of the batch.
    /// @param opener Who opened it.
    /// @param requestId Number of the request for its seed.
    /// @param leaseIds The leases that ended, in the order in which takers are drawn.
    event BatchOpened(uint32 indexed batchId, address indexed opener, uint256 requestId, uint32[] leaseIds);
    /// @notice Units of an orphaned range went to a node, under a new lease.
    /// @param batchId Id of the batch.
    /// @param orphanId Lease that ended.
    /// @param leaseId The new lease.
    /// @param nodeId Node that runs it.
    /// @param start First unit of the range.
    /// @param count Number of units in the range.
    event RangeDrawn(
        uint32 indexed batchId,
        uint32 indexed orphanId,
        uint32 indexed leaseId,
        uint32 nodeId,
        uint24 start,
        uint24 count
    );
    /// @notice Units of an orphaned range went back to the open units of their task.
    /// @param orphanId Lease that ended.
    /// @param start First unit of the range.
    /// @param count Number of units in the range.
    event RangeReturned(uint32 indexed orphanId, uint24 start, uint24 count);
    /// @notice All of a batch has been drawn for.
    /// @param batchId Id of the batch.
    event BatchDrawn(uint32 indexed batchId);
    /// @notice A batch timed out; what was not drawn for went back to the open units.
    /// @param batchId Id of the batch.
    /// @param was Its status before.
    event BatchAborted(uint32 indexed batchId, BatchStatus was);

    /// @notice No range waits for a batch.
    error NoOrphans();
    /// @notice A batch is open; it must be drawn or aborted first.
    /// @param batchId Id of the batch.
    error BatchOpen(uint32 batchId);
    /// @notice No batch is open.
    error NoBatchOpen();
    /// @notice A batch was the last to hold the listings: a waiting round may go first until then.
    /// @param until Time from which a batch can be opened, seconds.
    error RoundHasPriority(uint256 until);
    /// @notice Only ranges that move wait: they share a seed, as rounds do every {Param.RoundInterval}.
    /// @param until Earliest time at which the next batch of them may be opened, seconds.
    error BatchTooSoon(uint256 until);
    /// @notice The oracle, or those who draw, still have time.
    /// @param batchId Id of the batch.
    /// @param until Time after which it can be aborted, seconds.
    error BatchNotTimedOut(uint32 batchId, uint256 until);

    /// @notice Opens a batch of the oldest orphans, at most 32, if one of them failed or the last batch was opened a
    /// {Param.RoundInterval} ago: freezes the listings and asks for the seed. Orphans of tasks that no longer take
    /// leases are given back at once. Anyone. There is no second request for a batch.
    /// @dev Warning: it may give ranges back and open nothing: look at what it returns.
    /// @return batchId 0 if all orphans that were looked at were given back: then nothing was opened.
    function open() external returns (uint32 batchId);

    /// @notice Draws for up to `most` orphans of the open batch, in their order; the last one ends the batch. Anyone;
    /// who calls, when, and in how many parts changes nothing of what is drawn. O(most), at most {TRIES} tries each.
    /// @param most Maximum number of orphans.
    /// @return left Orphans of the batch that remain.
    function draw(uint256 most) external returns (uint256 left);

    /// @notice Ends a batch whose oracle was silent for {Param.SeedTimeout}, or that nobody drew for
    /// {Param.SettleTimeout} on top: what is not drawn goes back to the open units. Its seed, should it still come, is
    /// never used. Anyone. O(batch).
    function abort() external;

    /// @notice Whether a round must let a batch go first: it may be opened, and the last freeze was not a batch's.
    function hasTurn() external view returns (bool);

    /// @notice Earliest time at which a batch may be opened (0: at once). While tasks are queued and a batch was the
    /// last to hold the listings, rounds have a moment to go first; ranges that only move wait for one another.
    function nextOpening() external view returns (uint256);

    /// @notice The newest batch (id 0: there was none).
    function current() external view returns (BatchView memory);

    /// @notice A batch.
    /// @param batchId Id of the batch.
    function batch(uint32 batchId) external view returns (BatchView memory);

    /// @notice Up to `count` of the ranges that wait for a batch (ids of the leases that ended), oldest first.
    /// @param offset How many are passed over.
    /// @param count Maximum number of them.
    /// @return leaseIds Ids of the leases.
    function orphanPage(uint256 offset, uint256 count) external view returns (uint32[] memory leaseIds);

    /// @notice Units that a node was drawn for by moves and that its last report may not show; zero if there are none.
    /// @param nodeId Id of the node.
    function arrivalOf(uint32 nodeId) external view returns (Arrival memory);
}
