// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ClassSet} from "../types/ClassSet.sol";

/// @title Rounds: open tasks meet free capacity at the minimum cost, and the chain checks that it is the least
/// @notice A round freezes the head of the task queue and all listings, asks for a seed, and is settled by anyone who posts
/// the optimum with the clearing prices that prove it. docs/concepts/allocation.md has the linear program and the proof.
interface IRoundManager {
    /// @notice Seeding: waits for the oracle. Settling: waits for a post. Settled, Aborted: over.
    enum RoundStatus {
        None,
        Seeding,
        Settling,
        Settled,
        Aborted
    }

    /// @notice A task's share of a round.
    struct Demand {
        /// Id of the task.
        uint32 taskId;
        /// Units that the round may lease.
        uint32 units;
    }

    /// @notice A round as clients read it.
    struct RoundView {
        /// Its id.
        uint32 id;
        /// Its status.
        RoundStatus status;
        /// When it was opened, seconds.
        uint40 openedAt;
        /// When it was over, seconds; 0 while it is open.
        uint40 closedAt;
        /// Who opened it.
        address opener;
        /// Number of the request for its seed.
        uint256 requestId;
        /// Its seed; 0 while it is not known.
        bytes32 seed;
        /// Tasks in queue order, which is the order in which units are laid out.
        Demand[] demands;
        /// Every class that one of the tasks accepts.
        ClassSet classes;
        /// Leases granted by its settlement.
        uint32 leases;
        /// Units left open by its settlement.
        uint32 unitsOpen;
    }

    /// @notice A round was opened.
    /// @param roundId Id of the round.
    /// @param opener Who opened it.
    /// @param requestId Number of the request for its seed.
    /// @param demands Its tasks, in queue order, and the units of each.
    /// @param classes Every class that one of the tasks accepts.
    event RoundOpened(
        uint32 indexed roundId,
        address indexed opener,
        uint256 requestId,
        Demand[] demands,
        ClassSet classes
    );
    /// @notice A round was settled.
    /// @param roundId Id of the round.
    /// @param keeper Who settled it.
    /// @param leases Leases granted.
    /// @param units Units leased.
    /// @param unitsOpen Units of its tasks that stay open.
    event RoundSettled(uint32 indexed roundId, address indexed keeper, uint32 leases, uint32 units, uint32 unitsOpen);
    /// @notice A round timed out; its tasks keep their places in the queue.
    /// @param roundId Id of the round.
    /// @param was Its status before.
    event RoundAborted(uint32 indexed roundId, RoundStatus was);
    /// @notice The clearing price of a class in a settled round, micro-VER x 1024.
    /// @param roundId Id of the round.
    /// @param classId Id of the class.
    /// @param clearing Clearing price of the class, micro-VER x 1024.
    /// @param units Units leased in the class.
    event ClassCleared(uint32 indexed roundId, uint8 indexed classId, uint64 clearing, uint32 units);

    /// @notice A round is open; it must be settled or aborted first.
    /// @param roundId Id of the round.
    error RoundOpen(uint32 roundId);
    /// @notice Ranges of failed leases wait and a round was the last to hold the listings: a batch goes first.
    error BatchPending();
    /// @notice No round is open.
    error NoRoundOpen();
    /// @notice Rounds have a least distance in time.
    /// @param earliest Time from which the next round can be opened, seconds.
    error RoundTooSoon(uint256 earliest);
    /// @notice The post is for another round.
    /// @param given Round that the post is for.
    /// @param current Round that is open.
    error WrongRound(uint32 given, uint32 current);
    /// @notice The oracle, or the keepers, still have time.
    /// @param roundId Id of the round.
    /// @param until Time after which it can be aborted, seconds.
    error RoundNotTimedOut(uint32 roundId, uint256 until);
    /// @notice The post's bytes are cut short or too long.
    /// @param length Its length, bytes.
    error MalformedPost(uint256 length);
    /// @notice More units than the task brought into the round.
    /// @param taskId Id of the task.
    /// @param units Units that the post grants.
    /// @param demand Units that the task brought.
    error TaskOverfilled(uint32 taskId, uint256 units, uint256 demand);
    /// @notice Units of the task flow through a class that costs it more than its cheapest choice.
    /// @param taskId Id of the task.
    /// @param classId Id of the class.
    /// @param cost Clearing price and surcharge in the class, micro-VER x 1024.
    /// @param cheapest The same in its cheapest class, micro-VER x 1024.
    error FlowNotCheapest(uint32 taskId, uint8 classId, uint256 cost, uint256 cheapest);
    /// @notice Units of the task stay open although a class serves them below its maximum price.
    /// @param taskId Id of the task.
    /// @param cheapest Clearing price and surcharge in its cheapest class, micro-VER x 1024.
    /// @param maxPrice What the task pays, micro-VER x 1024 + 1023.
    error OpenUnitsAffordable(uint32 taskId, uint256 cheapest, uint256 maxPrice);

    /// @notice Opens a round: freezes tasks and listings and asks for a seed. Anyone; the bounty is paid at settlement.
    function open() external returns (uint32 roundId);

    /// @notice Settles the open round; every check of the certificate has an error of its own. Anyone.
    /// @param roundId Id of the round.
    /// @param post Packed as {RoundPost} says: clearing prices, flows, nodes.
    function settle(uint32 roundId, bytes calldata post) external;

    /// @notice Ends a round whose oracle or keepers were silent for too long; its tasks keep their places in the queue.
    /// Its seed, should it still come, is never used. Anyone.
    function abort() external;

    /// @notice The newest round (id 0: there was none).
    function current() external view returns (RoundView memory);

    /// @notice A round.
    /// @param roundId Id of the round.
    function round(uint32 roundId) external view returns (RoundView memory);

    /// @notice Earliest time at which the next round can be opened.
    function nextOpening() external view returns (uint256);
}
