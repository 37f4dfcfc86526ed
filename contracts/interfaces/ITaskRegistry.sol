// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ClassSet} from "../types/ClassSet.sol";
import {Permit} from "../types/Permit.sol";

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
        /// sha2-256 digest of the spec's CIDv1.
        bytes32 specDigest;
        /// Multicodec of the spec's CID: raw or dag-pb.
        uint16 specCodec;
        /// Units of work, 1 to 2^20.
        uint32 units;
        /// Maximum price of a unit, wei: a multiple of 1e12.
        uint256 maxPrice;
        /// Time between two checkpoints, seconds.
        uint32 checkpointInterval;
        /// Longest time that a unit may take, seconds: at least the interval, at most about 194 days. Headway is measured
        /// against it, and no lease lives much longer.
        uint32 maxUnitTime;
        /// Other nodes that must hold a checkpoint before it counts, 0 to 4 (0: none).
        uint8 replicas;
        /// Chance with which each of its segments is audited at least, basis points, at most 5,000; 0: no audits. Its fee is one and a
        /// half times that at least: up to two thirds of {Param.FeeBps} it costs nothing more. See {IAudits}.
        uint16 auditChance;
        /// Deadline, seconds: no unit is leased, and none has to be delivered, after this time; at most {Param.MaxTaskTime} from now.
        uint40 deadline;
        /// The classes that serve it, ascending.
        uint8[] classIds;
        /// A surcharge in wei per class (multiples of 1e12), which steers but is never paid. Empty: all zero.
        uint256[] surcharges;
    }

    /// @notice A range of units that waits for a node. `parent` is the lease that ran it before (0: none), whose
    /// checkpoints the next node resumes from; `fence` is the number the next lease takes.
    struct OpenRange {
        /// First unit of the range.
        uint24 start;
        /// Units in the range.
        uint24 count;
        /// Lease that ran it before (0: none), whose checkpoints the next node resumes from.
        uint32 parent;
        /// Fence that the next lease takes.
        uint24 fence;
        /// Leases of the range that failed or were given back: see {Param.MaxReassignments}.
        uint8 reassignments;
    }

    /// @notice What a round needs of a task.
    struct RoundTask {
        /// Maximum price of a unit, micro-VER.
        uint64 maxPriceMicroVer;
        /// Time between two checkpoints, seconds.
        uint32 checkpointInterval;
        /// Classes that the task accepts.
        ClassSet classes;
        /// Surcharges, micro-VER, in the order of the classes; empty if all are zero.
        uint40[] surchargesMicroVer;
    }

    /// @notice A task as clients read it.
    struct TaskView {
        /// Its id.
        uint32 id;
        /// Its status.
        TaskStatus status;
        /// Whether it waits in the queue of open tasks.
        bool queued;
        /// Whether it is in the open round.
        bool inRound;
        /// Whether it is parked: open, but met at the front of the queue when no round could serve it.
        bool parked;
        /// Units of work.
        uint32 units;
        /// Units that wait for a round.
        uint32 openUnits;
        /// Units that are leased, or wait for a batch or a decision.
        uint32 leasedUnits;
        /// Units that are paid.
        uint32 paidUnits;
        /// Units that were refunded.
        uint32 refundedUnits;
        /// Time between two checkpoints, seconds.
        uint32 checkpointInterval;
        /// Maximum time of a unit, seconds.
        uint32 maxUnitTime;
        /// Other nodes that must hold a checkpoint before it counts.
        uint8 replicas;
        /// Chance with which each of its segments is audited at least, basis points; 0: it has no audits.
        uint16 auditChance;
        /// When it was submitted, seconds.
        uint40 submittedAt;
        /// Deadline, seconds.
        uint40 deadline;
        /// Multicodec of the spec's CID: raw or dag-pb.
        uint16 specCodec;
        /// Fee on what is paid, basis points.
        uint16 feeBps;
        /// sha2-256 digest of the spec's CID.
        bytes32 specDigest;
        /// The developer.
        address owner;
        /// Maximum price of a unit, wei.
        uint256 maxPrice;
        /// Escrow, wei.
        uint256 escrow;
        /// Part of the escrow that pays for places in rounds, wei.
        uint256 roundDeposit;
        /// Accepted classes, ascending.
        uint8[] classIds;
        /// Surcharge of each class, wei.
        uint256[] surcharges;
    }

    /// @notice The modules were named.
    /// @param rounds The round manager.
    /// @param leases The lease registry.
    /// @param reassignment The reassignment contract.
    event ModulesSet(address rounds, address leases, address reassignment);
    /// @notice A task was submitted.
    /// @param taskId Id of the task.
    /// @param owner The developer.
    /// @param specDigest sha2-256 digest of the spec's CID.
    /// @param units Units of work.
    /// @param maxPrice Maximum price of a unit, wei.
    /// @param escrow Locked for it, wei.
    event TaskSubmitted(
        uint32 indexed taskId,
        address indexed owner,
        bytes32 specDigest,
        uint32 units,
        uint256 maxPrice,
        uint256 escrow
    );
    /// @notice A task that was submitted asks for audits.
    /// @param taskId Id of the task.
    /// @param chance Chance with which each of its segments is audited at least, basis points.
    /// @param feeBps Its fee, basis points.
    event AuditsAskedFor(uint32 indexed taskId, uint16 chance, uint16 feeBps);
    /// @notice The maximum price of a task's units was raised, and `deposit` was added to its escrow.
    /// @param taskId Id of the task.
    /// @param from Maximum price of a unit before, wei.
    /// @param to Maximum price of a unit from now on, wei.
    /// @param deposit Added to the escrow, wei.
    event PriceRaised(uint32 indexed taskId, uint256 from, uint256 to, uint256 deposit);
    /// @notice The task waits for a round.
    /// @param taskId Id of the task.
    /// @param openUnits Its open units.
    event TaskQueued(uint32 indexed taskId, uint32 openUnits);
    /// @notice The task was met at the front of the queue and no round could serve it: it left the queue, with all its
    /// units, and comes back by {enqueue}, by {raisePrice}, or when a range of it is open again.
    /// @param taskId Id of the task.
    /// @param why What keeps it out of rounds.
    event TaskParked(uint32 indexed taskId, Admission why);
    /// @notice `amount` wei were added to what pays for the task's places in rounds.
    /// @param taskId Id of the task.
    /// @param from Who paid.
    /// @param amount Amount, wei.
    event RoundDepositAdded(uint32 indexed taskId, address indexed from, uint256 amount);
    /// @notice `amount` wei of the task's round deposit went to the bounty pool; `left` wei remain.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    /// @param left What remains, wei.
    event RoundDepositUsed(uint32 indexed taskId, uint256 amount, uint256 left);
    /// @notice The task was cancelled, or is past its deadline: it takes no new leases.
    /// @param taskId Id of the task.
    event TaskClosing(uint32 indexed taskId);
    /// @notice Open units of the task were leased by a round.
    /// @param taskId Id of the task.
    /// @param units Number of units.
    event UnitsLeased(uint32 indexed taskId, uint32 units);
    /// @notice Leased units of the task are open again.
    /// @param taskId Id of the task.
    /// @param start First unit of the range.
    /// @param count Number of units in the range.
    /// @param parentLease Lease whose checkpoints the next node goes on from, 0 if none.
    event UnitsReopened(uint32 indexed taskId, uint24 start, uint24 count, uint32 parentLease);
    /// @notice Units of the task are worked on no more.
    /// @param taskId Id of the task.
    /// @param units Number of units.
    /// @param amount Credited to the developer, wei.
    event UnitsRefunded(uint32 indexed taskId, uint32 units, uint256 amount);
    /// @notice Units of the task are done and paid.
    /// @param taskId Id of the task.
    /// @param units Number of units.
    event UnitsPaid(uint32 indexed taskId, uint32 units);
    /// @notice Every unit of the task is paid or refunded.
    /// @param taskId Id of the task.
    /// @param refund What was left of its escrow, credited to the developer, wei.
    event TaskEnded(uint32 indexed taskId, uint256 refund);

    /// @notice There is no such task.
    /// @param taskId Id of the task.
    error UnknownTask(uint32 taskId);
    /// @notice A task has at least one unit.
    error NoUnits();
    /// @notice The task has more units than a task may have.
    /// @param units Units that were given.
    /// @param most Maximum number of them.
    error TooManyUnits(uint256 units, uint256 most);
    /// @notice A price or surcharge must be a whole number of micro-VER (1e12 wei).
    /// @param price Price that was given, wei.
    /// @param grid 1e12 wei.
    error PriceNotOnGrid(uint256 price, uint256 grid);
    /// @notice The price or surcharge is above the maximum.
    /// @param price Price that was given, wei.
    /// @param most Maximum, wei.
    error PriceTooHigh(uint256 price, uint256 most);
    /// @notice A task pays something for its units.
    error PriceIsZero();
    /// @notice A maximum price can only be raised.
    /// @param taskId Id of the task.
    /// @param price Asked for, wei.
    /// @param current In force, wei.
    error PriceNotRaised(uint32 taskId, uint256 price, uint256 current);
    /// @notice A task accepts at least one class.
    error NoClasses();
    /// @notice The task accepts more classes than a task may.
    /// @param classes Classes that were given.
    /// @param most Maximum number of them.
    error TooManyClasses(uint256 classes, uint256 most);
    /// @notice Classes come in ascending order, each once.
    /// @param classId First class that is out of place.
    error ClassesNotAscending(uint8 classId);
    /// @notice There is one surcharge for each class, or none at all.
    /// @param classes Classes that were given.
    /// @param surcharges Surcharges that were given.
    error SurchargeCountMismatch(uint256 classes, uint256 surcharges);
    /// @notice The checkpoint interval is out of its bounds.
    /// @param interval Interval that was given, seconds.
    /// @param min Minimum, seconds.
    /// @param max Maximum, seconds.
    error IntervalOutOfBounds(uint32 interval, uint256 min, uint256 max);
    /// @notice The longest time for a unit must be at least the checkpoint interval.
    /// @param maxUnitTime Asked for, seconds.
    /// @param min The task's checkpoint interval, seconds.
    /// @param max Highest value, seconds.
    error UnitTimeOutOfBounds(uint32 maxUnitTime, uint256 min, uint256 max);
    /// @notice The task is not past its deadline; only its owner can cancel it.
    /// @param taskId Id of the task.
    /// @param deadline Deadline of the task, seconds.
    error DeadlineNotOver(uint32 taskId, uint40 deadline);
    /// @notice The deadline leaves no lease enough time.
    /// @param deadline Deadline that was given, seconds.
    /// @param earliest Earliest deadline, seconds.
    error DeadlineTooSoon(uint40 deadline, uint256 earliest);
    /// @notice The deadline is later than {Param.MaxTaskTime} from now allows, which is `latest`: choose an earlier
    /// one.
    /// @param deadline Deadline that was given, seconds.
    /// @param latest Latest deadline, seconds.
    error DeadlineTooLate(uint40 deadline, uint256 latest);
    /// @notice The digest of the spec is zero.
    error InvalidSpec();
    /// @notice A task can ask for at most so many receipts.
    /// @param replicas Receipts asked for.
    /// @param most Maximum number of them.
    error TooManyReplicas(uint8 replicas, uint256 most);
    /// @notice A task can ask for a chance of audits up to that.
    /// @param chance Asked for, basis points.
    /// @param most Maximum, basis points.
    error AuditChanceTooHigh(uint16 chance, uint256 most);
    /// @notice The task is no longer open.
    /// @param taskId Id of the task.
    /// @param status Its status.
    error TaskNotOpen(uint32 taskId, TaskStatus status);
    /// @notice No task in the first places of the queue can be served at its price by what is listed.
    error NothingToAllocate();
    /// @notice None of the tasks is parked and admissible now with a round deposit that pays for its stay in the queue:
    /// {admissionOf} says why. The owner's own call needs no deposit for the stay.
    error NothingToEnqueue();
    /// @notice The task has fewer open units than asked for.
    /// @param taskId Id of the task.
    /// @param open Its open units.
    /// @param asked Units asked for.
    error NotEnoughOpenUnits(uint32 taskId, uint32 open, uint32 asked);

    /// @notice Names the modules. Deployer only, once.
    /// @param rounds The round manager.
    /// @param leases The lease registry.
    /// @param reassignment The reassignment contract.
    function initialise(address rounds, address leases, address reassignment) external;

    /// @notice Submits a task. What {depositFor} says goes from the caller, who has approved the vault, into escrow and
    /// the bounty pool.
    /// @dev Warning: the maximum price can be raised later but never lowered.
    /// @param submission What is submitted.
    function submit(Submission calldata submission) external returns (uint32 taskId);

    /// @notice {submit} with an ERC-2612 permit for the vault instead of an approval before.
    /// @param submission What is submitted.
    /// @param permit The caller's permit for the vault.
    function submitWithPermit(Submission calldata submission, Permit calldata permit) external returns (uint32 taskId);

    /// @notice Raises the maximum price of an open task's units, so that a task that waits can be served without being
    /// cancelled and submitted again. It keeps its place in the queue and pays no second submission fee. What
    /// {depositToRaise} says goes from the caller, who has approved the vault, into escrow. Task owner only; reverts
    /// while a round or a reassignment batch holds the listings, since the price decides what their seed chooses.
    /// @dev Warning: there is no way back: a price is never lowered.
    /// @param taskId Id of the task.
    /// @param maxPrice Maximum price of a unit from now on, wei: a multiple of 1e12, above the current
    /// one.
    function raisePrice(uint32 taskId, uint256 maxPrice) external;

    /// @notice {raisePrice} with an ERC-2612 permit for the vault instead of an approval before.
    /// @param taskId Id of the task.
    /// @param maxPrice Maximum price of a unit from now on, wei.
    /// @param permit The caller's permit for the vault.
    function raisePriceWithPermit(uint32 taskId, uint256 maxPrice, Permit calldata permit) external;

    /// @notice Takes what is not leased out of the market and refunds it. Task owner only. In an open round what the
    /// round leaves open is refunded when it ends.
    /// @dev Warning: units that are leased still run and are paid.
    /// @param taskId Id of the task.
    function cancel(uint32 taskId) external;

    /// @notice {cancel}, by anyone, for a task past its deadline.
    /// @param taskId Id of the task.
    function close(uint32 taskId) external;

    /// @notice Adds `amount` wei of the caller, who has approved the vault, to what pays for an open task's places in
    /// rounds. What is left of it goes to the task's owner when the task ends. Anyone.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    function fundRounds(uint32 taskId, uint256 amount) external;

    /// @notice {fundRounds} with an ERC-2612 permit of the caller for the vault instead of an approval before.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    /// @param permit The caller's permit for the vault.
    function fundRoundsWithPermit(uint32 taskId, uint256 amount, Permit calldata permit) external;

    /// @notice Takes tasks that no round can serve from the front of the queue, and parks those that wait for
    /// something: `maximum` at most and as far as the gas goes, but one at least; stops at the first that can be
    /// served. Anyone; so no heap of tasks can block the queue.
    /// @param maximum Maximum number of tasks.
    /// @return passed How many left the queue.
    function park(uint256 maximum) external returns (uint256 passed);

    /// @notice Puts parked tasks that a round can serve now at the end of the queue, as far as the gas goes. Others are
    /// passed over; reverts if nothing is left. Anyone. Where it is not the task's owner who calls, the stay costs the
    /// task {Param.SubmissionFee} of its round deposit, but never what its next round needs: then only its owner can
    /// call.
    /// @param taskIds Ids of the tasks.
    /// @return enqueued How many were put there.
    function enqueue(uint32[] calldata taskIds) external returns (uint256 enqueued);

    /// @notice Freezes the head of the queue for a round: tasks that something listed can serve, each with no more units
    /// than are listed for it, as many as the dearest settlement of them fits a transaction (`RoundBudget`), but at most
    /// `mostTasks` (and no more than there are units), of at most 64 classes together. Where they want more units together
    /// than are left, each gets its max-min fair share: no task can fill a round. Tasks that cannot be served are parked.
    /// Round manager only. As many are looked at as fit an opening, O(looks); the shares are O(mostTasks^1.5) in memory.
    /// @param mostTasks Maximum number of tasks.
    /// @param mostUnits Maximum number of units of all of them.
    /// @return taskIds Ids of the tasks.
    /// @return demands Units that each brings.
    /// @return classes Classes that one of them accepts.
    function freeze(
        uint256 mostTasks,
        uint256 mostUnits
    ) external returns (uint32[] memory taskIds, uint32[] memory demands, ClassSet classes);

    /// @notice Takes `units` of a task's open units: those that were leased before first, in the order in which they
    /// came back; what came back since the round was frozen waits for the next one. Round manager only. O(ranges
    /// returned) <= O(units).
    /// @param taskId Id of the task.
    /// @param units Number of units.
    function take(uint32 taskId, uint32 units) external returns (OpenRange[] memory ranges);

    /// @notice Collects what the tasks of a round pay for it, which is never given back: half of the fee of units that
    /// are leased for the first time, and an equal share of {Param.SeedPrice} at least; what the fee lacks of it comes
    /// from the round deposit. Round manager only. O(tasks).
    /// @param taskIds Ids of the tasks.
    /// @param values Sum of the prices of those units per task, micro-VER.
    /// @return fees Wei that went to the bounty pool.
    function charge(uint32[] calldata taskIds, uint256[] calldata values) external returns (uint256 fees);

    /// @notice Ends a round for its tasks: what is still open goes back to the queue, or is refunded where the task is
    /// closing. Round manager only.
    /// @param taskIds Ids of the tasks.
    /// @param toFront Whether they keep their place (an aborted round) or go to the end of the queue.
    function thaw(uint32[] calldata taskIds, bool toFront) external;

    /// @notice A leased range goes back to the open units, or is refunded where the task is closing. Lease registry and
    /// reassignment only.
    /// @param taskId Id of the task.
    /// @param range The units, and what their next lease goes on from.
    function reopen(uint32 taskId, OpenRange calldata range) external;

    /// @notice Leased units that have changed hands too often are refunded. Lease registry only.
    /// @param taskId Id of the task.
    /// @param units Number of units.
    function refund(uint32 taskId, uint32 units) external;

    /// @notice Leased units were paid. Lease registry only.
    /// @param taskId Id of the task.
    /// @param units Number of units.
    function markPaid(uint32 taskId, uint32 units) external;

    /// @notice Owner, fee, interval and deadline of a task.
    /// @param taskId Id of the task.
    /// @return owner The developer.
    /// @return feeBps Fee, basis points.
    /// @return checkpointInterval Time between two checkpoints, seconds.
    /// @return deadline Deadline, seconds.
    function termsOf(
        uint32 taskId
    ) external view returns (address owner, uint16 feeBps, uint32 checkpointInterval, uint40 deadline);

    /// @notice Checkpoint interval and longest time of a unit, seconds.
    /// @param taskId Id of the task.
    /// @return checkpointInterval Time between two checkpoints, seconds.
    /// @return maxUnitTime Maximum time of a unit, seconds.
    function paceOf(uint32 taskId) external view returns (uint32 checkpointInterval, uint32 maxUnitTime);

    /// @notice What a task asks of its checkpoints.
    /// @param taskId Id of the task.
    /// @return replicas Other nodes that must hold a checkpoint before it counts.
    /// @return audited Whether each must have a trace root: the task asks for audits.
    function checkpointTermsOf(uint32 taskId) external view returns (uint8 replicas, bool audited);

    /// @notice Chance with which each segment of a task is audited at least, basis points; 0: it has no audits.
    /// @param taskId Id of the task.
    function auditChanceOf(uint32 taskId) external view returns (uint16);

    /// @notice Whether units of the task may be leased now: it is open, and {Param.MinLeaseTime} is left to its
    /// deadline.
    /// @param taskId Id of the task.
    function takesLeases(uint32 taskId) external view returns (bool);

    /// @notice What a round needs of a task.
    /// @param taskId Id of the task.
    function roundTask(uint32 taskId) external view returns (RoundTask memory);

    /// @notice A task; reverts if unknown.
    /// @param taskId Id of the task.
    function task(uint32 taskId) external view returns (TaskView memory);

    /// @notice Ids run from 1 to this number.
    function taskCount() external view returns (uint32);

    /// @notice The task at a place of the queue, 0 for its head; 0 beyond its end.
    /// @param place The place.
    function queueAt(uint256 place) external view returns (uint32 taskId);

    /// @notice How many tasks stand in the queue.
    function queueLength() external view returns (uint256);

    /// @notice One of the parked tasks, in no order; reverts beyond the last.
    /// @param place Which of them, below {parkedCount}.
    function parkedAt(uint256 place) external view returns (uint32 taskId);

    /// @notice How many tasks are parked.
    function parkedCount() external view returns (uint256);

    /// @notice What submitting `units` units at a maximum price of `maxPrice` wei takes: the escrow, units x (maximum
    /// price + fee) and a deposit of 8 x {Param.SeedPrice} for its rounds, and the submission fee, which goes to the
    /// bounty pool and is not given back. Wei.
    /// @param units Units of work.
    /// @param maxPrice Maximum price of a unit, wei.
    /// @param auditChance See {Submission}, basis points.
    function depositFor(
        uint256 units,
        uint256 maxPrice,
        uint256 auditChance
    ) external view returns (uint256 escrow, uint256 fee);

    /// @notice What raising a task's maximum price to `maxPrice` wei adds to its escrow: the difference, with its fee,
    /// for each unit that is neither paid nor refunded. Wei. Reverts unless it is a raise to a legal price.
    /// @param taskId Id of the task.
    /// @param maxPrice Maximum price of a unit from then on, wei.
    function depositToRaise(uint32 taskId, uint256 maxPrice) external view returns (uint256);

    /// @notice Whether a round could take the task now, or what keeps it out.
    /// @param taskId Id of the task.
    function admissionOf(uint32 taskId) external view returns (Admission);

    /// @notice How many ranges of a task were leased before and wait again.
    /// @param taskId Id of the task.
    function reopenedCount(uint32 taskId) external view returns (uint256);

    /// @notice One of them, in the order in which a round takes them. Of an open round's task, those at the end may have come back
    /// since and wait for the next one.
    /// @param taskId Id of the task.
    /// @param place Which of them, below {reopenedCount}.
    function reopenedAt(uint32 taskId, uint256 place) external view returns (OpenRange memory);
}
