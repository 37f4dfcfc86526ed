// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBalancer} from "../../interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IReleaseFees} from "../../interfaces/IReleaseFees.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {ClassSet} from "../../types/ClassSet.sol";
import {BASIS} from "../../types/Units.sol";

/// @title Moves of units between nodes, planned off-chain and checked here
/// @notice See {IBalancer}.
contract Balancer is IBalancer {
    /// @dev What all moves of a plan are checked against.
    struct Rule {
        /// Average = loads / capacity.
        uint256 loads;
        uint256 capacity;
        /// Half width of the band, basis points.
        uint256 band;
        /// Load up to which no node is too hot, basis points.
        uint256 floor;
        uint256 timeout;
        uint256 grace;
    }

    /// @notice Band, graces, cooldown.
    IParameters public immutable PARAMETERS;
    /// @notice What is free at which price; is told who gets no new work for now.
    ISupply public immutable SUPPLY;
    /// @notice Classes and prices that tasks accept.
    ITaskRegistry public immutable TASKS;
    /// @notice Whose ranges move.
    ILeaseRegistry public immutable LEASES;
    /// @notice Loads and power.
    ITelemetry public immutable TELEMETRY;
    /// @notice What governance says of the classes' efficiency.
    IEnergyLedger public immutable LEDGER;
    /// @notice Says which leases could be given back for nothing.
    IReleaseFees public immutable RELEASE_FEES;

    mapping(uint32 nodeId => Shift) private _shifts;

    constructor(
        IParameters parameters,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        ITelemetry telemetry,
        IEnergyLedger ledger,
        IReleaseFees releaseFees
    ) {
        PARAMETERS = parameters;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        TELEMETRY = telemetry;
        LEDGER = ledger;
        RELEASE_FEES = releaseFees;
    }

    /// @inheritdoc IBalancer
    function move(Move[] calldata moves) external {
        Rule memory rule;
        (rule.loads, rule.capacity) = TELEMETRY.averageLoad();
        rule.band = PARAMETERS.get(Param.BalanceBand);
        rule.floor = PARAMETERS.get(Param.LoadFloor);
        rule.timeout = PARAMETERS.get(Param.ReportTimeout);
        rule.grace = PARAMETERS.get(Param.MoveGrace);
        for (uint256 i; i < moves.length; ++i) _move(moves[i], rule);
    }

    /// @inheritdoc IBalancer
    function shiftOf(uint32 nodeId) external view returns (Shift memory) {
        return _shiftAt(nodeId, TELEMETRY.reportStateOf(nodeId).at);
    }

    /// @inheritdoc IBalancer
    function coolingUntil(uint32 leaseId) external view returns (uint256) {
        return _coolingUntil(LEASES.lease(leaseId).parent);
    }

    function _move(Move calldata m, Rule memory rule) private {
        ILeaseRegistry.Lease memory lease = LEASES.lease(m.leaseId);
        // Moving saves no failed node from its penalty.
        bool active = lease.status == ILeaseRegistry.LeaseStatus.Active && block.timestamp <= lease.due;
        require(active, LeaseNotActive(m.leaseId));
        require(m.units != 0 && m.units <= lease.count, UnitsOutOfRange(m.leaseId, m.units, lease.count));
        // Or a node that reports a high load would give leases back for nothing.
        require(RELEASE_FEES.isFree(m.leaseId), NoHeadwayYet(m.leaseId));
        uint256 cooling = _coolingUntil(lease.parent);
        require(block.timestamp >= cooling, RangeCooling(m.leaseId, cooling));
        (, , , uint40 deadline) = TASKS.termsOf(lease.taskId);
        require(block.timestamp + PARAMETERS.get(Param.MinLeaseTime) <= deadline, TaskTooLate(lease.taskId, deadline));

        (Cause cause, uint8 classId) = _judgeSource(lease.nodeId, m.units, rule);
        // Nobody loses work for which the market has no room.
        ClassSet takers = _takers(lease.taskId, m.units, cause == Cause.Power, classId);
        require(!takers.isEmpty(), NotEnoughSupply(lease.taskId, m.units));
        emit Moved(m.leaseId, lease.nodeId, m.units, cause);
        LEASES.startMove(m.leaseId, m.units, cause == Cause.Power ? takers : ClassSet.wrap(0));
    }

    /// @dev Checks a source against what it last reported, and notes the units as gone. What has left since counts as gone,
    /// so that units on their way make no node look fit to be moved from.
    function _judgeSource(uint32 nodeId, uint24 units, Rule memory rule) private returns (Cause cause, uint8 classId) {
        ITelemetry.ReportState memory s = TELEMETRY.reportStateOf(nodeId);
        require(s.counted && block.timestamp <= s.at + rule.timeout, NodeNotReporting(nodeId));
        ISupply.State memory state = SUPPLY.stateOf(nodeId);
        classId = state.classId;
        Shift memory shift = _shiftAt(nodeId, s.at);
        if (s.throttled) {
            cause = Cause.Power;
        } else {
            // Basis points x units of capacity.
            uint256 load = Math.saturatingSub(uint256(s.load) * state.capacity, shift.outgoing * BASIS);
            bool hot =
                load > rule.floor * state.capacity &&
                    load * rule.capacity > (rule.loads + rule.band * rule.capacity) * state.capacity;
            require(hot, SourceInBand(nodeId, load / state.capacity, rule.loads, rule.capacity));
            // Beyond the average by no more than one unit's worth: 10,000 / capacity basis points.
            require(
                (load + BASIS) * rule.capacity >= rule.loads * state.capacity + units * BASIS * rule.capacity,
                MoveOvershootsSource(nodeId, units)
            );
        }
        // Too hot for what it has: nothing new until it reports again.
        TELEMETRY.exclude(nodeId);
        shift.outgoing += units;
        shift.until = uint40(block.timestamp + rule.grace);
        _shifts[nodeId] = shift;
    }

    /// @dev Classes that may take units of a task; none if they list too few of them at what it pays. For a
    /// throttled node's work they are the most efficient of those that list enough, none less efficient than its own.
    function _takers(
        uint32 taskId,
        uint24 units,
        bool efficient,
        uint8 ownClass
    ) private view returns (ClassSet takers) {
        ITaskRegistry.RoundTask memory task = TASKS.roundTask(taskId);
        uint256 best = efficient ? _joulesOf(ownClass) : 0;
        uint256 free;
        uint256 place;
        for (ClassSet rest = task.classes; !rest.isEmpty(); rest = rest.withoutFirst()) {
            // The surcharges are in the order of the classes' bits.
            uint256 surcharge = task.surchargesMicroVer.length == 0 ? 0 : task.surchargesMicroVer[place++];
            if (surcharge > task.maxPriceMicroVer) continue;
            uint8 classId = rest.first();
            uint256 listed = SUPPLY.unitsAtOrBelow(classId, task.maxPriceMicroVer - surcharge);
            if (!efficient) {
                free += listed;
                if (free >= units) return task.classes;
            } else if (listed >= units) {
                uint256 joules = _joulesOf(classId);
                if (joules > best) continue;
                takers = (joules == best ? takers : ClassSet.wrap(0)).withClass(classId);
                best = joules;
            }
        }
    }

    /// @dev What governance says that a unit takes in a class, joules; a class without a figure comes last.
    function _joulesOf(uint8 classId) private view returns (uint256 joules) {
        joules = LEDGER.classEnergyOf(classId).baselineJoules;
        if (joules == 0) joules = type(uint256).max;
    }

    function _shiftAt(uint32 nodeId, uint40 reportedAt) private view returns (Shift memory shift) {
        shift = _shifts[nodeId];
        if (reportedAt > shift.until) delete shift;
    }

    function _coolingUntil(uint32 parent) private view returns (uint256) {
        uint256 at = LEASES.departureOf(parent).startedAt;
        return at == 0 ? 0 : at + PARAMETERS.get(Param.MoveCooldown);
    }
}
