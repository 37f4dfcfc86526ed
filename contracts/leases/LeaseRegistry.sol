// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW, PRICE_UNIT} from "../governance/Units.sol";
import {WiredOnce} from "../governance/WiredOnce.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {IReassignment} from "../interfaces/IReassignment.sol";
import {IReleaseFees} from "../interfaces/IReleaseFees.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../interfaces/ITelemetry.sol";
import {Vault} from "../vault/Vault.sol";

/// @title Registry of leases: which node runs which units, at what price, under which fence
/// @notice See {ILeaseRegistry}.
contract LeaseRegistry is ILeaseRegistry, AccessManaged, WiredOnce {
    /// @notice Longest outage of the sequencer that excuses nodes, seconds: a feed that stays "down" does not excuse for ever.
    uint256 public constant MAX_OUTAGE = 3 days;

    /// @notice Pays nodes and keepers.
    Vault public immutable VAULT;
    /// @notice Grace, windows, slices, bounties.
    IParameters public immutable PARAMETERS;
    /// @notice Operators and owners.
    INodeRegistry public immutable NODES;
    /// @notice Capacity freed goes back there.
    ISupply public immutable SUPPLY;
    /// @notice Terms of tasks; units given back go there.
    ITaskRegistry public immutable TASKS;
    /// @notice Chainlink's uptime feed of the chain's sequencer; zero where there is none.
    AggregatorV3Interface public immutable UPTIME;

    /// @inheritdoc ILeaseRegistry
    /// @dev First, so that it shares a slot with what the base contracts keep and granting writes no new one for it.
    uint32 public leaseCount;

    Modules private _modules;

    mapping(uint32 leaseId => Lease) private _leases;
    mapping(uint32 leaseId => Result) private _results;
    mapping(uint32 leaseId => Departure) private _departures;
    /// @dev Only of moves that not all classes of the task may take.
    mapping(uint32 leaseId => uint256 classes) private _takers;

    modifier onlyModule(address module) {
        require(msg.sender == module, NotModule(msg.sender));
        _;
    }

    constructor(
        address authority,
        Vault vault,
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ITaskRegistry tasks,
        AggregatorV3Interface uptime
    ) AccessManaged(authority) {
        VAULT = vault;
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        TASKS = tasks;
        UPTIME = uptime;
    }

    /// @inheritdoc ILeaseRegistry
    function wire(Modules calldata modules) external wiring {
        _modules = modules;
        emit ModulesWired(modules);
    }

    /// @inheritdoc ILeaseRegistry
    function grant(Grant[] calldata grants) external returns (uint32 first) {
        require(msg.sender == _modules.rounds || msg.sender == _modules.reassignment, NotModule(msg.sender));
        uint256 base = block.timestamp + PARAMETERS.get(Param.LeaseGrace);
        first = leaseCount + 1;
        for (uint256 i; i < grants.length; ++i) _grant(grants[i], base);
    }

    /// @inheritdoc ILeaseRegistry
    function renew(
        uint32 leaseId,
        uint24 fence,
        address operator
    ) external onlyModule(_modules.checkpoints) returns (uint32, uint32, uint24) {
        Lease storage held = _held(leaseId, fence, operator);
        // A move's grace is not prolonged.
        if (held.status == LeaseStatus.Active) {
            (, , uint32 interval, ) = TASKS.termsOf(held.taskId);
            uint40 due = uint40(block.timestamp + interval + PARAMETERS.get(Param.LeaseGrace));
            held.due = due;
            emit LeaseRenewed(leaseId, due);
        }
        return (held.taskId, held.nodeId, held.count);
    }

    /// @inheritdoc ILeaseRegistry
    function deliver(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint64 size) external {
        Lease storage held = _held(leaseId, fence, msg.sender);
        require(digest != bytes32(0), InvalidResult());
        require(codec == CODEC_RAW || codec == CODEC_DAG_PB, UnsupportedCodec(codec));
        (, , , uint40 deadline) = TASKS.termsOf(held.taskId);
        require(block.timestamp <= deadline, TaskDeadlinePassed(held.taskId, deadline));
        if (held.status == LeaseStatus.Moving) _dropMove(leaseId);
        held.status = LeaseStatus.Delivered;
        held.due = uint40(block.timestamp + PARAMETERS.get(Param.DisputeWindow));
        _results[leaseId] = Result(digest, codec, size, uint40(block.timestamp), 0);
        emit ResultDelivered(leaseId, held.taskId, held.nodeId, digest, codec, size);
        SUPPLY.deliver(held.nodeId, held.count);
    }

    /// @inheritdoc ILeaseRegistry
    function release(uint32 leaseId, uint24 fence) external {
        Lease storage held = _held(leaseId, fence, msg.sender);
        if (held.status == LeaseStatus.Moving) _handOver(leaseId, held);
        else _release(leaseId, held);
    }

    /// @inheritdoc ILeaseRegistry
    function startMove(uint32 leaseId, uint24 units, uint256 classes) external onlyModule(_modules.balancer) {
        Lease storage held = _leases[leaseId];
        require(held.status == LeaseStatus.Active, WrongLeaseStatus(leaseId, held.status));
        held.status = LeaseStatus.Moving;
        uint40 due = uint40(block.timestamp + PARAMETERS.get(Param.MoveGrace));
        held.due = due;
        _departures[leaseId] = Departure(units, uint40(block.timestamp));
        if (classes != 0) _takers[leaseId] = classes;
        emit LeaseMoving(leaseId, units, due);
    }

    /// @inheritdoc ILeaseRegistry
    function handOver(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        require(held.status == LeaseStatus.Moving, WrongLeaseStatus(leaseId, held.status));
        require(block.timestamp > held.due, MoveInGrace(leaseId, held.due));
        _handOver(leaseId, held);
    }

    /// @inheritdoc ILeaseRegistry
    function expire(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        require(held.status == LeaseStatus.Active, WrongLeaseStatus(leaseId, held.status));
        bool atFault = _atFault(held);
        if (!atFault) {
            (, , , uint40 deadline) = TASKS.termsOf(held.taskId);
            require(block.timestamp > deadline, LeaseInTime(leaseId, uint40(Math.max(held.due, outageUntil()))));
        }
        held.status = LeaseStatus.Expired;
        held.due = uint40(block.timestamp);
        emit LeaseExpired(leaseId, held.taskId, held.nodeId, msg.sender, atFault);
        // The penalty first: a cooling node is not listed, so what is freed after it need not be.
        if (atFault) {
            // Never more than the node lost, or whoever owns it could expire it at the pool's cost.
            uint256 slashed = SUPPLY.penalise(held.nodeId, _slice(held.count));
            VAULT.payBounty(msg.sender, Math.min(PARAMETERS.get(Param.ExpireBounty) * PRICE_UNIT, slashed));
        }
        SUPPLY.free(held.nodeId, held.count);
        if (!TASKS.takesLeases(held.taskId)) _reopen(leaseId, held, leaseId);
        else if (!_givenUp(leaseId, held)) IReassignment(_modules.reassignment).add(leaseId, false);
    }

    /// @inheritdoc ILeaseRegistry
    function accept(uint32[] calldata leaseIds) external {
        for (uint256 i; i < leaseIds.length; ++i) {
            uint32 leaseId = leaseIds[i];
            Lease storage held = _existing(leaseId);
            // Somebody was faster; the others of the batch are still paid.
            if (held.status == LeaseStatus.Paid) continue;
            (address developer, , , ) = TASKS.termsOf(held.taskId);
            if (held.status == LeaseStatus.Delivered) {
                require(msg.sender == developer || block.timestamp > held.due, DisputeWindowOpen(leaseId, held.due));
            } else {
                require(held.status == LeaseStatus.Disputed, WrongLeaseStatus(leaseId, held.status));
                require(block.timestamp > held.due, ArbitrationOpen(leaseId, held.due));
            }
            _pay(leaseId, held);
        }
    }

    /// @inheritdoc ILeaseRegistry
    function dispute(uint32 leaseId) external {
        Lease storage held = _existing(leaseId);
        (address developer, , , ) = TASKS.termsOf(held.taskId);
        require(msg.sender == developer, NotTaskOwner(held.taskId, msg.sender));
        require(held.status == LeaseStatus.Delivered, WrongLeaseStatus(leaseId, held.status));
        require(block.timestamp <= held.due, DisputeWindowClosed(leaseId, held.due));
        uint256 bond = Math.ceilDiv(uint256(held.price) * held.count * PARAMETERS.get(Param.DisputeBondBps), BASIS);
        held.status = LeaseStatus.Disputed;
        held.due = uint40(block.timestamp + PARAMETERS.get(Param.ArbitrationTimeout));
        _results[leaseId].bond = uint64(bond);
        emit LeaseDisputed(leaseId, msg.sender, bond * PRICE_UNIT);
        VAULT.lockEscrow(held.taskId, msg.sender, bond * PRICE_UNIT);
    }

    /// @inheritdoc ILeaseRegistry
    function rule(uint32 leaseId, bool forNode) external restricted {
        Lease storage held = _existing(leaseId);
        require(held.status == LeaseStatus.Disputed, WrongLeaseStatus(leaseId, held.status));
        emit DisputeRuled(leaseId, forNode);
        if (forNode) {
            _pay(leaseId, held);
            return;
        }
        held.status = LeaseStatus.Rejected;
        (address developer, , , ) = TASKS.termsOf(held.taskId);
        VAULT.releaseEscrow(held.taskId, developer, _results[leaseId].bond * PRICE_UNIT);
        SUPPLY.penalise(held.nodeId, _slice(held.count));
        SUPPLY.decide(held.nodeId, held.count);
        // Nobody should build on what a refused result came from: the units start afresh.
        _reopen(leaseId, held, 0);
    }

    /// @inheritdoc ILeaseRegistry
    function healthOf(uint32 leaseId) external view returns (Health) {
        Lease storage held = _existing(leaseId);
        require(held.status == LeaseStatus.Active, WrongLeaseStatus(leaseId, held.status));
        if (_atFault(held)) return Health.Overdue;
        return block.timestamp + PARAMETERS.get(Param.LeaseGrace) > held.due ? Health.Suspect : Health.InTime;
    }

    /// @inheritdoc ILeaseRegistry
    function lease(uint32 leaseId) external view returns (Lease memory) {
        return _existing(leaseId);
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
    function orphanOf(uint32 leaseId) external view returns (Lease memory range, bool moved, uint256 classes) {
        range = _existing(leaseId);
        if (range.status == LeaseStatus.Expired) return (range, false, 0);
        uint24 units = range.status == LeaseStatus.Released ? _departures[leaseId].units : 0;
        range.start += range.count - units;
        range.count = units;
        return (range, true, _takers[leaseId]);
    }

    /// @inheritdoc ILeaseRegistry
    function leasePage(uint32 from, uint32 count) external view returns (LeaseView[] memory page) {
        uint32 end = leaseCount + 1;
        if (from == 0) from = 1;
        if (from >= end) return page;
        if (count > end - from) count = end - from;
        page = new LeaseView[](count);
        for (uint32 i; i < count; ++i) page[i] = LeaseView(from + i, _leases[from + i], _results[from + i]);
    }

    /// @inheritdoc ILeaseRegistry
    function outageUntil() public view returns (uint40) {
        // A feed that is switched off, or never was one, must not keep failed nodes' leases alive, nor make {expire} revert.
        (bool ok, bytes memory answer) = address(UPTIME).staticcall(abi.encodeCall(UPTIME.latestRoundData, ()));
        if (!ok || answer.length < 160) return 0;
        (, uint256 down, uint256 since, , ) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
        if (down != 0) since = Math.saturatingAdd(since, MAX_OUTAGE);
        uint256 until = Math.saturatingAdd(since, PARAMETERS.get(Param.OutageGrace));
        return uint40(Math.min(until, type(uint40).max));
    }

    function _grant(Grant memory g, uint256 base) private {
        uint32 id = ++leaseCount;
        _leases[id] = Lease({
            taskId: g.taskId,
            nodeId: g.nodeId,
            start: g.start,
            count: g.count,
            price: g.price,
            due: uint40(base + g.checkpointInterval),
            fence: g.fence,
            status: LeaseStatus.Active,
            parent: g.parent
        });
        emit LeaseGranted(id, g.taskId, g.nodeId, g.start, g.count, g.price, g.fence, g.parent);
    }

    function _release(uint32 leaseId, Lease storage held) private {
        held.status = LeaseStatus.Released;
        held.due = uint40(block.timestamp);
        emit LeaseReleased(leaseId, held.taskId, held.nodeId);
        // The charge first: what a barred owner's node has free is not listed.
        IReleaseFees(_modules.releaseFees).charge(leaseId);
        SUPPLY.free(held.nodeId, held.count);
        _reopen(leaseId, held, leaseId);
    }

    /// @dev Ends a moving lease: its last units are drawn for, what is left stays with its node under a new lease.
    function _handOver(uint32 leaseId, Lease storage held) private {
        (, , uint32 interval, uint40 deadline) = TASKS.termsOf(held.taskId);
        if (block.timestamp > deadline) {
            _dropMove(leaseId);
            _release(leaseId, held);
            return;
        }
        uint24 units = _departures[leaseId].units;
        held.status = LeaseStatus.Released;
        held.due = uint40(block.timestamp);
        emit LeaseReleased(leaseId, held.taskId, held.nodeId);
        SUPPLY.free(held.nodeId, units);
        IReassignment(_modules.reassignment).add(leaseId, true);
        if (units == held.count) return;
        Grant memory rest = Grant({
            taskId: held.taskId,
            nodeId: held.nodeId,
            start: held.start,
            count: held.count - units,
            price: held.price,
            checkpointInterval: interval,
            fence: held.fence + 1,
            parent: leaseId
        });
        _grant(rest, block.timestamp + PARAMETERS.get(Param.LeaseGrace));
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
        (, uint16 feeBps, , ) = TASKS.termsOf(taskId);
        (address owner, ) = NODES.keysOf(nodeId);
        uint256 amount = count * uint256(held.price) * PRICE_UNIT;
        // The other half was due when the units were first leased. Exact, for prices are whole micro-VER.
        uint256 fee = (amount * feeBps) / (2 * BASIS);
        emit LeasePaid(leaseId, taskId, nodeId, amount, fee);
        VAULT.releaseEscrow(taskId, owner, amount + _results[leaseId].bond * PRICE_UNIT);
        if (fee != 0) VAULT.collectFee(taskId, fee);
        TASKS.markPaid(taskId, count);
        SUPPLY.decide(nodeId, count);
    }

    /// @dev The units wait for a round; `parent` is the lease whose checkpoints they go on from.
    function _reopen(uint32 leaseId, Lease storage held, uint32 parent) private {
        if (_givenUp(leaseId, held)) return;
        TASKS.reopen(held.taskId, ITaskRegistry.OpenRange(held.start, held.count, parent, held.fence + 1));
    }

    /// @dev Refunds a range that has changed hands too often, so that no node's failing or releasing goes on for ever.
    function _givenUp(uint32 leaseId, Lease storage held) private returns (bool) {
        if (held.fence < PARAMETERS.get(Param.MaxHands)) return false;
        emit RangeGivenUp(leaseId, held.taskId, held.start, held.count);
        TASKS.refund(held.taskId, held.count);
        return true;
    }

    /// @dev Whether the node of an active lease has failed by now.
    function _atFault(Lease storage held) private view returns (bool) {
        if (block.timestamp <= outageUntil()) return false;
        if (block.timestamp > held.due) return true;
        // Missing reports alone are no fault: a checkpoint is a sign of life as good as a report, for as long.
        (, , uint32 interval, ) = TASKS.termsOf(held.taskId);
        uint256 renewed = held.due - Math.min(interval + PARAMETERS.get(Param.LeaseGrace), held.due);
        if (block.timestamp <= renewed + PARAMETERS.get(Param.ReportTimeout)) return false;
        return ITelemetry(_modules.telemetry).silent(held.nodeId);
    }

    /// @dev Slice of the stake under `count` units, wei, rounded up.
    function _slice(uint256 count) private view returns (uint256) {
        uint256 under = count * PARAMETERS.get(Param.StakePerUnit) * PRICE_UNIT;
        return Math.ceilDiv(under * PARAMETERS.get(Param.SlashBps), BASIS);
    }

    /// @dev An active or moving lease that `operator` holds under this very fence.
    function _held(uint32 leaseId, uint24 fence, address operator) private view returns (Lease storage held) {
        held = _existing(leaseId);
        require(fence == held.fence, StaleFence(leaseId, fence, held.fence));
        require(
            held.status == LeaseStatus.Active || held.status == LeaseStatus.Moving,
            WrongLeaseStatus(leaseId, held.status)
        );
        (, address expected) = NODES.keysOf(held.nodeId);
        require(operator == expected, NotLeaseOperator(leaseId, operator));
    }

    function _existing(uint32 leaseId) private view returns (Lease storage held) {
        held = _leases[leaseId];
        require(held.status != LeaseStatus.None, UnknownLease(leaseId));
    }
}
