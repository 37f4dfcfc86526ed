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

    /// @notice Whether a round can take a task, or what keeps it out. NothingOpen: it has no unit that waits. DeadlineNear: its
    /// deadline is closer than {Param.MinLeaseTime}. DepositTooLow: what is left of its round deposit does not pay for a
    /// round of its own. NoSupply: no free unit is listed at its price in its classes.
    enum Admission {
        Admissible,
        NothingOpen,
        DeadlineNear,
        DepositTooLow,
        NoSupply
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
        /// No unit is leased, and none has to be delivered, after this time; at most {Param.MaxTaskTime} from now.
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
        uint8 reassignments;
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
        /// Whether it stands in the queue of open tasks, in the open round, or is parked: open, but met at the front of the
        /// queue when no round could serve it.
        bool queued;
        bool inRound;
        bool parked;
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
        /// Part of the escrow that pays for places in rounds, wei.
        uint256 roundDeposit;
        /// Accepted classes, ascending, and the surcharge of each in wei.
        uint8[] classIds;
        uint256[] surcharges;
    }

    event ModulesSet(address rounds, address leases, address reassignment);
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
    /// @notice The task was met at the front of the queue and no round could serve it: it left the queue, with all its units,
    /// and comes back by {enqueue}, by {raisePrice}, or when a range of it is open again.
    event TaskParked(uint32 indexed taskId, Admission why);
    /// @notice `amount` wei were added to what pays for the task's places in rounds.
    event RoundDepositAdded(uint32 indexed taskId, address indexed from, uint256 amount);
    /// @notice `amount` wei of the task's round deposit went to the bounty pool; `left` wei remain.
    event RoundDepositUsed(uint32 indexed taskId, uint256 amount, uint256 left);
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
    /// @notice The deadline is later than {Param.MaxTaskTime} from now allows, which is `latest`: choose an earlier one.
    error DeadlineTooLate(uint40 deadline, uint256 latest);
    error InvalidSpec();
    error TooManyReplicas(uint8 replicas, uint256 most);
    error UnsupportedCodec(uint16 codec);
    /// @notice The task is not open any more.
    error TaskNotOpen(uint32 taskId, TaskStatus status);
    /// @notice No task in the first places of the queue can be served at its price by what is listed.
    error NothingToAllocate();
    /// @notice None of the tasks is parked and admissible now with a round deposit that pays for its stay in the queue:
    /// {admissionOf} says why. The owner's own call needs no deposit for the stay.
    error NothingToEnqueue();
    /// @notice The task has fewer open units than asked for.
    error NotEnoughOpenUnits(uint32 taskId, uint32 open, uint32 asked);

    /// @notice Names the modules. Deployer only, once.
    function initialise(address rounds, address leases, address reassignment) external;

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

    /// @notice Adds `amount` wei of the caller, who has approved the vault, to what pays for an open task's places in rounds.
    /// What is left of it goes to the task's owner when the task ends. Anyone.
    function fundRounds(uint32 taskId, uint256 amount) external;

    /// @notice {fundRounds} with an ERC-2612 permit of the caller for the vault instead of an approval before.
    function fundRoundsWithPermit(
        uint32 taskId,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Takes tasks that no round can serve from the front of the queue, and parks those that wait for something:
    /// `maximum` at most and as far as the gas goes, but one at least; stops at the first that can be served. Anyone; so
    /// no heap of tasks can block the queue.
    /// @return passed How many left the queue.
    function park(uint256 maximum) external returns (uint256 passed);

    /// @notice Puts parked tasks that a round can serve now at the end of the queue, as far as the gas goes. Others are passed
    /// over; reverts if nothing is left. Anyone. Where it is not the task's owner who calls, the stay costs the task
    /// {Param.SubmissionFee} of its round deposit, but never what its next round needs: then only its owner can call.
    /// @return enqueued How many were put there.
    function enqueue(uint32[] calldata taskIds) external returns (uint256 enqueued);

    /// @notice Freezes the head of the queue for a round: tasks that something listed can serve, at most `mostTasks` (and
    /// no more than there are units), each with no more units than are listed for it, of at most 64 classes together. Where
    /// they want more than `mostUnits` together, each gets its max-min fair share: no task can fill a round. Tasks that
    /// cannot be served are parked. Round manager only.
    /// O(mostTasks): at most twice as many are looked at; the shares are O(mostTasks^2) in memory.
    function freeze(
        uint256 mostTasks,
        uint256 mostUnits
    ) external returns (uint32[] memory taskIds, uint32[] memory demands);

    /// @notice Takes `units` of a task's open units: those that were leased before first, in the order in which they
    /// came back; what came back since the round was frozen waits for the next one. Round manager only.
    /// O(ranges returned) <= O(units).
    function take(uint32 taskId, uint32 units) external returns (OpenRange[] memory ranges);

    /// @notice Collects what the tasks of a round pay for it, which is never given back: half of the fee of units that are
    /// leased for the first time, and an equal share of {Param.SeedPrice} at least; what the fee lacks of it comes from
    /// the round deposit. Round manager only. O(tasks).
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

    /// @notice Up to `count` ids of parked tasks, from the `offset`-th on, in no order.
    function parkedPage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds);

    /// @notice How many tasks are parked.
    function parkedCount() external view returns (uint256);

    /// @notice What submitting `units` units at a maximum price of `maxPrice` wei takes: the escrow, units x (maximum
    /// price + fee) and a deposit of 8 x {Param.SeedPrice} for its rounds, and the submission fee, which goes to the
    /// bounty pool and is not given back. Wei.
    function depositFor(uint256 units, uint256 maxPrice) external view returns (uint256 escrow, uint256 fee);

    /// @notice What raising a task's maximum price to `maxPrice` wei adds to its escrow: the difference, with its fee, for
    /// each unit that is neither paid nor refunded. Wei. Reverts unless it is a raise to a legal price.
    function depositToRaise(uint32 taskId, uint256 maxPrice) external view returns (uint256);

    /// @notice Whether a round could take the task now, or what keeps it out.
    function admissionOf(uint32 taskId) external view returns (Admission);

    /// @notice A task's ranges that were leased before and wait again, in the order in which a round takes them. Of an
    /// open round's task, those at the end may have come back since and wait for the next one.
    function reopenedRanges(uint32 taskId) external view returns (OpenRange[] memory);
}
