// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {Permits} from "../../libraries/Permits.sol";
import {ClassSet} from "../../types/ClassSet.sol";
import {IntakePaused, NotModule, NotTaskOwner, UnknownClass} from "../../types/Errors.sol";
import {Permit} from "../../types/Permit.sol";
import {PRICE_UNIT, UPKEEP_STEP_GAS} from "../../types/Units.sol";
import {Vault} from "../vault/Vault.sol";
import {FairShare} from "./FairShare.sol";
import {RoundBudget} from "./RoundBudget.sol";
import {TaskQueue} from "./TaskQueue.sol";
import {TaskTerms} from "./TaskTerms.sol";

/// @title Registry of tasks: what developers want trained, and the escrow behind it
/// @notice See {ITaskRegistry}.
contract TaskRegistry is ITaskRegistry, OneTimeInitialiser {
    using Permits for Permit;
    using RoundBudget for RoundBudget.Budget;
    using SafeCast for uint256;
    using TaskQueue for TaskQueue.Queue;

    /// @dev First slot: what rounds and leases change. Second: what they read. Then what only clients read.
    struct Task {
        TaskStatus status;
        bool queued;
        bool inRound;
        uint16 feeBps;
        uint32 units;
        uint32 openUnits;
        uint32 leasedUnits;
        uint32 paidUnits;
        uint32 refundedUnits;
        uint32 nextFresh;
        /// Where the reopened ranges end that the open round may use; what reopens meanwhile stands behind it.
        uint24 roundRanges;
        address owner;
        uint32 deadline;
        uint24 checkpointInterval;
        uint24 maxUnitTime;
        uint8 replicas;
        /// Whether `auditChance` is not zero: here, where checkpoints read.
        bool audited;
        // Third slot.
        uint16 specCodec;
        uint16 auditChance;
        uint64 maxPriceMicroVer;
        uint40 submittedAt;
        uint24 firstReopened;
        /// What is left to pay for places in rounds, wei; part of the escrow. Above any supply of VER.
        uint96 roundDeposit;
        /// Place in the list of parked tasks, counted from 1; 0: not parked.
        uint32 parkedPlace;
        bytes32 specDigest;
        ClassSet classes;
        uint40[] surchargesMicroVer;
        /// Oldest first, from `firstReopened` on.
        OpenRange[] reopened;
    }

    /// @notice Rounds that a new task has paid in advance, each as if the task were alone in it.
    uint256 public constant ROUNDS_IN_ADVANCE = 8;

    /// @notice Holds the escrows.
    Vault public immutable VAULT;
    /// @notice Fee, bounds of intervals, pause.
    IParameters public immutable PARAMETERS;
    /// @notice Classes and what is listed.
    ISupply public immutable SUPPLY;

    address private _rounds;
    address private _leases;
    address private _reassignment;

    /// @inheritdoc ITaskRegistry
    uint32 public taskCount;

    TaskQueue.Queue private _queue;
    /// @dev Open tasks that stand neither in the queue nor in a round because no round could serve them; in no order.
    uint32[] private _parked;
    mapping(uint32 taskId => Task) private _tasks;

    modifier onlyModule(address module) {
        require(msg.sender == module, NotModule(msg.sender));
        _;
    }

    constructor(Vault vault, IParameters parameters, ISupply supply) {
        VAULT = vault;
        PARAMETERS = parameters;
        SUPPLY = supply;
    }

    /// @inheritdoc ITaskRegistry
    function initialise(address rounds, address leases, address reassignment) external initialiser {
        _rounds = rounds;
        _leases = leases;
        _reassignment = reassignment;
        emit ModulesSet(rounds, leases, reassignment);
    }

    /// @inheritdoc ITaskRegistry
    function submit(Submission calldata s) external returns (uint32) {
        return _submit(s);
    }

    /// @inheritdoc ITaskRegistry
    function submitWithPermit(Submission calldata submission, Permit calldata permit) external returns (uint32) {
        (uint256 escrow, uint256 fee) = depositFor(submission.units, submission.maxPrice, submission.auditChance);
        _permit(permit, escrow + fee);
        return _submit(submission);
    }

    /// @inheritdoc ITaskRegistry
    function raisePrice(uint32 taskId, uint256 maxPrice) external {
        _raisePrice(taskId, maxPrice, depositToRaise(taskId, maxPrice));
    }

    /// @inheritdoc ITaskRegistry
    function raisePriceWithPermit(uint32 taskId, uint256 maxPrice, Permit calldata permit) external {
        uint256 deposit = depositToRaise(taskId, maxPrice);
        _permit(permit, deposit);
        _raisePrice(taskId, maxPrice, deposit);
    }

    /// @inheritdoc ITaskRegistry
    function cancel(uint32 taskId) external {
        Task storage t = _existing(taskId);
        _requireOwner(taskId, t);
        _close(taskId, t);
    }

    /// @inheritdoc ITaskRegistry
    function close(uint32 taskId) external {
        Task storage t = _existing(taskId);
        require(block.timestamp > t.deadline, DeadlineNotOver(taskId, t.deadline));
        _close(taskId, t);
    }

    /// @inheritdoc ITaskRegistry
    function fundRounds(uint32 taskId, uint256 amount) external {
        _fundRounds(taskId, amount);
    }

    /// @inheritdoc ITaskRegistry
    function fundRoundsWithPermit(uint32 taskId, uint256 amount, Permit calldata permit) external {
        _permit(permit, amount);
        _fundRounds(taskId, amount);
    }

    /// @inheritdoc ITaskRegistry
    function park(uint256 maximum) external returns (uint256 passed) {
        maximum = Math.min(maximum, _queue.length());
        for (; passed < maximum && (passed == 0 || gasleft() > UPKEEP_STEP_GAS); ++passed) {
            (Admission admission, ) = _admit(_tasks[_queue.at(0)], 1);
            if (admission == Admission.Admissible) return passed;
            _parkHead(admission);
        }
    }

    /// @inheritdoc ITaskRegistry
    function enqueue(uint32[] calldata taskIds) external returns (uint256 enqueued) {
        for (uint256 i; i < taskIds.length && (i == 0 || gasleft() > UPKEEP_STEP_GAS); ++i) {
            Task storage t = _tasks[taskIds[i]];
            if (t.parkedPlace == 0 || admissionOf(taskIds[i]) != Admission.Admissible) continue;
            if (msg.sender != t.owner && !_payUpkeep(taskIds[i], t)) continue;
            _enqueue(taskIds[i], t);
            ++enqueued;
        }
        require(enqueued != 0, NothingToEnqueue());
    }

    /// @inheritdoc ITaskRegistry
    function freeze(
        uint256 mostTasks,
        uint256 mostUnits
    ) external onlyModule(_rounds) returns (uint32[] memory taskIds, uint32[] memory demands, ClassSet) {
        // Each task that takes part gets a unit at least.
        mostTasks = Math.min(mostTasks, mostUnits);
        taskIds = new uint32[](mostTasks);
        demands = new uint32[](mostTasks);
        RoundBudget.Budget memory budget = RoundBudget.whole();
        uint256 count;
        for (uint256 left = _queue.length(); left != 0 && count < mostTasks; --left) {
            uint32 taskId = _queue.at(0);
            Task storage t = _tasks[taskId];
            ClassSet classes = t.classes;
            if (!budget.look(classes)) break;
            // More than what is listed for it cannot be leased; it would only keep others out of the round.
            (Admission admission, uint256 demand) = _admit(t, mostUnits);
            if (admission != Admission.Admissible) {
                _parkHead(admission);
                continue;
            }
            // Stays first in the queue, for the next round.
            if (!budget.take(classes)) break;
            _queue.popFront();
            (t.queued, t.inRound) = (false, true);
            t.roundRanges = uint24(t.reopened.length);
            taskIds[count] = taskId;
            demands[count++] = uint32(demand);
        }
        require(count != 0, NothingToAllocate());
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(taskIds, count)
            mstore(demands, count)
        }
        FairShare.cut(demands, Math.min(mostUnits, count + budget.leasesLeft()));
        return (taskIds, demands, budget.classes);
    }

    /// @inheritdoc ITaskRegistry
    function take(uint32 taskId, uint32 units) external onlyModule(_rounds) returns (OpenRange[] memory ranges) {
        Task storage t = _tasks[taskId];
        require(units <= t.openUnits, NotEnoughOpenUnits(taskId, t.openUnits, units));
        t.openUnits -= units;
        t.leasedUnits += units;
        emit UnitsLeased(taskId, units);

        (uint256 at, uint256 end) = (t.firstReopened, t.roundRanges);
        ranges = new OpenRange[](Math.min(end - at, units) + 1);
        uint256 count;
        for (; at != end && units != 0;) {
            OpenRange memory range = t.reopened[at];
            if (range.count <= units) {
                delete t.reopened[at++];
            } else {
                t.reopened[at].start = range.start + uint24(units);
                t.reopened[at].count = range.count - uint24(units);
                range.count = uint24(units);
            }
            units -= range.count;
            ranges[count++] = range;
        }
        if (count != 0) t.firstReopened = uint24(at);
        if (units != 0) {
            ranges[count++] = OpenRange(uint24(t.nextFresh), uint24(units), 0, 1, 0);
            t.nextFresh += units;
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(ranges, count)
        }
    }

    /// @inheritdoc ITaskRegistry
    function charge(
        uint32[] calldata taskIds,
        uint256[] calldata values
    ) external onlyModule(_rounds) returns (uint256 fees) {
        uint256 share = Math.ceilDiv(_value(Param.SeedPrice), taskIds.length) * PRICE_UNIT;
        for (uint256 i; i < taskIds.length; ++i) {
            Task storage t = _tasks[taskIds[i]];
            uint256 fee = TaskTerms.halfFee(values[i] * PRICE_UNIT, t.feeBps);
            // The fee counts towards the seed's price: work that is worth it pays nothing else.
            if (fee < share) fee += _useDeposit(taskIds[i], t, Math.min(share - fee, t.roundDeposit));
            if (fee == 0) continue;
            fees += fee;
            _collect(taskIds[i], fee);
        }
    }

    /// @inheritdoc ITaskRegistry
    function thaw(uint32[] calldata taskIds, bool toFront) external onlyModule(_rounds) {
        for (uint256 i; i < taskIds.length; ++i) {
            // Backwards to the front, so that the first stays first.
            uint32 taskId = taskIds[toFront ? taskIds.length - 1 - i : i];
            Task storage t = _tasks[taskId];
            t.inRound = false;
            if (t.status == TaskStatus.Closing) {
                _refundOpen(taskId, t);
                _endIfDone(taskId, t);
            } else if (t.openUnits != 0 && !t.queued) {
                if (!toFront) {
                    _enqueue(taskId, t);
                    continue;
                }
                t.queued = true;
                _queue.pushFront(taskId);
                emit TaskQueued(taskId, t.openUnits);
            }
        }
    }

    /// @inheritdoc ITaskRegistry
    function reopen(uint32 taskId, OpenRange calldata range) external {
        require(msg.sender == _leases || msg.sender == _reassignment, NotModule(msg.sender));
        Task storage t = _tasks[taskId];
        t.leasedUnits -= range.count;
        t.openUnits += range.count;
        emit UnitsReopened(taskId, range.start, range.count, range.parent);
        if (t.status == TaskStatus.Closing && !t.inRound) {
            _refundOpen(taskId, t);
            _endIfDone(taskId, t);
            return;
        }
        t.reopened.push(range);
        if (!t.queued && !t.inRound) _enqueue(taskId, t);
    }

    /// @inheritdoc ITaskRegistry
    function refund(uint32 taskId, uint32 units) external onlyModule(_leases) {
        Task storage t = _tasks[taskId];
        t.leasedUnits -= units;
        _refund(taskId, t, units, 0);
        _endIfDone(taskId, t);
    }

    /// @inheritdoc ITaskRegistry
    function markPaid(uint32 taskId, uint32 units) external onlyModule(_leases) {
        Task storage t = _tasks[taskId];
        t.leasedUnits -= units;
        t.paidUnits += units;
        emit UnitsPaid(taskId, units);
        _endIfDone(taskId, t);
    }

    /// @inheritdoc ITaskRegistry
    function termsOf(uint32 taskId) external view returns (address, uint16, uint32, uint40) {
        Task storage t = _tasks[taskId];
        return (t.owner, t.feeBps, t.checkpointInterval, t.deadline);
    }

    /// @inheritdoc ITaskRegistry
    function paceOf(uint32 taskId) external view returns (uint32, uint32) {
        Task storage t = _tasks[taskId];
        return (t.checkpointInterval, t.maxUnitTime);
    }

    /// @inheritdoc ITaskRegistry
    function checkpointTermsOf(uint32 taskId) external view returns (uint8, bool) {
        Task storage t = _tasks[taskId];
        return (t.replicas, t.audited);
    }

    /// @inheritdoc ITaskRegistry
    function auditChanceOf(uint32 taskId) external view returns (uint16) {
        return _tasks[taskId].auditChance;
    }

    /// @inheritdoc ITaskRegistry
    function takesLeases(uint32 taskId) external view returns (bool) {
        return _takesLeases(_tasks[taskId]);
    }

    /// @inheritdoc ITaskRegistry
    function roundTask(uint32 taskId) external view returns (RoundTask memory) {
        Task storage t = _tasks[taskId];
        return RoundTask(t.maxPriceMicroVer, t.checkpointInterval, t.classes, t.surchargesMicroVer);
    }

    /// @inheritdoc ITaskRegistry
    function task(uint32 taskId) external view returns (TaskView memory v) {
        Task storage t = _existing(taskId);
        v.id = taskId;
        v.status = t.status;
        v.queued = t.queued;
        v.inRound = t.inRound;
        v.parked = t.parkedPlace != 0;
        v.units = t.units;
        v.openUnits = t.openUnits;
        v.leasedUnits = t.leasedUnits;
        v.paidUnits = t.paidUnits;
        v.refundedUnits = t.refundedUnits;
        v.checkpointInterval = t.checkpointInterval;
        v.maxUnitTime = t.maxUnitTime;
        v.replicas = t.replicas;
        v.auditChance = t.auditChance;
        v.submittedAt = t.submittedAt;
        v.deadline = t.deadline;
        v.specCodec = t.specCodec;
        v.feeBps = t.feeBps;
        v.specDigest = t.specDigest;
        v.owner = t.owner;
        v.maxPrice = t.maxPriceMicroVer * PRICE_UNIT;
        v.escrow = VAULT.escrowOf(taskId);
        v.roundDeposit = t.roundDeposit;
        (v.classIds, v.surcharges) = _classesOf(t);
    }

    /// @inheritdoc ITaskRegistry
    function queueAt(uint256 place) external view returns (uint32) {
        return _queue.at(place);
    }

    /// @inheritdoc ITaskRegistry
    function parkedAt(uint256 place) external view returns (uint32) {
        return _parked[place];
    }

    /// @inheritdoc ITaskRegistry
    function parkedCount() external view returns (uint256) {
        return _parked.length;
    }

    /// @inheritdoc ITaskRegistry
    function queueLength() external view returns (uint256) {
        return _queue.length();
    }

    /// @inheritdoc ITaskRegistry
    function reopenedCount(uint32 taskId) external view returns (uint256) {
        Task storage t = _tasks[taskId];
        return t.reopened.length - t.firstReopened;
    }

    /// @inheritdoc ITaskRegistry
    function reopenedAt(uint32 taskId, uint256 place) external view returns (OpenRange memory) {
        Task storage t = _tasks[taskId];
        return t.reopened[t.firstReopened + place];
    }

    /// @inheritdoc ITaskRegistry
    function depositFor(
        uint256 units,
        uint256 maxPrice,
        uint256 auditChance
    ) public view returns (uint256 escrow, uint256 fee) {
        escrow = TaskTerms.escrowFor(units, maxPrice, _feeBps(auditChance)) + _roundDeposit();
        return (escrow, _amount(Param.SubmissionFee));
    }

    /// @inheritdoc ITaskRegistry
    function depositToRaise(uint32 taskId, uint256 maxPrice) public view returns (uint256) {
        Task storage t = _existing(taskId);
        uint256 current = t.maxPriceMicroVer * PRICE_UNIT;
        require(maxPrice > current, PriceNotRaised(taskId, maxPrice, current));
        TaskTerms.microVer(maxPrice);
        uint256 units = t.units - t.paidUnits - t.refundedUnits;
        return TaskTerms.escrowFor(units, maxPrice, t.feeBps) - TaskTerms.escrowFor(units, current, t.feeBps);
    }

    /// @inheritdoc ITaskRegistry
    function admissionOf(uint32 taskId) public view returns (Admission admission) {
        (admission, ) = _admit(_tasks[taskId], 1);
    }

    function _submit(Submission calldata s) private returns (uint32 taskId) {
        require(!PARAMETERS.intakePaused(), IntakePaused());
        TaskTerms.check(s, PARAMETERS);
        taskId = ++taskCount;
        Task storage t = _tasks[taskId];
        t.status = TaskStatus.Open;
        t.feeBps = uint16(_feeBps(s.auditChance));
        t.units = s.units;
        t.openUnits = s.units;
        t.owner = msg.sender;
        t.deadline = uint256(s.deadline).toUint32();
        t.checkpointInterval = uint24(s.checkpointInterval);
        t.maxUnitTime = uint24(s.maxUnitTime);
        t.specCodec = s.specCodec;
        t.replicas = s.replicas;
        t.audited = s.auditChance != 0;
        t.auditChance = s.auditChance;
        t.specDigest = s.specDigest;
        t.maxPriceMicroVer = uint64(s.maxPrice / PRICE_UNIT);
        t.submittedAt = uint40(block.timestamp);
        t.classes = _classSet(s, t.surchargesMicroVer);
        uint256 advance = _roundDeposit();
        t.roundDeposit = uint96(advance);
        uint256 escrow = TaskTerms.escrowFor(s.units, s.maxPrice, t.feeBps) + advance;
        uint256 fee = _amount(Param.SubmissionFee);
        emit TaskSubmitted(taskId, msg.sender, s.specDigest, s.units, s.maxPrice, escrow);
        if (s.auditChance != 0) emit AuditsAskedFor(taskId, s.auditChance, t.feeBps);
        _enqueue(taskId, t);
        _lock(taskId, escrow + fee);
        if (fee != 0) _collect(taskId, fee);
    }

    function _permit(Permit calldata permit, uint256 amount) private {
        permit.use(address(VAULT.TOKEN()), address(VAULT), amount);
    }

    /// @dev Units that are leased may be leased again, at the new price; so the deposit is for them as well.
    function _raisePrice(uint32 taskId, uint256 maxPrice, uint256 deposit) private {
        Task storage t = _tasks[taskId];
        _requireOwner(taskId, t);
        _requireOpen(taskId, t);
        // A seed may be known by now, and the price decides what it chooses.
        require(!SUPPLY.frozen(), ISupply.ListingsFrozen());
        emit PriceRaised(taskId, t.maxPriceMicroVer * PRICE_UNIT, maxPrice, deposit);
        t.maxPriceMicroVer = uint64(TaskTerms.microVer(maxPrice));
        if (t.parkedPlace != 0 && admissionOf(taskId) == Admission.Admissible) _enqueue(taskId, t);
        _lock(taskId, deposit);
    }

    function _fundRounds(uint32 taskId, uint256 amount) private {
        Task storage t = _existing(taskId);
        _requireOpen(taskId, t);
        // An amount that does not fit is more than there is of the token: the transfer reverts.
        t.roundDeposit += uint96(amount);
        emit RoundDepositAdded(taskId, msg.sender, amount);
        _lock(taskId, amount);
    }

    /// @dev The accepted classes as a set; fills `surcharges`. At most {MAX_TASK_CLASSES} steps.
    function _classSet(Submission calldata s, uint40[] storage surcharges) private returns (ClassSet classes) {
        uint256 known = SUPPLY.classes().length;
        for (uint256 i; i < s.classIds.length; ++i) {
            uint8 classId = s.classIds[i];
            require(classId < known, UnknownClass(classId));
            require(i == 0 || classId > s.classIds[i - 1], ClassesNotAscending(classId));
            classes = classes.withClass(classId);
            if (s.surcharges.length != 0) surcharges.push(uint40(TaskTerms.microVer(s.surcharges[i])));
        }
    }

    function _close(uint32 taskId, Task storage t) private {
        _requireOpen(taskId, t);
        t.status = TaskStatus.Closing;
        emit TaskClosing(taskId);
        if (t.inRound) return;
        _refundOpen(taskId, t);
        _endIfDone(taskId, t);
    }

    /// @dev Open units of a closing task are refunded; it waits for nothing any longer.
    function _refundOpen(uint32 taskId, Task storage t) private {
        _unpark(t);
        uint32 open = t.openUnits;
        if (open == 0) return;
        uint32 fresh = t.units - t.nextFresh;
        t.openUnits = 0;
        t.nextFresh = t.units;
        _refund(taskId, t, open, fresh);
    }

    /// @dev Units are worth what was reserved for them; of the fee for those that were leased before, half is spent.
    function _refund(uint32 taskId, Task storage t, uint32 units, uint32 fresh) private {
        t.refundedUnits += units;
        uint256 price = t.maxPriceMicroVer * PRICE_UNIT;
        uint256 amount =
            TaskTerms.escrowFor(units, price, t.feeBps) - (units - fresh) * TaskTerms.halfFee(price, t.feeBps);
        emit UnitsRefunded(taskId, units, amount);
        _release(taskId, t, amount);
    }

    /// @dev A task ends when nothing of it is open or leased; what is left of its escrow goes back.
    function _endIfDone(uint32 taskId, Task storage t) private {
        if (t.openUnits != 0 || t.leasedUnits != 0) return;
        t.status = TaskStatus.Ended;
        uint256 rest = VAULT.escrowOf(taskId);
        emit TaskEnded(taskId, rest);
        if (rest != 0) _release(taskId, t, rest);
    }

    /// @dev Puts a task that waits at the end of the queue.
    function _enqueue(uint32 taskId, Task storage t) private {
        _unpark(t);
        t.queued = true;
        _queue.pushBack(taskId);
        emit TaskQueued(taskId, t.openUnits);
    }

    /// @dev Takes the head out of the queue; it is parked if it has units that wait.
    function _parkHead(Admission why) private {
        uint32 taskId = _queue.popFront();
        Task storage t = _tasks[taskId];
        t.queued = false;
        if (why == Admission.NothingOpen) return;
        _parked.push(taskId);
        t.parkedPlace = uint32(_parked.length);
        emit TaskParked(taskId, why);
    }

    /// @dev The last of the parked tasks takes the place of the one that leaves.
    function _unpark(Task storage t) private {
        uint32 place = t.parkedPlace;
        if (place == 0) return;
        uint32 last = _parked[_parked.length - 1];
        _parked[place - 1] = last;
        _tasks[last].parkedPlace = place;
        t.parkedPlace = 0;
        _parked.pop();
    }

    /// @dev What the next stay in the queue costs its task where others see to it; nothing that its next round needs.
    function _payUpkeep(uint32 taskId, Task storage t) private returns (bool) {
        uint256 fee = _amount(Param.SubmissionFee);
        if (t.roundDeposit < fee + _amount(Param.SeedPrice)) return false;
        if (fee != 0) _collect(taskId, _useDeposit(taskId, t, fee));
        return true;
    }

    function _useDeposit(uint32 taskId, Task storage t, uint256 amount) private returns (uint256) {
        if (amount == 0) return 0;
        t.roundDeposit -= uint96(amount);
        emit RoundDepositUsed(taskId, amount, t.roundDeposit);
        return amount;
    }

    /// @dev Whether a round can take the task now, or why not; and the units that it would bring, at most `maximum`.
    function _admit(Task storage t, uint256 maximum) private view returns (Admission, uint256 demand) {
        if (t.status != TaskStatus.Open || t.openUnits == 0) return (Admission.NothingOpen, 0);
        if (!_takesLeases(t)) return (Admission.DeadlineNear, 0);
        if (t.roundDeposit < _amount(Param.SeedPrice)) return (Admission.DepositTooLow, 0);
        demand = _supply(t, Math.min(t.openUnits, maximum));
        return (demand == 0 ? Admission.NoSupply : Admission.Admissible, demand);
    }

    /// @dev Units that something listed now could serve at the task's price, but no more than `most`.
    function _supply(Task storage t, uint256 most) private view returns (uint256 units) {
        uint256 price = t.maxPriceMicroVer;
        bool plain = t.surchargesMicroVer.length == 0;
        ClassSet classes = t.classes;
        for (uint256 i; !classes.isEmpty() && units < most; (++i, classes = classes.withoutFirst())) {
            uint256 surcharge = plain ? 0 : t.surchargesMicroVer[i];
            if (surcharge <= price) units += SUPPLY.unitsAtOrBelow(classes.first(), price - surcharge);
        }
        return Math.min(units, most);
    }

    function _takesLeases(Task storage t) private view returns (bool) {
        return t.status == TaskStatus.Open && block.timestamp + _value(Param.MinLeaseTime) <= t.deadline;
    }

    function _requireOpen(uint32 taskId, Task storage t) private view {
        require(t.status == TaskStatus.Open, TaskNotOpen(taskId, t.status));
    }

    function _requireOwner(uint32 taskId, Task storage t) private view {
        require(msg.sender == t.owner, NotTaskOwner(taskId, msg.sender));
    }

    function _existing(uint32 taskId) private view returns (Task storage t) {
        t = _tasks[taskId];
        require(t.status != TaskStatus.None, UnknownTask(taskId));
    }

    function _classesOf(Task storage t) private view returns (uint8[] memory ids, uint256[] memory surcharges) {
        ClassSet classes = t.classes;
        ids = new uint8[](classes.count());
        for (uint256 i; i < ids.length; (++i, classes = classes.withoutFirst())) ids[i] = classes.first();
        surcharges = new uint256[](ids.length);
        for (uint256 i; i < t.surchargesMicroVer.length; ++i) surcharges[i] = t.surchargesMicroVer[i] * PRICE_UNIT;
    }

    function _feeBps(uint256 auditChance) private view returns (uint256) {
        return TaskTerms.feeFor(_value(Param.FeeBps), auditChance);
    }

    /// @dev What a new task pays in advance for its rounds, wei.
    function _roundDeposit() private view returns (uint256) {
        return ROUNDS_IN_ADVANCE * _amount(Param.SeedPrice);
    }

    function _lock(uint32 taskId, uint256 amount) private {
        VAULT.lockEscrow(taskId, msg.sender, amount);
    }

    function _release(uint32 taskId, Task storage t, uint256 amount) private {
        VAULT.releaseEscrow(taskId, t.owner, amount);
    }

    function _collect(uint32 taskId, uint256 amount) private {
        VAULT.collectFee(taskId, amount);
    }

    function _value(Param param) private view returns (uint256) {
        return PARAMETERS.get(param);
    }

    /// @dev A parameter that is money, wei.
    function _amount(Param param) private view returns (uint256) {
        return _value(param) * PRICE_UNIT;
    }
}
