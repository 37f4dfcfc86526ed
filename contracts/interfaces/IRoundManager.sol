// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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
        uint32 taskId;
        uint32 units;
    }

    /// @notice A round as clients read it.
    struct RoundView {
        uint32 id;
        RoundStatus status;
        uint40 openedAt;
        uint40 closedAt;
        address opener;
        uint256 requestId;
        bytes32 seed;
        /// Tasks in queue order, which is the order in which units are laid out.
        Demand[] demands;
        /// Every class that one of the tasks accepts, one bit each.
        uint256 classes;
        /// Leases granted and units left open by its settlement.
        uint32 leases;
        uint32 unitsOpen;
    }

    event RoundOpened(
        uint32 indexed roundId,
        address indexed opener,
        uint256 requestId,
        Demand[] demands,
        uint256 classes
    );
    event RoundSettled(uint32 indexed roundId, address indexed keeper, uint32 leases, uint32 units, uint32 unitsOpen);
    event RoundAborted(uint32 indexed roundId, RoundStatus was);
    /// @notice The clearing price of a class in a settled round, micro-VER x 1024.
    event ClassCleared(uint32 indexed roundId, uint8 indexed classId, uint64 clearing, uint32 units);

    error IntakePaused();
    error RoundOpen(uint32 roundId);
    /// @notice Ranges of failed leases wait and a round was the last to hold the listings: a batch goes first.
    error BatchPending();
    error NoRoundOpen();
    /// @notice Rounds have a least distance in time.
    error RoundTooSoon(uint256 earliest);
    /// @notice The oracle has not answered yet.
    error SeedPending(uint32 roundId);
    /// @notice The post is for another round.
    error WrongRound(uint32 given, uint32 current);
    /// @notice The oracle, or the keepers, still have time.
    error RoundNotTimedOut(uint32 roundId, uint256 until);
    /// @notice The post's bytes are cut short or too long.
    error MalformedPost(uint256 length);
    /// @notice More units than the task brought into the round.
    error TaskOverfilled(uint32 taskId, uint256 units, uint256 demand);
    /// @notice Units of the task flow through a class that costs it more than its cheapest choice.
    error FlowNotCheapest(uint32 taskId, uint8 classId, uint256 cost, uint256 cheapest);
    /// @notice Units of the task stay open although a class serves them below its maximum price.
    error OpenUnitsAffordable(uint32 taskId, uint256 cheapest, uint256 maxPrice);

    /// @notice Opens a round: freezes tasks and listings and asks for a seed. Anyone; the bounty is paid at settlement.
    function open() external returns (uint32 roundId);

    /// @notice Settles the open round; every check of the certificate has an error of its own. Anyone.
    /// @param post Packed as {RoundPost} says: clearing prices, flows, nodes.
    function settle(uint32 roundId, bytes calldata post) external;

    /// @notice Ends a round whose oracle or keepers were silent for too long; its tasks keep their places in the queue.
    /// Its seed, should it still come, is never used. Anyone.
    function abort() external;

    /// @notice The newest round (id 0: there was none).
    function current() external view returns (RoundView memory);

    /// @notice A round.
    function round(uint32 roundId) external view returns (RoundView memory);

    /// @notice Earliest time at which the next round can be opened.
    function nextOpening() external view returns (uint256);
}
