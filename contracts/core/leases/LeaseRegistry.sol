// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IHolderPool} from "../../interfaces/IHolderPool.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {ClassSet} from "../../types/ClassSet.sol";
import {NotModule, NotTaskOwner, UnsupportedCodec} from "../../types/Errors.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW, MAX_LINE, MAX_MOVED_LINE, PRICE_UNIT} from "../../types/Units.sol";
import {INodeReports} from "../interfaces/INodeReports.sol";
import {IOrphans} from "../interfaces/IOrphans.sol";
import {IReleaseCharge} from "../interfaces/IReleaseCharge.sol";
import {IWorkShares} from "../interfaces/IWorkShares.sol";

/// @title Registry of leases: which node runs which units, at what price, under which fence
/// @notice See {ILeaseRegistry}.
contract LeaseRegistry is ILeaseRegistry, AccessManaged, OneTimeInitialiser {
    /// @notice Longest outage of the sequencer that excuses nodes, seconds: a feed that stays "down" does not excuse for ever.
    uint256 public constant MAX_OUTAGE = 3 days;

    /// @notice Pays nodes and keepers.
    IVault public immutable VAULT;
    /// @notice Grace, windows, slices, bounties.
    IParameters public immutable PARAMETERS;
    /// @notice Operators and owners.
    INodeRegistry public immutable NODES;
    /// @notice Capacity freed goes back there.
    ISupply public immutable SUPPLY;
    /// @notice What draws of holders go by.
    IHolderPool public immutable HOLDERS;
    /// @notice Terms of tasks; units given back go there.
    ITaskRegistry public immutable TASKS;
    /// @notice Chainlink's uptime feed of the chain's sequencer; zero where there is none.
    AggregatorV3Interface public immutable UPTIME;

    /// @inheritdoc ILeaseRegistry
    /// @dev First, so that it shares a slot with what the base contracts keep and granting writes no new one for it.
    uint32 public leaseCount;
    uint32 private _drawCount;

    Modules private _modules;

    mapping(uint32 leaseId => Lease) private _leases;
    mapping(uint32 leaseId => Result) private _results;
    mapping(uint256 number => Draw) private _draws;
    mapping(uint32 leaseId => Departure) private _departures;
    /// @dev Only of moves that not all classes of the task may take.
    mapping(uint32 leaseId => ClassSet classes) private _takers;

    modifier onlyModule(address module) {
        require(msg.sender == module, NotModule(msg.sender));
        _;
    }

    constructor(
        address authority,
        IVault vault,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        IHolderPool holders,
        ITaskRegistry tasks,
        AggregatorV3Interface uptime
    ) AccessManaged(authority) {
        VAULT = vault;
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        HOLDERS = holders;
        TASKS = tasks;
        UPTIME = uptime;
    }

    /// @inheritdoc ILeaseRegistry
    function initialise(Modules calldata modules) external initialiser {
        _modules = modules;
        emit ModulesSet(modules);
    }

    /// @inheritdoc ILeaseRegistry
    function grant(Grant[] calldata grants, bytes32 seed) external returns (uint32 first) {
        require(msg.sender == _modules.rounds || msg.sender == _modules.reassignment, NotModule(msg.sender));
        first = leaseCount + 1;
        if (grants.length == 0) return first;
        uint256 base = block.timestamp + _param(Param.LeaseGrace);
        uint16 draw = _noteDraw(seed, first);
        for (uint256 i; i < grants.length; ++i) _grant(grants[i], base, draw);
    }

    /// @inheritdoc ILeaseRegistry
    function renew(
        uint32 leaseId,
        uint24 fence,
        address operator,
        Headway calldata headway
    ) external onlyModule(_modules.checkpoints) returns (uint32, uint32, uint24, Headway memory began) {
        Lease storage held = _held(leaseId, fence, operator);
        (uint256 timeout, uint256 longest) = _pace(held.taskId);
        began = headway;
        if (began.startedAt == 0) {
            began.startedAt = _renewedAt(leaseId, held, timeout);
            // What a predecessor did is no headway of this lease.
            if (held.parent != 0) began.startProgress = uint32(headway.progress);
        }
        // A move's grace is not prolonged.
        if (held.status == LeaseStatus.Active) {
            uint256 demanded = _demanded(held.count, began, 2 * timeout, longest);
            if (headway.progress >= demanded) {
                uint32 due = uint32(block.timestamp + timeout);
                held.due = due;
                emit LeaseRenewed(leaseId, due);
            } else {
                emit LeaseNotRenewed(leaseId, headway.progress, uint40(demanded));
            }
        }
        return (held.taskId, held.nodeId, held.count, began);
    }

    /// @inheritdoc ILeaseRegistry
    function deliver(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint64 size) external {
        Lease storage held = _held(leaseId, fence, msg.sender);
        require(digest != bytes32(0), InvalidResult());
        require(codec == CODEC_RAW || codec == CODEC_DAG_PB, UnsupportedCodec(codec));
        uint40 deadline = _deadlineOf(held.taskId);
        require(block.timestamp <= deadline, TaskDeadlinePassed(held.taskId, deadline));
        uint32 renewedAt;
        if (held.parent != 0) {
            (uint256 timeout, ) = _pace(held.taskId);
            renewedAt = _renewedAt(leaseId, held, timeout);
        }
        if (held.status == LeaseStatus.Moving) _dropMove(leaseId);
        held.status = LeaseStatus.Delivered;
        held.due = uint32(block.timestamp + _param(Param.DisputeWindow));
        _results[leaseId] = Result(digest, codec, size, uint40(block.timestamp), 0, renewedAt);
        emit ResultDelivered(leaseId, held.taskId, held.nodeId, digest, codec, size);
        SUPPLY.markDelivered(held.nodeId, held.count);
    }

    /// @inheritdoc ILeaseRegistry
    function release(uint32 leaseId, uint24 fence, EndReason reason) external {
        require(reason != EndReason.None && reason <= EndReason.DeadlinePassed, InvalidReason(reason));
        Lease storage held = _held(leaseId, fence, msg.sender);
        if (held.status == LeaseStatus.Moving) _handOver(leaseId, held);
        else _release(leaseId, held, reason);
    }

    /// @inheritdoc ILeaseRegistry
    function startMove(uint32 leaseId, uint24 units, ClassSet classes) external onlyModule(_modules.balancer) {
        Lease storage held = _leases[leaseId];
        _requireStatus(leaseId, held, LeaseStatus.Active);
        require(held.fence <= MAX_MOVED_LINE, RangeMovedTooOften(leaseId, held.fence, MAX_MOVED_LINE));
        held.status = LeaseStatus.Moving;
        uint32 due = uint32(block.timestamp + _param(Param.MoveGrace));
        _departures[leaseId] = Departure(units, uint40(block.timestamp), held.due);
        held.due = due;
        if (!classes.isEmpty()) _takers[leaseId] = classes;
        emit LeaseMoving(leaseId, units, due);
    }

    /// @inheritdoc ILeaseRegistry
    function handOver(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        _requireStatus(leaseId, held, LeaseStatus.Moving);
        require(block.timestamp > held.due, MoveGraceNotOver(leaseId, held.due));
        _handOver(leaseId, held);
    }

    /// @inheritdoc ILeaseRegistry
    function expire(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        _requireStatus(leaseId, held, LeaseStatus.Active);
        EndReason fault = _faultOf(held);
        if (fault == EndReason.None) {
            require(
                block.timestamp > _deadlineOf(held.taskId),
                LeaseNotOverdue(leaseId, uint40(Math.max(held.due, outageUntil())))
            );
        }
        VAULT.payBounty(msg.sender, _expire(leaseId, held, fault));
    }

    /// @inheritdoc ILeaseRegistry
    function expireOverdue(uint32[] calldata leaseIds) external returns (uint256 expired) {
        uint256 bounty;
        for (uint256 i; i < leaseIds.length; ++i) {
            Lease storage held = _leases[leaseIds[i]];
            if (held.status != LeaseStatus.Active) continue;
            EndReason fault = _faultOf(held);
            if (fault == EndReason.None && block.timestamp <= _deadlineOf(held.taskId)) continue;
            bounty += _expire(leaseIds[i], held, fault);
            ++expired;
        }
        require(expired != 0, NoLeaseOverdue());
        VAULT.payBounty(msg.sender, bounty);
    }

    /// @inheritdoc ILeaseRegistry
    function accept(uint32[] calldata leaseIds) external {
        for (uint256 i; i < leaseIds.length; ++i) {
            uint32 leaseId = leaseIds[i];
            Lease storage held = _existing(leaseId);
            // Somebody was faster; the others of the batch are still paid.
            if (held.status == LeaseStatus.Paid) continue;
            address developer = _developerOf(held.taskId);
            if (held.status == LeaseStatus.Delivered) {
                require(msg.sender == developer || block.timestamp > held.due, DisputeWindowOpen(leaseId, held.due));
            } else {
                _requireStatus(leaseId, held, LeaseStatus.Disputed);
                require(block.timestamp > held.due, ArbitrationOpen(leaseId, held.due));
            }
            _pay(leaseId, held);
        }
    }

    /// @inheritdoc ILeaseRegistry
    function dispute(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        address developer = _developerOf(held.taskId);
        require(msg.sender == developer, NotTaskOwner(held.taskId, msg.sender));
        _requireStatus(leaseId, held, LeaseStatus.Delivered);
        require(block.timestamp <= held.due, DisputeWindowClosed(leaseId, held.due));
        uint256 bond = Math.ceilDiv(uint256(held.priceMicroVer) * held.count * _param(Param.DisputeBondBps), BASIS);
        held.status = LeaseStatus.Disputed;
        held.due = uint32(block.timestamp + _param(Param.ArbitrationTimeout));
        _results[leaseId].bondMicroVer = uint64(bond);
        emit LeaseDisputed(leaseId, msg.sender, bond * PRICE_UNIT);
        VAULT.lockEscrow(held.taskId, msg.sender, bond * PRICE_UNIT);
    }

    /// @inheritdoc ILeaseRegistry
    function rule(uint32 leaseId, bool forNode) external restricted {
        Lease storage held = _existing(leaseId);
        _requireStatus(leaseId, held, LeaseStatus.Disputed);
        emit DisputeRuled(leaseId, forNode);
        if (forNode) {
            _pay(leaseId, held);
            return;
        }
        SUPPLY.slash(held.nodeId, _penalty(leaseId, held));
        // Nobody should build on what a refused result came from: the units start afresh.
        _reject(leaseId, held, 0);
    }

    /// @inheritdoc ILeaseRegistry
    function revoke(uint32 leaseId, EndReason reason, uint32 parent) external onlyModule(_modules.audits) {
        Lease storage held = _leases[leaseId];
        LeaseStatus status = held.status;
        if (status != LeaseStatus.Moving && (status == LeaseStatus.None || status > LeaseStatus.Disputed)) return;
        emit LeaseRevoked(leaseId, held.taskId, held.nodeId, reason);
        _reject(leaseId, held, parent);
    }

    /// @inheritdoc ILeaseRegistry
    function deferPayment(uint32 leaseId, uint32 until) external onlyModule(_modules.audits) {
        Lease storage held = _leases[leaseId];
        bool waits = held.status == LeaseStatus.Delivered || held.status == LeaseStatus.Disputed;
        if (!waits || held.due >= until) return;
        held.due = until;
        emit PaymentDeferred(leaseId, until);
    }

    /// @inheritdoc ILeaseRegistry
    function audits() external view returns (address) {
        return _modules.audits;
    }

    /// @inheritdoc ILeaseRegistry
    function healthOf(uint32 leaseId) external view returns (Health) {
        Lease storage held = _existing(leaseId);
        _requireStatus(leaseId, held, LeaseStatus.Active);
        if (_faultOf(held) != EndReason.None) return Health.Overdue;
        return block.timestamp + _param(Param.LeaseGrace) > held.due ? Health.Suspect : Health.InTime;
    }

    /// @inheritdoc ILeaseRegistry
    function lease(uint32 leaseId) external view returns (Lease memory) {
        return _existing(leaseId);
    }

    /// @inheritdoc ILeaseRegistry
    function drawOf(uint32 leaseId) external view returns (Draw memory, uint32, uint24) {
        Lease storage held = _existing(leaseId);
        return (_drawOf(leaseId, held), held.taskId, held.start);
    }

    /// @inheritdoc ILeaseRegistry
    function result(uint32 leaseId) external view returns (Result memory) {
        return _results[leaseId];
    }

    /// @inheritdoc ILeaseRegistry
    function departureOf(uint32 leaseId) external view returns (Departure memory) {
        return _departures[leaseId];
    }

    /// @inheritdoc ILeaseRegistry
    function orphanOf(uint32 leaseId) external view returns (Lease memory range, bool moved, ClassSet classes) {
        range = _existing(leaseId);
        if (range.status == LeaseStatus.Expired) return (range, false, classes);
        uint24 units = range.status == LeaseStatus.Released ? _departures[leaseId].units : 0;
        range.start += range.count - units;
        range.count = uint16(units);
        return (range, true, _takers[leaseId]);
    }

    /// @inheritdoc ILeaseRegistry
    function outageUntil() public view returns (uint40) {
        // A feed that is switched off, or never was one, must not keep failed nodes' leases alive, nor make {expire} revert.
        (bool ok, bytes memory answer) = address(UPTIME).staticcall(abi.encodeCall(UPTIME.latestRoundData, ()));
        if (!ok || answer.length < 160) return 0;
        (, uint256 down, uint256 since, , ) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
        if (down != 0) since = Math.saturatingAdd(since, MAX_OUTAGE);
        uint256 until = Math.saturatingAdd(since, _param(Param.OutageGrace));
        return uint40(Math.min(until, type(uint40).max));
    }

    /// @dev Notes what leases by this seed have in common, once for all of them. {HolderPool} still has what it was at the freeze.
    function _noteDraw(bytes32 seed, uint32 first) private returns (uint16) {
        (uint32 freeze, uint32 positions, uint40 average) = HOLDERS.lastFreeze();
        uint32 number = _drawCount;
        if (_draws[number].freeze == freeze) return uint16(number);
        _drawCount = ++number;
        uint256 minPenalty = Math.ceilDiv(_param(Param.StakePerUnit) * _param(Param.SlashBps), BASIS);
        _draws[number] = Draw(uint64(uint256(seed)), freeze, positions, average, first, uint40(minPenalty));
        return uint16(number);
    }

    /// @dev A lease keeps the lower 16 bits of its draw's number: it is the newest with these that began before it.
    function _drawOf(uint32 leaseId, Lease storage held) private view returns (Draw storage draw) {
        uint256 number = _drawCount;
        number -= uint16(uint16(number) - held.draw);
        while (_draws[number].firstLease > leaseId) number -= 1 << 16;
        return _draws[number];
    }

    function _grant(Grant memory g, uint256 base, uint16 draw) private {
        uint32 id = ++leaseCount;
        _leases[id] = Lease({
            taskId: g.taskId,
            nodeId: g.nodeId,
            start: g.start,
            // A round has at most 65,535 units, and no range more than {MAX_LINE} leases.
            count: uint16(g.count),
            priceMicroVer: g.priceMicroVer,
            due: uint32(base + g.checkpointInterval),
            fence: uint8(g.fence),
            status: LeaseStatus.Active,
            parent: g.parent,
            classId: g.classId,
            reassignments: g.reassignments,
            draw: draw
        });
        emit LeaseGranted(id, g.taskId, g.nodeId, g.start, g.count, g.priceMicroVer, g.fence, g.parent);
    }

    function _release(uint32 leaseId, Lease storage held, EndReason reason) private {
        _noteReleased(leaseId, held, reason);
        // The charge first: what a barred owner's node has free is not listed.
        _charge(leaseId);
        _free(held.nodeId, held.count);
        _reopen(leaseId, held, leaseId);
    }

    function _noteReleased(uint32 leaseId, Lease storage held, EndReason reason) private {
        held.status = LeaseStatus.Released;
        held.due = uint32(block.timestamp);
        emit LeaseReleased(leaseId, held.taskId, held.nodeId, reason);
    }

    /// @dev Ends a moving lease: its last units are drawn for, what is left stays with its node under a new lease.
    function _handOver(uint32 leaseId, Lease storage held) private {
        (, , uint32 interval, uint40 deadline) = TASKS.termsOf(held.taskId);
        if (block.timestamp > deadline) {
            _dropMove(leaseId);
            _release(leaseId, held, EndReason.DeadlinePassed);
            return;
        }
        uint24 units = _departures[leaseId].units;
        _noteReleased(leaseId, held, EndReason.Moved);
        _free(held.nodeId, units);
        _orphan(leaseId, true);
        if (units == held.count) return;
        Grant memory rest = Grant({
            taskId: held.taskId,
            nodeId: held.nodeId,
            start: held.start,
            count: held.count - units,
            priceMicroVer: held.priceMicroVer,
            checkpointInterval: interval,
            fence: held.fence + 1,
            parent: leaseId,
            classId: held.classId,
            reassignments: held.reassignments
        });
        // The same holders: they have its checkpoints.
        _grant(rest, block.timestamp + _param(Param.LeaseGrace), held.draw);
    }

    /// @dev The range waits for a batch.
    function _orphan(uint32 leaseId, bool moved) private {
        emit RangeOrphaned(leaseId, moved);
        IOrphans(_modules.reassignment).add(leaseId, moved);
    }

    /// @dev Nothing leaves the lease.
    function _dropMove(uint32 leaseId) private {
        emit MoveDropped(leaseId, _departures[leaseId].units);
        delete _departures[leaseId];
    }

    /// @dev Pays a delivered lease, its fee, and the bond of a dispute that came to nothing; the task may end by it.
    function _pay(uint32 leaseId, Lease storage held) private {
        (uint32 taskId, uint32 nodeId, uint32 count) = (held.taskId, held.nodeId, held.count);
        held.status = LeaseStatus.Paid;
        (uint256 amount, uint256 fee) = (count * uint256(held.priceMicroVer) * PRICE_UNIT, 0);
        if (held.parent != 0) (amount, fee) = _payLine(leaseId, held);
        (, uint16 feeBps, , ) = TASKS.termsOf(taskId);
        // The other half was due when the units were first leased. Exact, for prices are whole micro-VER.
        fee = ((amount + fee) * feeBps) / (2 * BASIS);
        emit LeasePaid(leaseId, taskId, nodeId, amount, fee);
        _credit(taskId, _ownerOf(nodeId), amount + _results[leaseId].bondMicroVer * PRICE_UNIT);
        if (fee != 0) VAULT.collectFee(taskId, fee);
        TASKS.markPaid(taskId, count);
        SUPPLY.markDecided(nodeId, count);
    }

    /// @dev Pays the leases whose work the accepted one went on from, each at its own price, which the task's maximum covers.
    /// O(leases of the range) <= {MAX_LINE}.
    /// @return own Wei that are left for the accepted lease, at its price.
    /// @return others Wei paid to the others.
    function _payLine(uint32 leaseId, Lease storage held) private returns (uint256 own, uint256 others) {
        IWorkShares.Share[] memory shares = IWorkShares(_modules.checkpoints).sharesOf(leaseId);
        own = held.count * BASIS;
        for (uint256 i; i < shares.length; ++i) {
            IWorkShares.Share memory share = shares[i];
            own -= share.work;
            uint256 amount = share.work * share.priceMicroVer * (PRICE_UNIT / BASIS);
            others += amount;
            emit WorkPaid(share.leaseId, leaseId, share.nodeId, share.work, amount);
            _credit(held.taskId, _ownerOf(share.nodeId), amount);
        }
        own *= held.priceMicroVer * (PRICE_UNIT / BASIS);
    }

    /// @dev Ends a lease whose work is not paid, and gives the bond of a dispute back.
    function _reject(uint32 leaseId, Lease storage held, uint32 parent) private {
        LeaseStatus status = held.status;
        held.status = LeaseStatus.Rejected;
        if (status == LeaseStatus.Disputed) {
            _credit(held.taskId, _developerOf(held.taskId), _results[leaseId].bondMicroVer * PRICE_UNIT);
        }
        if (status == LeaseStatus.Delivered || status == LeaseStatus.Disputed) {
            SUPPLY.markDecided(held.nodeId, held.count);
        } else {
            _free(held.nodeId, held.count);
        }
        _reopen(leaseId, held, parent);
    }

    /// @dev The units wait for a round; `parent` is the lease whose checkpoints they go on from.
    function _reopen(uint32 leaseId, Lease storage held, uint32 parent) private {
        if (_givenUp(leaseId, held)) return;
        TASKS.reopen(
            held.taskId,
            ITaskRegistry.OpenRange(held.start, held.count, parent, held.fence + 1, held.reassignments)
        );
    }

    /// @dev Counts a failure or return, and refunds a range that has had too many, so that no node's failing or releasing goes
    /// on for ever. Of one owner's in a row only the first counts, so that nobody alone uses a range's hands up.
    function _givenUp(uint32 leaseId, Lease storage held) private returns (bool) {
        if (held.parent == 0 || !_sameOwner(held.nodeId, _leases[held.parent].nodeId)) ++held.reassignments;
        if (held.reassignments < _param(Param.MaxReassignments) && held.fence < MAX_LINE) return false;
        emit RangeGivenUp(leaseId, held.taskId, held.start, held.count);
        TASKS.refund(held.taskId, held.count);
        return true;
    }

    /// @dev How the node of an active lease has failed by now: Overdue or Silent; None if it has not.
    function _faultOf(Lease storage held) private view returns (EndReason) {
        if (block.timestamp <= outageUntil()) return EndReason.None;
        if (block.timestamp > held.due) return EndReason.Overdue;
        // Missing reports alone are no fault: a checkpoint is a sign of life as good as a report, for as long.
        (uint256 timeout, ) = _pace(held.taskId);
        uint256 renewed = Math.saturatingSub(held.due, timeout);
        if (block.timestamp <= renewed + _param(Param.ReportTimeout)) return EndReason.None;
        return INodeReports(_modules.telemetry).silent(held.nodeId) ? EndReason.Silent : EndReason.None;
    }

    /// @dev Ends an active lease that anyone may expire; its range waits for a batch, or goes back to its task.
    /// @param fault What {_faultOf} says.
    /// @return bounty Wei due to the caller.
    function _expire(uint32 leaseId, Lease storage held, EndReason fault) private returns (uint256 bounty) {
        held.status = LeaseStatus.Expired;
        held.due = uint32(block.timestamp);
        EndReason reason = fault == EndReason.None ? EndReason.DeadlinePassed : fault;
        // The charge and the penalty first: a cooling node is not listed, so what is freed after them need not be.
        if (fault != EndReason.None) {
            // Letting a lease expire costs what giving it back does, and the penalty on top.
            if (_charge(leaseId) && fault == EndReason.Overdue) reason = EndReason.NoHeadway;
            // Never more than the node lost, or its owner could expire it at the pool's cost.
            uint256 slashed = SUPPLY.slash(held.nodeId, _penalty(leaseId, held));
            bounty = Math.min(_param(Param.ExpireBounty) * PRICE_UNIT, slashed);
        }
        emit LeaseExpired(leaseId, held.taskId, held.nodeId, msg.sender, reason);
        _free(held.nodeId, held.count);
        if (!TASKS.takesLeases(held.taskId)) _reopen(leaseId, held, leaseId);
        else if (!_givenUp(leaseId, held)) _orphan(leaseId, false);
    }

    /// @dev Time between two checkpoints after which a lease of the task is overdue, and the longest time of a unit, seconds.
    function _pace(uint32 taskId) private view returns (uint256 timeout, uint256 longest) {
        (timeout, longest) = TASKS.paceOf(taskId);
        timeout += _param(Param.LeaseGrace);
    }

    /// @dev When an active or moving lease was last renewed, or granted if it never was.
    function _renewedAt(uint32 leaseId, Lease storage held, uint256 timeout) private view returns (uint32) {
        uint256 due = held.status == LeaseStatus.Moving ? _departures[leaseId].due : held.due;
        // A grace that was changed meanwhile makes no work last longer than it did.
        return uint32(Math.min(Math.saturatingSub(due, timeout), block.timestamp));
    }

    function _sameOwner(uint32 a, uint32 b) private view returns (bool) {
        if (a == b) return true;
        return _ownerOf(a) == _ownerOf(b);
    }

    /// @dev Progress that shows headway now: even progress over the longest time from what the lease began with, with a
    /// delay. The last tenth of the units is never asked for before the time is over: programs end with steps that show none.
    function _demanded(
        uint256 count,
        Headway memory began,
        uint256 delay,
        uint256 longest
    ) private view returns (uint256) {
        uint256 elapsed = Math.saturatingSub(block.timestamp, began.startedAt + delay);
        if (elapsed > longest) return type(uint40).max;
        uint256 even = began.startProgress + Math.ceilDiv(count * BASIS * elapsed, longest);
        return Math.min(even, (count * BASIS * 9) / 10);
    }

    /// @dev One place for each call that several functions make: the contract is near its limit of size.
    function _param(Param param) private view returns (uint256) {
        return PARAMETERS.get(param);
    }

    function _ownerOf(uint32 nodeId) private view returns (address) {
        return NODES.ownerOf(nodeId);
    }

    function _developerOf(uint32 taskId) private view returns (address developer) {
        (developer, , , ) = TASKS.termsOf(taskId);
    }

    function _deadlineOf(uint32 taskId) private view returns (uint40 deadline) {
        (, , , deadline) = TASKS.termsOf(taskId);
    }

    function _charge(uint32 leaseId) private returns (bool) {
        return IReleaseCharge(_modules.releaseFees).charge(leaseId);
    }

    function _free(uint32 nodeId, uint32 units) private {
        SUPPLY.release(nodeId, units);
    }

    function _credit(uint32 taskId, address to, uint256 amount) private {
        VAULT.releaseEscrow(taskId, to, amount);
    }

    /// @dev What failing the lease costs, wei. It does not pay to fail or to cheat for a price that one loses by it.
    function _penalty(uint32 leaseId, Lease storage held) private view returns (uint256) {
        return held.count * Math.max(held.priceMicroVer, _drawOf(leaseId, held).minPenalty) * PRICE_UNIT;
    }

    /// @dev An active or moving lease that `operator` holds under this very fence.
    function _held(uint32 leaseId, uint24 fence, address operator) private view returns (Lease storage held) {
        held = _existing(leaseId);
        require(fence == held.fence, StaleFence(leaseId, fence, held.fence));
        require(
            held.status == LeaseStatus.Active || held.status == LeaseStatus.Moving,
            WrongLeaseStatus(leaseId, held.status)
        );
        address expected = NODES.operatorOf(held.nodeId);
        require(operator == expected, NotLeaseOperator(leaseId, operator));
    }

    function _requireStatus(uint32 leaseId, Lease storage held, LeaseStatus expected) private view {
        require(held.status == expected, WrongLeaseStatus(leaseId, held.status));
    }

    function _existing(uint32 leaseId) private view returns (Lease storage held) {
        held = _leases[leaseId];
        require(held.status != LeaseStatus.None, UnknownLease(leaseId));
    }
}
