// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Registry of tasks: what developers want trained, and the escrow behind it
/// @notice A task is D units of work at no more than a maximum price each. Every unit is, at any time, open (waiting
/// for a round), leased, paid or refunded; the four always add up to D.
interface ITaskRegistry {
    /// @notice None: never submitted. Open: in the market. Closing: cancelled or past its deadline, leased units still run.
    /// Ended: every unit is paid or refunded and the rest of the escrow is claimable by the developer.
    enum TaskStatus {
        None,
        Open,
        Closing,
        Ended
    }

    /// @notice What a developer submits.
    struct Submission {
        /// Digest (sha2-256) of the spec's CIDv1, and its multicodec: raw or dag-pb.
        bytes32 specDigest;
        uint16 specCodec;
        /// Units of work, 1 to 2^20.
        uint32 units;
        /// The most that it pays for a unit, in wei: a multiple of 1e12.
        uint256 maxPrice;
        /// Time between two checkpoints, seconds.
        uint32 checkpointInterval;
        /// Longest time that a unit may take, seconds: at least the interval, at most about 194 days. Headway is measured
        /// against it, and no lease lives much longer.
        uint32 maxUnitTime;
        /// Other nodes that must hold a checkpoint before it counts, 0 to 4 (0: none).
        uint8 replicas;
        /// No unit is leased, and none has to be delivered, after this time.
        uint40 deadline;
        /// The classes that serve it, ascending.
        uint8[] classIds;
        /// A surcharge in wei per class (multiples of 1e12), which steers but is never paid. Empty: all zero.
        uint256[] surcharges;
    }

    /// @notice A range of units that waits for a node. `parent` is the lease that ran it before (0: none), whose
    /// checkpoints the next node resumes from; `fence` is the number the next lease takes.
    struct OpenRange {
        uint24 start;
        uint24 count;
        uint32 parent;
        uint24 fence;
        /// Leases of the range that failed or were given back: see {Param.MaxReassignments}.
        uint8 hands;
    }

    /// @notice What a round needs of a task. Prices in micro-VER, surcharges in the order of the bits of `classes`, empty if all zero.
    struct RoundTask {
        uint64 maxPrice;
        uint32 checkpointInterval;
        uint256 classes;
        uint40[] surcharges;
    }

    /// @notice A task as clients read it.
    struct TaskView {
        uint32 id;
        TaskStatus status;
        /// Whether it stands in the queue of open tasks, or in the open round.
        bool queued;
        bool inRound;
        uint32 units;
        uint32 openUnits;
        uint32 leasedUnits;
        uint32 paidUnits;
        uint32 refundedUnits;
        uint32 checkpointInterval;
        uint32 maxUnitTime;
        uint8 replicas;
        uint40 submittedAt;
        uint40 deadline;
        uint16 specCodec;
        uint16 feeBps;
        bytes32 specDigest;
        address owner;
        /// In wei.
        uint256 maxPrice;
        uint256 escrow;
        /// Accepted classes, ascending, and the surcharge of each in wei.
        uint8[] classIds;
        uint256[] surcharges;
    }

    event ModulesWired(address rounds, address leases, address reassignment);
    event TaskSubmitted(
        uint32 indexed taskId,
        address indexed owner,
        bytes32 specDigest,
        uint32 units,
        uint256 maxPrice,
        uint256 escrow
    );
    /// @notice The maximum price of a task's units was raised, and `deposit` was added to its escrow.
    /// @param from Maximum price of a unit before, wei.
    /// @param to Maximum price of a unit from now on, wei.
    /// @param deposit Added to the escrow, wei.
    event PriceRaised(uint32 indexed taskId, uint256 from, uint256 to, uint256 deposit);
    event TaskQueued(uint32 indexed taskId, uint32 openUnits);
    event TaskClosing(uint32 indexed taskId);
    event UnitsLeased(uint32 indexed taskId, uint32 units);
    event UnitsReopened(uint32 indexed taskId, uint24 start, uint24 count, uint32 parentLease);
    event UnitsRefunded(uint32 indexed taskId, uint32 units, uint256 amount);
    event UnitsPaid(uint32 indexed taskId, uint32 units);
    event TaskEnded(uint32 indexed taskId, uint256 refund);

    error NotModule(address caller);
    error UnknownTask(uint32 taskId);
    error NotTaskOwner(uint32 taskId, address caller);
    error IntakePaused();
    error NoUnits();
    error TooManyUnits(uint256 units, uint256 most);
    /// @notice A price or surcharge must be a whole number of micro-VER (1e12 wei).
    error PriceNotOnGrid(uint256 price, uint256 grid);
    error PriceTooHigh(uint256 price, uint256 most);
    error PriceIsZero();
    /// @notice A maximum price can only be raised.
    /// @param price Asked for, wei.
    /// @param current In force, wei.
    error PriceNotRaised(uint32 taskId, uint256 price, uint256 current);
    error NoClasses();
    error TooManyClasses(uint256 classes, uint256 most);
    error ClassesNotAscending(uint8 classId);
    error UnknownClass(uint8 classId);
    error SurchargeCountMismatch(uint256 classes, uint256 surcharges);
    error IntervalOutOfBounds(uint32 interval, uint256 min, uint256 max);
    /// @notice The longest time for a unit must be at least the checkpoint interval.
    /// @param maxUnitTime Asked for, seconds.
    /// @param min The task's checkpoint interval, seconds.
    /// @param max Highest value, seconds.
    error UnitTimeOutOfBounds(uint32 maxUnitTime, uint256 min, uint256 max);
    /// @notice The task is not past its deadline; only its owner can cancel it.
    error DeadlineNotOver(uint32 taskId, uint40 deadline);
    error DeadlineTooSoon(uint40 deadline, uint256 earliest);
    error InvalidSpec();
    error TooManyReplicas(uint8 replicas, uint256 most);
    error UnsupportedCodec(uint16 codec);
    /// @notice The task is not open any more.
    error TaskNotOpen(uint32 taskId, TaskStatus status);
    /// @notice No task in the first places of the queue can be served at its price by what is listed.
    error NothingToAllocate();
    /// @notice The task has fewer open units than asked for.
    error NotEnoughOpenUnits(uint32 taskId, uint32 open, uint32 asked);

    /// @notice Names the modules. Deployer only, once.
    function wire(address rounds, address leases, address reassignment) external;

    /// @notice Submits a task. What {depositFor} says goes from the caller, who has approved the vault, into escrow and
    /// the bounty pool.
    function submit(Submission calldata submission) external returns (uint32 taskId);

    /// @notice {submit} with an ERC-2612 permit for the vault instead of an approval before.
    function submitWithPermit(
        Submission calldata submission,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint32 taskId);

    /// @notice Raises the maximum price of an open task's units, so that a task that waits can be served without being
    /// cancelled and submitted again. It keeps its place in the queue and pays no second submission fee. What {depositToRaise}
    /// says goes from the caller, who has approved the vault, into escrow. Task owner only; reverts while a round or a
    /// reassignment batch holds the listings, since the price decides what their seed chooses.
    /// @param maxPrice The most that the task pays for a unit from now on, wei: a multiple of 1e12, above the current one.
    function raisePrice(uint32 taskId, uint256 maxPrice) external;

    /// @notice {raisePrice} with an ERC-2612 permit for the vault instead of an approval before.
    function raisePriceWithPermit(
        uint32 taskId,
        uint256 maxPrice,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Takes what is not leased out of the market and refunds it. Task owner only. In an open round what the
    /// round leaves open is refunded when it ends.
    function cancel(uint32 taskId) external;

    /// @notice {cancel}, by anyone, for a task past its deadline.
    function close(uint32 taskId) external;

    /// @notice Moves tasks at the head of the queue that nothing listed can serve to its end, `most` of them, and stops
    /// at the first that can be served. Anyone; so no heap of unservable tasks can block the queue. O(most).
    /// @return moved How many were moved.
    function rotate(uint256 most) external returns (uint256 moved);

    /// @notice Freezes the head of the queue for a round: tasks that something listed can serve, at most `mostTasks` (and
    /// no more than there are units), each with no more units than are listed for it, of at most 64 classes together. Where
    /// they want more than `mostUnits` together, each gets its max-min fair share: no task can fill a round. Tasks that
    /// nothing listed serves go to the end of the queue. Round manager only.
    /// O(mostTasks): at most twice as many are looked at; the shares are O(mostTasks^2) in memory.
    function freeze(
        uint256 mostTasks,
        uint256 mostUnits
    ) external returns (uint32[] memory taskIds, uint32[] memory demands);

    /// @notice Takes `units` of a task's open units: those that were leased before first, in the order in which they
    /// came back; what came back since the round was frozen waits for the next one. Round manager only.
    /// O(ranges returned) <= O(units).
    function take(uint32 taskId, uint32 units) external returns (OpenRange[] memory ranges);

    /// @notice Collects half of the fee of units that are leased for the first time, which is never given back. Round
    /// manager only. O(tasks).
    /// @param values Sum of the prices of those units per task, micro-VER.
    /// @return fees Wei that went to the bounty pool.
    function charge(uint32[] calldata taskIds, uint256[] calldata values) external returns (uint256 fees);

    /// @notice Ends a round for its tasks: what is still open goes back to the queue, or is refunded where the task is
    /// closing. Round manager only.
    /// @param toFront Whether they keep their place (an aborted round) or go to the end of the queue.
    function thaw(uint32[] calldata taskIds, bool toFront) external;

    /// @notice A leased range goes back to the open units, or is refunded where the task is closing. Lease
    /// registry and reassignment only.
    function reopen(uint32 taskId, OpenRange calldata range) external;

    /// @notice Leased units that have changed hands too often are refunded. Lease registry only.
    function refund(uint32 taskId, uint32 units) external;

    /// @notice Leased units were paid. Lease registry only.
    function markPaid(uint32 taskId, uint32 units) external;

    /// @notice Owner, fee, interval and deadline of a task.
    function termsOf(
        uint32 taskId
    ) external view returns (address owner, uint16 feeBps, uint32 checkpointInterval, uint40 deadline);

    /// @notice Checkpoint interval and longest time of a unit, seconds.
    function paceOf(uint32 taskId) external view returns (uint32 checkpointInterval, uint32 maxUnitTime);

    /// @notice Other nodes that must hold a checkpoint of the task before it counts.
    function replicasOf(uint32 taskId) external view returns (uint8);

    /// @notice Whether units of the task may be leased now: it is open, and {Param.MinLeaseTime} is left to its deadline.
    function takesLeases(uint32 taskId) external view returns (bool);

    /// @notice What a round needs of a task.
    function roundTask(uint32 taskId) external view returns (RoundTask memory);

    /// @notice A task; reverts if unknown.
    function task(uint32 taskId) external view returns (TaskView memory);

    /// @notice Up to `count` tasks from id `from` on (ids start at 1).
    function taskPage(uint32 from, uint32 count) external view returns (TaskView[] memory page);

    /// @notice Ids run from 1 to this number.
    function taskCount() external view returns (uint32);

    /// @notice Up to `count` ids of the queue, from its `offset`-th place on.
    function queuePage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds);

    /// @notice How many tasks stand in the queue.
    function queueLength() external view returns (uint256);

    /// @notice What submitting `units` units at a maximum price of `maxPrice` wei takes: the escrow, units x (maximum
    /// price + fee), and the submission fee, which goes to the bounty pool and is not given back. Wei.
    function depositFor(uint256 units, uint256 maxPrice) external view returns (uint256 escrow, uint256 fee);

    /// @notice What raising a task's maximum price to `maxPrice` wei adds to its escrow: the difference, with its fee, for
    /// each unit that is neither paid nor refunded. Wei. Reverts unless it is a raise to a legal price.
    function depositToRaise(uint32 taskId, uint256 maxPrice) external view returns (uint256);

    /// @notice Whether something listed now could serve the task at its price.
    function servable(uint32 taskId) external view returns (bool);

    /// @notice A task's ranges that were leased before and wait again, in the order in which a round takes them. Of an
    /// open round's task, those at the end may have come back since and wait for the next one.
    function reopenedRanges(uint32 taskId) external view returns (OpenRange[] memory);
}
