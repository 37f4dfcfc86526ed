// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS} from "../../types/Units.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {IEnergyLedger} from "../../interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {Figures} from "./Figures.sol";

/// @title Energy and carbon of nodes, tasks and the network
/// @notice See {IEnergyLedger}.
contract EnergyLedger is IEnergyLedger, AccessManaged, OneTimeInitialiser {
    using Figures for Account;

    /// @dev What is added to an account at once.
    struct Sums {
        uint8 method;
        uint256 joules;
        uint256 renewableJoules;
        uint256 seconds_;
        uint256 unitSeconds;
        uint256 idleUnitSeconds;
        uint256 carbon;
    }

    /// @dev The part of an {Account} that reports change: two slots, read and written once a report.
    struct Flow {
        uint64 raplJoules;
        uint64 nvmlJoules;
        uint64 estimatedJoules;
        uint64 renewableJoules;
        // Second slot.
        uint48 seconds_;
        uint56 unitSeconds;
        uint56 idleUnitSeconds;
        uint88 carbon;
    }

    /// @dev The part that credits change: one slot.
    struct Merit {
        uint32 creditedUnits;
        uint80 baselineJoules;
        uint104 baselineCarbon;
    }

    /// @notice Highest baseline: 20 kW for a day. A unit is nominally an hour of one device.
    uint40 public constant MAX_BASELINE = 20_000 * 1 days;
    /// @notice Highest grid intensity, milligrams per kWh; lignite alone stays below it.
    uint24 public constant MAX_INTENSITY = 2_000_000;

    /// @notice The baseline's PUE.
    IParameters public immutable PARAMETERS;
    /// @notice Which work was paid.
    ILeaseRegistry public immutable LEASES;

    address private _telemetry;
    mapping(Scope scope => mapping(uint32 id => Flow)) private _flows;
    mapping(Scope scope => mapping(uint32 id => Merit)) private _merits;
    mapping(uint32 leaseId => LeaseEnergy) private _leaseEnergies;
    mapping(uint8 classId => ClassEnergy) private _classEnergies;

    constructor(address authority, IParameters parameters, ILeaseRegistry leases) AccessManaged(authority) {
        PARAMETERS = parameters;
        LEASES = leases;
    }

    /// @inheritdoc IEnergyLedger
    function initialise(address telemetry) external initialiser {
        _telemetry = telemetry;
        emit ModulesSet(telemetry);
    }

    /// @inheritdoc IEnergyLedger
    function setClassEnergies(ClassSetting[] calldata settings) external restricted {
        for (uint256 i; i < settings.length; ++i) {
            (uint8 classId, ClassEnergy calldata energy) = (settings[i].classId, settings[i].energy);
            require(
                energy.baselineJoules <= MAX_BASELINE && energy.gridIntensity <= MAX_INTENSITY,
                ClassEnergyOutOfBounds(classId, energy.baselineJoules, energy.gridIntensity)
            );
            emit ClassEnergySet(classId, _classEnergies[classId], energy);
            _classEnergies[classId] = energy;
        }
    }

    /// @inheritdoc IEnergyLedger
    function record(Entry calldata entry) external {
        require(msg.sender == _telemetry, NotModule(msg.sender));
        uint256 units;
        for (uint256 i; i < entry.parts.length; ++i) units += entry.parts[i].count;
        Sums memory sums = Sums({
            method: entry.method,
            joules: entry.joules,
            renewableJoules: entry.renewableJoules,
            seconds_: entry.period,
            unitSeconds: units * entry.period,
            idleUnitSeconds: entry.idleUnitSeconds,
            carbon: 0
        });
        // What no lease has a share in emits at the grid of the node's class of now; each share at that of its lease's class.
        uint256 rest = entry.joules - entry.renewableJoules;
        for (uint256 i; i < entry.parts.length; ++i) {
            (uint256 emitting, uint256 carbon) = _recordPart(entry, entry.parts[i], units);
            // Shares round their renewable part down, so together they may emit a little more than there is.
            rest -= Math.min(rest, emitting);
            sums.carbon += carbon;
        }
        sums.carbon += rest * _classEnergies[entry.classId].gridIntensity;
        _add(Scope.Network, 0, sums);
        _add(Scope.Node, entry.nodeId, sums);
    }

    /// @inheritdoc IEnergyLedger
    function credit(uint32[] calldata leaseIds) external {
        uint256 pue = PARAMETERS.get(Param.BaselinePue);
        for (uint256 i; i < leaseIds.length; ++i) {
            uint32 leaseId = leaseIds[i];
            LeaseEnergy storage energy = _leaseEnergies[leaseId];
            ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
            require(!energy.credited, AlreadyCredited(leaseId));
            require(lease.status == ILeaseRegistry.LeaseStatus.Paid && energy.reported, LeaseNotCreditable(leaseId));
            energy.credited = true;
            ClassEnergy memory class = _classEnergies[lease.classId];
            uint256 baseline = (uint256(class.baselineJoules) * lease.count * pue) / BASIS;
            uint256 carbon = baseline * class.gridIntensity;
            _credit(_merits[Scope.Network][0], lease.count, baseline, carbon);
            _credit(_merits[Scope.Node][lease.nodeId], lease.count, baseline, carbon);
            _credit(_merits[Scope.Task][lease.taskId], lease.count, baseline, carbon);
            emit LeaseCredited(leaseId, lease.taskId, lease.count, baseline);
        }
    }

    /// @inheritdoc IEnergyLedger
    function accountOf(Scope scope, uint32 id) external view returns (Account memory) {
        return _account(scope, id);
    }

    /// @inheritdoc IEnergyLedger
    function summaryOf(Scope scope, uint32 id) external view returns (Summary memory) {
        return _account(scope, id).summarise();
    }

    /// @inheritdoc IEnergyLedger
    function leaseEnergyOf(uint32 leaseId) external view returns (LeaseEnergy memory) {
        return _leaseEnergies[leaseId];
    }

    /// @inheritdoc IEnergyLedger
    function classEnergyOf(uint8 classId) external view returns (ClassEnergy memory) {
        return _classEnergies[classId];
    }

    /// @dev Adds a lease's part to its task. What is in proportion is rounded down: never more renewable than there was.
    function _recordPart(
        Entry calldata entry,
        Part calldata part,
        uint256 units
    ) private returns (uint256 emitting, uint256 carbon) {
        uint256 renewable = entry.joules == 0 ? 0 : (uint256(entry.renewableJoules) * part.joules) / entry.joules;
        emitting = part.joules - renewable;
        carbon = emitting * _classEnergies[part.classId].gridIntensity;
        _add(
            Scope.Task,
            part.taskId,
            Sums({
                method: entry.method,
                joules: part.joules,
                renewableJoules: renewable,
                seconds_: entry.period,
                unitSeconds: uint256(part.count) * entry.period,
                idleUnitSeconds: (uint256(entry.idleUnitSeconds) * part.count) / units,
                carbon: carbon
            })
        );
        LeaseEnergy memory energy = _leaseEnergies[part.leaseId];
        energy.reported = true;
        energy.joules = _sum64(energy.joules, part.joules);
        energy.renewableJoules = _sum64(energy.renewableJoules, renewable);
        _leaseEnergies[part.leaseId] = energy;
        emit TaskEnergyRecorded(part.taskId, part.leaseId, part.joules, uint40(renewable));
    }

    function _add(Scope scope, uint32 id, Sums memory sums) private {
        Flow memory f = _flows[scope][id];
        if (sums.method == uint8(ITelemetry.Method.Rapl)) f.raplJoules = _sum64(f.raplJoules, sums.joules);
        else if (sums.method == uint8(ITelemetry.Method.Nvml)) f.nvmlJoules = _sum64(f.nvmlJoules, sums.joules);
        else f.estimatedJoules = _sum64(f.estimatedJoules, sums.joules);
        f.renewableJoules = _sum64(f.renewableJoules, sums.renewableJoules);
        f.seconds_ = uint48(_sum(f.seconds_, sums.seconds_, type(uint48).max));
        f.unitSeconds = uint56(_sum(f.unitSeconds, sums.unitSeconds, type(uint56).max));
        f.idleUnitSeconds = uint56(_sum(f.idleUnitSeconds, sums.idleUnitSeconds, type(uint56).max));
        f.carbon = uint88(_sum(f.carbon, sums.carbon, type(uint88).max));
        _flows[scope][id] = f;
    }

    function _credit(Merit storage merit, uint24 units, uint256 baseline, uint256 carbon) private {
        merit.creditedUnits = uint32(_sum(merit.creditedUnits, units, type(uint32).max));
        merit.baselineJoules = uint80(_sum(merit.baselineJoules, baseline, type(uint80).max));
        merit.baselineCarbon = uint104(_sum(merit.baselineCarbon, carbon, type(uint104).max));
    }

    function _sum64(uint64 sum, uint256 more) private pure returns (uint64) {
        return uint64(_sum(sum, more, type(uint64).max));
    }

    /// @dev Stays at the highest value where it would not fit: no sum keeps a report from being taken.
    function _sum(uint256 sum, uint256 more, uint256 highest) private pure returns (uint256) {
        // What is added has far less than 256 bits.
        unchecked {
            sum += more;
        }
        return sum > highest ? highest : sum;
    }

    function _account(Scope scope, uint32 id) private view returns (Account memory) {
        Flow memory f = _flows[scope][id];
        Merit memory m = _merits[scope][id];
        return
            Account({
                raplJoules: f.raplJoules,
                nvmlJoules: f.nvmlJoules,
                estimatedJoules: f.estimatedJoules,
                renewableJoules: f.renewableJoules,
                seconds_: f.seconds_,
                unitSeconds: f.unitSeconds,
                idleUnitSeconds: f.idleUnitSeconds,
                carbon: f.carbon,
                creditedUnits: m.creditedUnits,
                baselineJoules: m.baselineJoules,
                baselineCarbon: m.baselineCarbon
            });
    }
}
