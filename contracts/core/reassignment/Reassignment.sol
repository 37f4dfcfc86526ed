// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS} from "../../types/Units.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IReassignment} from "../../interfaces/IReassignment.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";
import {SeedDraw} from "../seeds/SeedDraw.sol";

/// @title Reassignment: takers are drawn for the ranges of failed leases, and for units that move
/// @notice See {IReassignment}.
contract Reassignment is IReassignment {
    struct Batch {
        // One slot.
        uint40 openedAt;
        uint40 closedAt;
        BatchStatus status;
        uint32 drawn;
        // What {DrawRule} has.
        uint16 latencyFloor;
        uint16 latencyMin;
        uint16 loadFloor;
        uint16 averageLoad;
        uint16 band;
        uint40 reportedSince;
        uint256 requestId;
        uint32[] leaseIds;
    }

    /// @dev A range that is drawn for.
    struct Orphan {
        uint32 batchId;
        uint32 leaseId;
        /// Cut to the units that still need a node.
        ILeaseRegistry.Lease range;
        address owner;
        bool moved;
        /// Whether what moves leaves a throttled node.
        bool power;
        ITaskRegistry.RoundTask task;
        DrawRule rule;
        /// Classes that the task accepts, one bit each, and those of them that may take the range.
        uint256 takers;
        uint8[] classIds;
        /// Units of each class, and of those before it, that the range may have at its price.
        uint256[] ends;
    }

    /// @dev A node that a try came to.
    struct Candidate {
        uint32 nodeId;
        uint32 free;
        uint256 load;
        uint256 latency;
        uint256 capacity;
        uint40 reportedAt;
    }

    /// @notice Most orphans in a batch.
    uint256 public constant BATCH = 32;
    /// @notice Most tries to find nodes for a range. If one try in four finds one, a range is left over once in 10^8.
    uint256 public constant TRIES = 64;
    /// @notice Time in which a waiting round may go first after a batch, seconds: five blocks of BASE.
    uint256 public constant ROUND_PRIORITY = 10;
    /// @dev Most pending listings that opening a batch brings up to date itself.
    uint256 private constant SYNC_AT_OPEN = 48;

    /// @notice Times, the floor of latencies.
    IParameters public immutable PARAMETERS;
    /// @notice Owners.
    INodeRegistry public immutable NODES;
    /// @notice Supply.
    ISupply public immutable SUPPLY;
    /// @notice Where ranges go that found no node.
    ITaskRegistry public immutable TASKS;
    /// @notice Grants what is drawn.
    ILeaseRegistry public immutable LEASES;
    /// @notice Seeds.
    IVrfSeeds public immutable SEEDS;
    /// @notice Loads and latencies.
    ITelemetry public immutable TELEMETRY;

    uint32 private _count;
    /// @dev Number of this contract's last freeze.
    uint32 private _freeze;
    /// @dev First of the orphans that wait.
    uint32 private _head;
    /// @dev How many of those that wait move.
    uint32 private _moving;
    uint32[] private _orphans;
    mapping(uint32 batchId => Batch) private _batches;
    mapping(uint32 nodeId => Arrival) private _arrivals;

    constructor(
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        IVrfSeeds seeds,
        ITelemetry telemetry
    ) {
        PARAMETERS = parameters;
        NODES = nodes;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        SEEDS = seeds;
        TELEMETRY = telemetry;
    }

    /// @inheritdoc IReassignment
    function add(uint32 leaseId, bool moved) external {
        require(msg.sender == address(LEASES), NotModule(msg.sender));
        _orphans.push(leaseId);
        if (moved) ++_moving;
        emit RangeOrphaned(leaseId, moved);
    }

    /// @inheritdoc IReassignment
    function open() external returns (uint32 batchId) {
        batchId = _count;
        require(_batches[batchId].status != BatchStatus.Seeding, BatchOpen(batchId));
        uint256 waiting = orphanCount();
        require(waiting != 0, NoOrphans());
        uint256 until = _movesFrom();
        require(block.timestamp >= until, BatchTooSoon(until));
        until = _roundsUntil();
        require(block.timestamp >= until, RoundHasPriority(until));

        Batch storage b = _batches[++batchId];
        uint256 looked = Math.min(waiting, BATCH);
        uint256 head = _head;
        uint32 moving;
        _head = uint32(head + looked);
        for (uint256 i; i < looked; ++i) {
            uint32 leaseId = _orphans[head + i];
            (ILeaseRegistry.Lease memory range, bool moved, ) = LEASES.orphanOf(leaseId);
            if (moved) ++moving;
            if (TASKS.takesLeases(range.taskId)) b.leaseIds.push(leaseId);
            else _reopen(leaseId, range);
        }
        _moving -= moving;
        if (b.leaseIds.length == 0) return 0;
        _count = batchId;
        b.openedAt = uint40(block.timestamp);
        b.status = BatchStatus.Seeding;
        _fixRule(b, moving != 0);
        SUPPLY.freeze(SYNC_AT_OPEN);
        _freeze = SUPPLY.freezeCount();
        b.requestId = SEEDS.request();
        emit BatchOpened(batchId, msg.sender, b.requestId, b.leaseIds);
    }

    /// @inheritdoc IReassignment
    function draw(uint256 most) external returns (uint256 left) {
        Batch storage b = _requireOpen();
        bytes32 seed = SEEDS.seedOf(b.requestId);
        require(seed != bytes32(0), SeedPending(_count));
        uint256 from = b.drawn;
        left = b.leaseIds.length - from;
        if (most > left) most = left;
        left -= most;
        b.drawn = uint32(from + most);
        DrawRule memory rule = _ruleOf(b);
        for (uint256 i; i < most; ++i) _drawFor(b.leaseIds[from + i], rule, seed);
        if (left == 0) {
            emit BatchDrawn(_count);
            _close(b, BatchStatus.Done);
        }
    }

    /// @inheritdoc IReassignment
    function abort() external {
        Batch storage b = _requireOpen();
        uint256 until = b.openedAt + PARAMETERS.get(Param.SeedTimeout);
        if (SEEDS.seedOf(b.requestId) != bytes32(0)) until += PARAMETERS.get(Param.SettleTimeout);
        require(block.timestamp > until, BatchNotTimedOut(_count, until));
        emit BatchAborted(_count, _status(b));
        _close(b, BatchStatus.Aborted);
        for (uint256 i = b.drawn; i < b.leaseIds.length; ++i) {
            (ILeaseRegistry.Lease memory range, , ) = LEASES.orphanOf(b.leaseIds[i]);
            _reopen(b.leaseIds[i], range);
        }
    }

    /// @inheritdoc IReassignment
    function hasTurn() external view returns (bool) {
        return orphanCount() != 0 && SUPPLY.freezeCount() != _freeze && block.timestamp >= _movesFrom();
    }

    /// @inheritdoc IReassignment
    function current() external view returns (BatchView memory) {
        return batch(_count);
    }

    /// @inheritdoc IReassignment
    function orphanPage(uint256 offset, uint256 count) external view returns (uint32[] memory leaseIds) {
        uint256 end = orphanCount();
        if (offset >= end) return leaseIds;
        if (count > end - offset) count = end - offset;
        leaseIds = new uint32[](count);
        for (uint256 i; i < count; ++i) leaseIds[i] = _orphans[_head + offset + i];
    }

    /// @inheritdoc IReassignment
    function arrivalOf(uint32 nodeId) external view returns (Arrival memory) {
        (, , uint40 reportedAt, ) = TELEMETRY.loadAndLatencyOf(nodeId);
        return _arrivalAt(nodeId, reportedAt);
    }

    /// @inheritdoc IReassignment
    function nextOpening() external view returns (uint256) {
        return Math.max(_movesFrom(), _roundsUntil());
    }

    /// @inheritdoc IReassignment
    function orphanCount() public view returns (uint256) {
        return _orphans.length - _head;
    }

    /// @inheritdoc IReassignment
    function batch(uint32 batchId) public view returns (BatchView memory) {
        Batch storage b = _batches[batchId];
        return
            BatchView({
                id: batchId,
                status: _status(b),
                openedAt: b.openedAt,
                closedAt: b.closedAt,
                requestId: b.requestId,
                seed: SEEDS.seedOf(b.requestId),
                rule: _ruleOf(b),
                leaseIds: b.leaseIds,
                drawn: b.drawn
            });
    }

    /// @dev Draws nodes for a range until all of it has one or the tries are used up. All that decides was fixed when the
    /// batch was opened, but for what the draws before this one took.
    function _drawFor(uint32 leaseId, DrawRule memory rule, bytes32 seed) private {
        Orphan memory o = _orphan(leaseId, rule);
        uint256 units = _price(o);
        for (uint32 attempt; attempt < TRIES && units != 0; ++attempt) {
            (uint256 high, uint256 low) = SeedDraw.reassign(seed, leaseId, attempt);
            Candidate memory c = _candidate(o, high % units, seed, attempt);
            uint256 count = _accepted(o, c, low);
            if (count == 0) continue;
            _grant(o, c, uint24(count), seed);
            units = o.range.count == 0 ? 0 : _price(o);
        }
        if (o.range.count != 0) _reopen(leaseId, o.range);
    }

    /// @dev The range, its task and the task's classes. O(classes), at most 16.
    function _orphan(uint32 leaseId, DrawRule memory rule) private view returns (Orphan memory o) {
        o.batchId = _count;
        o.leaseId = leaseId;
        o.rule = rule;
        (o.range, o.moved, o.takers) = LEASES.orphanOf(leaseId);
        (o.owner, ) = NODES.keysOf(o.range.nodeId);
        o.task = TASKS.roundTask(o.range.taskId);
        o.power = o.takers != 0;
        if (!o.power) o.takers = o.task.classes;
        uint256 count;
        for (uint256 set = o.task.classes; set != 0; set &= set - 1) ++count;
        o.classIds = new uint8[](count);
        o.ends = new uint256[](count);
        count = 0;
        for (uint256 set = o.task.classes; set != 0; set &= set - 1) {
            o.classIds[count++] = uint8(Math.log2(set & (~set + 1)));
        }
    }

    /// @dev Finds the highest price for what is left of the range, and the units listed up to it. No node is paid more than
    /// the lease that ended, or than what the units cost in the class that is cheapest for all of them (for one of them, if
    /// none lists them all), surcharges included; nor more than the task pays.
    /// @return units Of all classes that may take the range.
    function _price(Orphan memory o) private view returns (uint256 units) {
        uint256 market = _market(o, o.range.count);
        if (market == type(uint256).max) market = _market(o, 1);
        for (uint256 k; k < o.classIds.length; ++k) {
            uint256 surcharge = _surchargeOf(o, k);
            if (o.takers & (1 << o.classIds[k]) != 0 && surcharge <= o.task.maxPrice) {
                uint256 most = Math.max(o.range.price, Math.saturatingSub(market, surcharge));
                units += SUPPLY.unitsAtOrBelow(o.classIds[k], Math.min(most, o.task.maxPrice - surcharge));
            }
            o.ends[k] = units;
        }
    }

    /// @dev Lowest price, surcharge included, at which one class alone lists this many units; the highest number if none does.
    function _market(Orphan memory o, uint256 units) private view returns (uint256 lowest) {
        lowest = type(uint256).max;
        for (uint256 k; k < o.classIds.length; ++k) {
            uint256 price = SUPPLY.priceOf(o.classIds[k], units);
            if (price != type(uint256).max) lowest = Math.min(lowest, price + _surchargeOf(o, k));
        }
    }

    /// @dev The surcharges are in the order of the classes' bits.
    function _surchargeOf(Orphan memory o, uint256 k) private pure returns (uint256) {
        return o.task.surcharges.length == 0 ? 0 : o.task.surcharges[k];
    }

    /// @dev A node of the class and price of unit `at` of those that the range may have; none if it may not have the range.
    function _candidate(
        Orphan memory o,
        uint256 at,
        bytes32 seed,
        uint32 attempt
    ) private view returns (Candidate memory c) {
        uint256 k;
        while (at >= o.ends[k]) ++k;
        if (k != 0) at -= o.ends[k - 1];
        (c.nodeId, c.free) = SUPPLY.draw(o.classIds[k], at, seed, o.leaseId, attempt);
        if (c.free == 0) return c;
        (address owner, ) = NODES.keysOf(c.nodeId);
        (c.load, c.latency, c.reportedAt, c.capacity) = TELEMETRY.loadAndLatencyOf(c.nodeId);
        bool silent = c.reportedAt < o.rule.reportedSince && (c.reportedAt != 0 || o.moved);
        if (owner == o.owner || silent) c.free = 0;
    }

    /// @dev How many units of the range the node takes: with probability
    /// (1 - load) / (1 - loadFloor) x (latencyMin + L0) / (latency + L0) what it has room for, else none.
    function _accepted(Orphan memory o, Candidate memory c, uint256 low) private view returns (uint256) {
        if (c.free == 0) return 0;
        DrawRule memory r = o.rule;
        // What the chain knows of its load, and what no node is below, so that reporting less gains nothing.
        if (c.free < c.capacity) c.load = Math.max(c.load, BASIS - (c.free * BASIS) / c.capacity);
        uint256 latency = Math.max(c.latency, r.latencyMin) + r.latencyFloor;
        uint256 scale = (BASIS - r.loadFloor) * latency;
        uint256 load = Math.max(c.load, r.loadFloor);
        if (low % scale >= (BASIS - load) * (uint256(r.latencyMin) + r.latencyFloor)) return 0;
        uint256 count = Math.min(c.free, o.range.count);
        return o.moved ? Math.min(count, _room(o, c)) : count;
    }

    /// @dev How many units that move a node takes. From an overloaded node: it is below the band, and comes above the average
    /// by no more than one unit's worth, nor by more than the band, so that it never has to give. From a throttled one: it
    /// stays within the band.
    function _room(Orphan memory o, Candidate memory c) private view returns (uint256) {
        // Basis points x units of capacity.
        uint256 load = c.load * c.capacity + _arrivalAt(c.nodeId, c.reportedAt).units * BASIS;
        uint256 average = o.rule.averageLoad * c.capacity;
        uint256 band = o.rule.band * c.capacity;
        uint256 within = Math.saturatingSub(average + band, load) / BASIS;
        if (o.power) return within;
        return load + band < average ? Math.min((average - load) / BASIS + 1, within) : 0;
    }

    /// @dev Leases units to the node; the orphan keeps the rest.
    function _grant(Orphan memory o, Candidate memory c, uint24 count, bytes32 seed) private {
        (uint8 classId, uint40 price) = SUPPLY.reserve(c.nodeId, count);
        if (o.moved) {
            Arrival memory arrival = _arrivalAt(c.nodeId, c.reportedAt);
            arrival.units += count;
            arrival.until = uint40(block.timestamp + PARAMETERS.get(Param.MoveGrace));
            _arrivals[c.nodeId] = arrival;
        }
        ILeaseRegistry.Grant[] memory grants = new ILeaseRegistry.Grant[](1);
        grants[0] = ILeaseRegistry.Grant({
            taskId: o.range.taskId,
            nodeId: c.nodeId,
            start: o.range.start,
            count: count,
            price: price,
            checkpointInterval: o.task.checkpointInterval,
            fence: o.range.fence + 1,
            parent: o.leaseId,
            classId: classId,
            reassignments: o.range.reassignments
        });
        uint32 granted = LEASES.grant(grants, seed);
        emit RangeDrawn(o.batchId, o.leaseId, granted, c.nodeId, o.range.start, count);
        o.range.start += count;
        o.range.count -= uint16(count);
    }

    function _reopen(uint32 leaseId, ILeaseRegistry.Lease memory range) private {
        emit RangeReturned(leaseId, range.start, range.count);
        TASKS.reopen(
            range.taskId,
            ITaskRegistry.OpenRange(range.start, range.count, leaseId, range.fence + 1, range.reassignments)
        );
    }

    function _close(Batch storage b, BatchStatus status) private {
        b.status = status;
        b.closedAt = uint40(block.timestamp);
        SUPPLY.thaw();
    }

    /// @dev Fixes what the draws of a batch go by.
    function _fixRule(Batch storage b, bool moving) private {
        b.latencyFloor = uint16(PARAMETERS.get(Param.LatencyFloor));
        b.latencyMin = uint16(PARAMETERS.get(Param.MaxLatency) / 2);
        b.loadFloor = uint16(PARAMETERS.get(Param.LoadFloor));
        b.reportedSince = uint40(block.timestamp - PARAMETERS.get(Param.ReportTimeout));
        if (!moving) return;
        b.band = uint16(PARAMETERS.get(Param.BalanceBand));
        (uint256 loads, uint256 capacity) = TELEMETRY.averageLoad();
        if (capacity != 0) b.averageLoad = uint16(loads / capacity);
    }

    function _ruleOf(Batch storage b) private view returns (DrawRule memory) {
        return DrawRule(b.latencyFloor, b.latencyMin, b.loadFloor, b.averageLoad, b.band, b.reportedSince);
    }

    /// @dev From when on a batch may be opened if nothing that waits has failed. The stake of a failed node pays for its
    /// seed; moves cost nobody anything, so that they share one.
    function _movesFrom() private view returns (uint256) {
        if (_count == 0 || _moving != orphanCount()) return 0;
        return _batches[_count].openedAt + PARAMETERS.get(Param.RoundInterval);
    }

    /// @dev Until when rounds may go first: only right after a batch, and only if a round may be waiting.
    function _roundsUntil() private view returns (uint256) {
        if (_count == 0 || SUPPLY.freezeCount() != _freeze) return 0;
        if (PARAMETERS.intakePaused() || TASKS.queueLength() == 0) return 0;
        return _batches[_count].closedAt + ROUND_PRIORITY;
    }

    function _arrivalAt(uint32 nodeId, uint40 reportedAt) private view returns (Arrival memory arrival) {
        arrival = _arrivals[nodeId];
        if (reportedAt > arrival.until) delete arrival;
    }

    function _requireOpen() private view returns (Batch storage b) {
        b = _batches[_count];
        require(b.status == BatchStatus.Seeding, NoBatchOpen());
    }

    /// @dev A stored batch waits for its seed until the seed is there; no transaction of ours marks that moment.
    function _status(Batch storage b) private view returns (BatchStatus status) {
        status = b.status;
        if (status == BatchStatus.Seeding && SEEDS.seedOf(b.requestId) != bytes32(0)) return BatchStatus.Drawing;
    }
}
