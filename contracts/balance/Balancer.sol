// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS} from "../governance/Units.sol";
import {IBalancer} from "../interfaces/IBalancer.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../interfaces/ITelemetry.sol";

/// @title Moves of units between nodes, planned off-chain and checked here
/// @notice See {IBalancer}.
contract Balancer is IBalancer {
    /// @dev What all moves of a plan are held against.
    struct Rule {
        /// Average = loads / nodes.
        uint256 loads;
        uint256 nodes;
        /// Half width of the band, basis points.
        uint256 band;
        uint256 timeout;
        uint256 grace;
    }

    /// @dev One end of a move.
    struct End {
        uint256 capacity;
        /// Basis points x capacity, with what is on its way.
        uint256 load;
        uint32 unitPower;
        bool throttled;
    }

    /// @notice Band, graces, cooldown.
    IParameters public immutable PARAMETERS;
    /// @notice Takes the target's units.
    ISupply public immutable SUPPLY;
    /// @notice Classes and prices that tasks accept.
    ITaskRegistry public immutable TASKS;
    /// @notice Whose ranges move.
    ILeaseRegistry public immutable LEASES;
    /// @notice Loads and power.
    ITelemetry public immutable TELEMETRY;

    mapping(uint32 nodeId => Shift) private _shifts;
    mapping(uint32 leaseId => uint40 movedAt) private _movedAt;

    constructor(
        IParameters parameters,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        ITelemetry telemetry
    ) {
        PARAMETERS = parameters;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        TELEMETRY = telemetry;
    }

    /// @inheritdoc IBalancer
    function move(Move[] calldata moves) external {
        Rule memory rule;
        (rule.loads, rule.nodes) = TELEMETRY.averageLoad();
        rule.band = PARAMETERS.get(Param.BalanceBand);
        rule.timeout = PARAMETERS.get(Param.ReportTimeout);
        rule.grace = PARAMETERS.get(Param.MoveGrace);
        for (uint256 i; i < moves.length; ++i) _move(moves[i], rule);
    }

    /// @inheritdoc IBalancer
    function shiftOf(uint32 nodeId) external view returns (Shift memory) {
        return _shiftAt(nodeId, TELEMETRY.standingOf(nodeId).at);
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
        require(lease.nodeId != m.nodeId, SameNode(m.leaseId, m.nodeId));
        require(m.units != 0 && m.units <= lease.count, UnitsOutOfRange(m.leaseId, m.units, lease.count));
        uint256 cooling = _coolingUntil(lease.parent);
        require(block.timestamp >= cooling, RangeCooling(m.leaseId, cooling));

        Cause cause = _judgeEnds(lease.nodeId, m.nodeId, m.units, rule);
        uint40 price = _take(lease.taskId, m.nodeId, m.units);
        _movedAt[m.leaseId] = uint40(block.timestamp);
        emit Moved(m.leaseId, lease.nodeId, m.nodeId, m.units, cause);
        LEASES.startMove(m.leaseId, ILeaseRegistry.Target(m.nodeId, m.units, price));
    }

    /// @dev Checks both ends against what they last reported, and notes the units as on their way.
    function _judgeEnds(uint32 from, uint32 to, uint24 units, Rule memory rule) private returns (Cause cause) {
        End memory source = _end(from, units, true, rule);
        End memory target = _end(to, units, false, rule);
        uint256 part = uint256(units) * BASIS;
        if (source.throttled) {
            cause = Cause.Power;
            require(target.unitPower <= source.unitPower, TargetLessEfficient(to, target.unitPower, source.unitPower));
            // The target stays within the band.
            require(
                (target.load + part) * rule.nodes <= (rule.loads + rule.band * rule.nodes) * target.capacity,
                TargetInBand(to, target.load / target.capacity, rule.loads, rule.nodes)
            );
        } else {
            require(
                source.load * rule.nodes > (rule.loads + rule.band * rule.nodes) * source.capacity,
                SourceInBand(from, source.load / source.capacity, rule.loads, rule.nodes)
            );
            require(
                target.load * rule.nodes + rule.band * rule.nodes * target.capacity < rule.loads * target.capacity,
                TargetInBand(to, target.load / target.capacity, rule.loads, rule.nodes)
            );
            // Beyond the average by no more than one unit's worth: 10,000 / capacity basis points.
            require(
                (source.load + BASIS) * rule.nodes >= rule.loads * source.capacity + part * rule.nodes,
                SourceCrosses(from, units)
            );
            require(
                (target.load + part) * rule.nodes <= rule.loads * target.capacity + BASIS * rule.nodes,
                TargetCrosses(to, units)
            );
        }
    }

    /// @dev A node's load at its last report. Of a source what has gone since counts as gone, of a target what has come as
    /// come; never the reverse, so that units on their way make no node look fit to be moved from or to.
    function _end(uint32 nodeId, uint24 units, bool isSource, Rule memory rule) private returns (End memory end) {
        ITelemetry.Standing memory s = TELEMETRY.standingOf(nodeId);
        require(s.counted && block.timestamp <= s.at + rule.timeout, NodeNotReporting(nodeId));
        end.capacity = SUPPLY.stateOf(nodeId).capacity;
        end.load = s.load * end.capacity;
        end.unitPower = s.unitPower;
        end.throttled = s.throttled;
        Shift memory shift = _shiftAt(nodeId, s.at);
        if (isSource) {
            end.load = Math.saturatingSub(end.load, shift.outgoing * BASIS);
            shift.outgoing += units;
        } else {
            end.load += shift.incoming * BASIS;
            shift.incoming += units;
        }
        shift.until = uint40(block.timestamp + rule.grace);
        _shifts[nodeId] = shift;
    }

    function _shiftAt(uint32 nodeId, uint40 reportedAt) private view returns (Shift memory shift) {
        shift = _shifts[nodeId];
        if (reportedAt > shift.until) delete shift;
    }

    function _coolingUntil(uint32 parent) private view returns (uint256) {
        uint256 at = _movedAt[parent];
        return at == 0 ? 0 : at + PARAMETERS.get(Param.MoveCooldown);
    }

    /// @dev Takes the target's units, if the task accepts its class and pays its ask.
    function _take(uint32 taskId, uint32 nodeId, uint24 units) private returns (uint40 price) {
        (, , , uint40 deadline) = TASKS.termsOf(taskId);
        require(block.timestamp + PARAMETERS.get(Param.MinLeaseTime) <= deadline, TaskTooLate(taskId, deadline));
        ITaskRegistry.RoundTask memory task = TASKS.roundTask(taskId);
        uint8 classId;
        (classId, price) = SUPPLY.take(nodeId, units);
        uint256 bit = 1 << classId;
        require(task.classes & bit != 0, ClassNotAccepted(taskId, classId));
        uint256 most = task.maxPrice;
        if (task.surcharges.length != 0) {
            // The surcharges stand in the order of the classes' bits.
            uint256 place;
            for (uint256 set = task.classes & (bit - 1); set != 0; set &= set - 1) ++place;
            most = Math.saturatingSub(most, task.surcharges[place]);
        }
        require(price <= most, AskAboveMaximum(nodeId, price, most));
    }
}
