// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IEnergyLedger} from "../../interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {Reporter} from "../../types/Reporter.sol";
import {BASIS, MAX_UNIT_POWER} from "../../types/Units.sol";
import {Figures} from "./Figures.sol";

/// @title Energy and carbon of nodes, tasks and the network
/// @notice See {IEnergyLedger}.
contract EnergyLedger is IEnergyLedger, AccessManaged {
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

    /// @dev One lease's part of a report that was judged.
    struct Part {
        uint32 leaseId;
        uint32 taskId;
        uint256 seconds_;
        uint256 joules;
        /// Units of the lease x time of the share.
        uint256 unitSeconds;
        /// Grid of the lease's class, which was fixed when it was granted.
        uint256 intensity;
    }

    /// @dev What a report's shares are held against.
    struct Bounds {
        /// When the period begins, seconds.
        uint256 from;
        /// Maximum power, watts.
        uint256 watts;
        uint256 capacity;
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

    /// @notice Maximum number of shares in a report.
    uint256 public constant MAX_SHARES = 64;
    /// @notice How far a report may reach back, seconds: twice the time after which agents report at the latest.
    uint256 public constant MAX_REACH = 12 hours;

    /// @notice The baseline's PUE.
    IParameters public immutable PARAMETERS;
    /// @notice Operators, declared power.
    INodeRegistry public immutable NODES;
    /// @notice Classes of nodes.
    ISupply public immutable SUPPLY;
    /// @notice Whose leases the shares name, and which work was paid.
    ILeaseRegistry public immutable LEASES;

    mapping(Scope scope => mapping(uint32 id => Flow)) private _flows;
    mapping(Scope scope => mapping(uint32 id => Merit)) private _merits;
    mapping(uint32 leaseId => LeaseEnergy) private _leaseEnergies;
    mapping(uint8 classId => ClassEnergy) private _classEnergies;
    mapping(uint32 nodeId => uint256 time) private _covered;

    constructor(
        address authority,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ILeaseRegistry leases
    ) AccessManaged(authority) {
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        LEASES = leases;
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
    function report(EnergyReport calldata energy) external {
        Bounds memory bounds = _judge(energy);
        (Part[] memory parts, uint256 unitSeconds) = _judgeShares(energy, bounds);
        uint256 until = bounds.from + energy.period;
        _covered[energy.nodeId] = until;
        emit EnergyReported(
            energy.nodeId,
            uint40(until),
            energy.period,
            energy.joules,
            energy.renewableJoules,
            Method(energy.method),
            energy.version,
            energy.idleUnitSeconds
        );
        _book(energy, parts, unitSeconds);
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
    function coveredUntil(uint32 nodeId) external view returns (uint256) {
        return _covered[nodeId];
    }

    /// @inheritdoc IEnergyLedger
    function leaseEnergyOf(uint32 leaseId) external view returns (LeaseEnergy memory) {
        return _leaseEnergies[leaseId];
    }

    /// @inheritdoc IEnergyLedger
    function classEnergyOf(uint8 classId) external view returns (ClassEnergy memory) {
        return _classEnergies[classId];
    }

    /// @dev Adds a report that was judged to the accounts.
    function _book(EnergyReport calldata energy, Part[] memory parts, uint256 unitSeconds) private {
        Sums memory sums = Sums({
            method: energy.method,
            joules: energy.joules,
            renewableJoules: energy.renewableJoules,
            seconds_: energy.period,
            unitSeconds: unitSeconds,
            idleUnitSeconds: energy.idleUnitSeconds,
            carbon: 0
        });
        // What no lease has a share in emits at the grid of the node's class of now; each share at that of its lease's class.
        uint256 rest = energy.joules - energy.renewableJoules;
        for (uint256 i; i < parts.length; ++i) {
            (uint256 emitting, uint256 carbon) = _bookPart(energy, parts[i], unitSeconds);
            // Shares round their renewable part down, so together they may emit a little more than there is.
            rest -= Math.min(rest, emitting);
            sums.carbon += carbon;
        }
        if (rest != 0) sums.carbon += rest * _classEnergies[SUPPLY.stateOf(energy.nodeId).classId].gridIntensity;
        _add(Scope.Network, 0, sums);
        _add(Scope.Node, energy.nodeId, sums);
    }

    /// @dev Adds a lease's part to its task. What is in proportion is rounded down: never more renewable than there was.
    function _bookPart(
        EnergyReport calldata energy,
        Part memory part,
        uint256 unitSeconds
    ) private returns (uint256 emitting, uint256 carbon) {
        uint256 renewable = energy.joules == 0 ? 0 : (energy.renewableJoules * part.joules) / energy.joules;
        emitting = part.joules - renewable;
        carbon = emitting * part.intensity;
        _add(
            Scope.Task,
            part.taskId,
            Sums({
                method: energy.method,
                joules: part.joules,
                renewableJoules: renewable,
                seconds_: part.seconds_,
                unitSeconds: part.unitSeconds,
                idleUnitSeconds: (energy.idleUnitSeconds * part.unitSeconds) / unitSeconds,
                carbon: carbon
            })
        );
        LeaseEnergy memory sum = _leaseEnergies[part.leaseId];
        sum.reported = true;
        sum.joules = _sum64(sum.joules, part.joules);
        sum.renewableJoules = _sum64(sum.renewableJoules, renewable);
        _leaseEnergies[part.leaseId] = sum;
        emit TaskEnergyRecorded(part.taskId, part.leaseId, uint40(part.joules), uint40(renewable));
    }

    function _add(Scope scope, uint32 id, Sums memory sums) private {
        Flow memory f = _flows[scope][id];
        if (sums.method == uint8(Method.Rapl)) f.raplJoules = _sum64(f.raplJoules, sums.joules);
        else if (sums.method == uint8(Method.Nvml)) f.nvmlJoules = _sum64(f.nvmlJoules, sums.joules);
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

    /// @dev Judges all but the shares of a report.
    function _judge(EnergyReport calldata energy) private view returns (Bounds memory bounds) {
        (uint32 nodeId, uint32 period, uint40 joules) = (energy.nodeId, energy.period, energy.joules);
        Reporter reporter = _reporterOf(nodeId);
        require(msg.sender == reporter.operator(), NotOperator(nodeId, msg.sender));
        require(reporter.capacity() != 0, NotInMarket(nodeId));
        bounds.from = _coveredFrom(nodeId, reporter);
        bounds.capacity = reporter.capacity();
        bounds.watts = Math.min(reporter.powerMax(), bounds.capacity * MAX_UNIT_POWER);
        uint256 longest = Math.saturatingSub(block.timestamp, bounds.from);
        require(period != 0 && period <= longest, PeriodInvalid(nodeId, period, longest));
        require(energy.method != 0 && energy.method <= uint8(type(Method).max), UnknownMethod(energy.method));
        uint256 most = bounds.watts * period;
        require(joules <= most, EnergyAboveMaximum(nodeId, joules, most));
        uint40 renewable = energy.renewableJoules;
        require(renewable <= joules, RenewableAboveTotal(nodeId, renewable, joules));
    }

    /// @dev Looks the leases up that the shares name. At most {MAX_SHARES} steps.
    function _judgeShares(
        EnergyReport calldata energy,
        Bounds memory bounds
    ) private view returns (Part[] memory parts, uint256 unitSeconds) {
        uint256 count = energy.shares.length;
        require(count <= MAX_SHARES, TooManyShares(count));
        parts = new Part[](count);
        uint256 shared;
        uint32 last;
        for (uint256 i; i < count; ++i) {
            Share calldata share = energy.shares[i];
            require(share.leaseId > last, SharesOutOfOrder(share.leaseId));
            last = share.leaseId;
            parts[i] = _judgeShare(share, energy, bounds);
            shared += share.joules;
            unitSeconds += parts[i].unitSeconds;
        }
        require(shared <= energy.joules, SharesAboveTotal(energy.nodeId, shared, energy.joules));
        uint256 most = Math.min(unitSeconds, bounds.capacity * energy.period);
        require(energy.idleUnitSeconds <= most, IdleAboveWork(energy.nodeId, energy.idleUnitSeconds, most));
    }

    /// @dev A lease takes energy of the node that it is of, and only while it lives.
    function _judgeShare(
        Share calldata share,
        EnergyReport calldata energy,
        Bounds memory bounds
    ) private view returns (Part memory) {
        (uint32 leaseId, uint32 seconds_, uint40 joules) = (share.leaseId, share.seconds_, share.joules);
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        require(lease.nodeId == energy.nodeId, ForeignLease(energy.nodeId, leaseId));
        uint256 longest = Math.min(Math.saturatingSub(_endOf(leaseId, lease), bounds.from), energy.period);
        require(seconds_ != 0 && seconds_ <= longest, ShareTimeInvalid(leaseId, seconds_, longest));
        uint256 most = bounds.watts * seconds_;
        require(joules <= most, ShareAboveMaximum(leaseId, joules, most));
        uint256 intensity = _classEnergies[lease.classId].gridIntensity;
        return Part(leaseId, lease.taskId, seconds_, joules, uint256(lease.count) * seconds_, intensity);
    }

    /// @dev When a lease ended: with its delivery, its release or its expiry; the highest number while its node runs it.
    function _endOf(uint32 leaseId, ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        ILeaseRegistry.LeaseStatus status = lease.status;
        if (status == ILeaseRegistry.LeaseStatus.Active || status == ILeaseRegistry.LeaseStatus.Moving) {
            return type(uint256).max;
        }
        bool returned = status == ILeaseRegistry.LeaseStatus.Released || status == ILeaseRegistry.LeaseStatus.Expired;
        return returned ? lease.due : LEASES.result(leaseId).deliveredAt;
    }

    /// @dev From when on the node's next report may cover.
    function _coveredFrom(uint32 nodeId, Reporter reporter) private view returns (uint256) {
        uint256 covered = _covered[nodeId];
        if (covered == 0) covered = reporter.registeredAt();
        return Math.max(covered, Math.saturatingSub(block.timestamp, MAX_REACH));
    }

    function _reporterOf(uint32 nodeId) private view returns (Reporter) {
        uint32[] memory nodeIds = new uint32[](1);
        nodeIds[0] = nodeId;
        return NODES.reportersOf(nodeIds)[0];
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
