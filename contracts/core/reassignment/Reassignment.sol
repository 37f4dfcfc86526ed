// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IReassignment} from "../../interfaces/IReassignment.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";
import {PackedUint32} from "../../libraries/PackedUint32.sol";
import {ClassSet} from "../../types/ClassSet.sol";
import {NotModule} from "../../types/Errors.sol";
import {BASIS} from "../../types/Units.sol";
import {INodeReports} from "../interfaces/INodeReports.sol";
import {IOrphans} from "../interfaces/IOrphans.sol";
import {SeedDraw} from "../seeds/SeedDraw.sol";
import {SeededSession} from "../seeds/SeededSession.sol";
import {OrphanQueue} from "./OrphanQueue.sol";

/// @title Reassignment: takers are drawn for the ranges of failed leases, and for units that move
/// @notice See {IReassignment}.
contract Reassignment is IReassignment, SeededSession {
    using OrphanQueue for OrphanQueue.Queue;

    /// @dev What a batch draws for, beside its session.
    struct Batch {
        // One slot.
        uint32 drawn;
        uint32 size;
        // What {DrawRule} has.
        uint16 latencyFloor;
        uint16 latencyMin;
        uint16 loadFloor;
        uint16 averageLoad;
        uint16 band;
        uint40 reportedSince;
        /// The leases that ended, eight to a word.
        mapping(uint256 key => uint256 word) leaseIds;
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
        /// Those of the classes that the task accepts which may take the range, and all of them, ascending.
        ClassSet takers;
        uint8[] classIds;
        /// Units of each class, and of those before it, that the range may have at its price.
        uint256[] ends;
        /// Nodes that tries came to and that may not have the range, `unfitCount` of them, and the units that they list.
        uint32[] unfit;
        uint256 unfitCount;
        uint256 unfitUnits;
    }

    /// @dev A node that a try came to.
    struct Candidate {
        uint32 nodeId;
        uint32 free;
        uint256 load;
        uint256 latency;
        uint256 capacity;
        uint40 reportedAt;
        /// Units of the range that it may have at most.
        uint256 room;
    }

    /// @notice Maximum number of orphans in a batch.
    uint256 public constant BATCH = 128;
    /// @notice Maximum number of orphans that opening a batch gives back to tasks that no longer take leases.
    uint256 public constant RETURNS = 32;
    /// @notice Maximum number of tries to find nodes for a range. If one try in four finds one, a range is left over once in 10^8.
    uint256 public constant TRIES = 64;
    /// @notice Time in which a waiting round may go first after a batch, seconds: five blocks of BASE.
    uint256 public constant ROUND_PRIORITY = 10;
    /// @dev Unfit nodes that are remembered for a range.
    uint256 private constant UNFIT = 16;
    /// @dev Maximum number of pending listings that opening a batch brings up to date itself.
    uint256 private constant SYNC_AT_OPEN = 48;

    /// @notice Owners.
    INodeRegistry public immutable NODES;
    /// @notice Loads and latencies.
    INodeReports public immutable REPORTS;

    mapping(uint32 batchId => Batch) private _batches;
    mapping(uint32 nodeId => Arrival) private _arrivals;
    OrphanQueue.Queue private _orphans;

    constructor(
        IParameters parameters,
        INodeRegistry nodes,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        IVrfSeeds seeds,
        INodeReports reports
    ) SeededSession(parameters, supply, tasks, leases, seeds) {
        NODES = nodes;
        REPORTS = reports;
    }

    /// @inheritdoc IOrphans
    function add(uint32 leaseId, bool moved) external {
        require(msg.sender == address(LEASES), NotModule(msg.sender));
        _orphans.add(leaseId, moved);
    }

    /// @inheritdoc IReassignment
    function open() external returns (uint32 batchId) {
        require(!_isOpen(_sessions[_count]), BatchOpen(_count));
        (uint256 batchFrom, uint256 roundUntil) = _turns();
        require(block.timestamp >= batchFrom, BatchTooSoon(batchFrom));
        require(block.timestamp >= roundUntil, RoundHasPriority(roundUntil));

        (uint32[] memory orphans, bool moving) = _takeOrphans();
        if (orphans.length == 0) return 0;
        Session storage session;
        (batchId, session) = _begin(SYNC_AT_OPEN);
        Batch storage b = _batches[batchId];
        b.size = uint32(orphans.length);
        _fixRule(b, moving);
        _store(b, orphans);
        emit BatchOpened(batchId, msg.sender, _request(session), orphans);
    }

    /// @inheritdoc IReassignment
    function draw(uint256 most) external returns (uint256 left) {
        Session storage session = _requireOpen();
        bytes32 seed = _seedOf(_count, session);
        Batch storage b = _batches[_count];
        uint256 from = b.drawn;
        left = b.size - from;
        if (most > left) most = left;
        left -= most;
        b.drawn = uint32(from + most);
        DrawRule memory rule = _ruleOf(b);
        for (uint256 i; i < most; ++i) _drawFor(_leaseIdAt(b, from + i), rule, seed);
        if (left == 0) {
            emit BatchDrawn(_count);
            _end(session, Phase.Done);
        }
    }

    /// @inheritdoc IReassignment
    function abort() external {
        Session storage session = _requireOpen();
        uint256 until = _timeoutOf(session);
        require(block.timestamp > until, BatchNotTimedOut(_count, until));
        emit BatchAborted(_count, _statusOf(session));
        _end(session, Phase.Aborted);
        Batch storage b = _batches[_count];
        for (uint256 i = b.drawn; i < b.size; ++i) _reopen(_leaseIdAt(b, i));
    }

    /// @inheritdoc IReassignment
    function hasTurn() external view returns (bool) {
        return _batchGoesFirst();
    }

    /// @inheritdoc IOrphans
    function orphanCounts() external view returns (uint256 waiting, uint256 moving, bool inARow) {
        return _orphanCounts();
    }

    /// @inheritdoc IReassignment
    function orphanPage(uint256 offset, uint256 count) external view returns (uint32[] memory) {
        return _orphans.page(offset, Math.min(count, Math.saturatingSub(_orphans.waiting(), offset)));
    }

    /// @inheritdoc IReassignment
    function current() external view returns (BatchView memory) {
        return batch(_count);
    }

    /// @inheritdoc IReassignment
    function arrivalOf(uint32 nodeId) external view returns (Arrival memory) {
        (, , uint40 reportedAt, ) = REPORTS.loadAndLatencyOf(nodeId);
        return _arrivalAt(nodeId, reportedAt);
    }

    /// @inheritdoc IReassignment
    function nextOpening() external view returns (uint256) {
        (uint256 waiting, uint256 moving, ) = _orphanCounts();
        ISupply.Freeze memory last = SUPPLY.lastFreeze();
        return Math.max(_batchFrom(last, waiting == moving), _roundUntil(last));
    }

    /// @inheritdoc IReassignment
    function batch(uint32 batchId) public view returns (BatchView memory) {
        Session storage session = _sessions[batchId];
        Batch storage b = _batches[batchId];
        uint32[] memory leaseIds = new uint32[](b.size);
        for (uint256 i; i < leaseIds.length; ++i) leaseIds[i] = _leaseIdAt(b, i);
        return
            BatchView({
                id: batchId,
                status: _statusOf(session),
                openedAt: session.openedAt,
                closedAt: session.closedAt,
                requestId: session.requestId,
                seed: SEEDS.seedOf(session.requestId),
                rule: _ruleOf(b),
                leaseIds: leaseIds,
                drawn: b.drawn
            });
    }

    /// @dev Draws nodes for a range until all of it has one, or the tries are used up, or all units that it may have are known
    /// to be of nodes that may not have it: no further try could find one. All that decides was fixed when the batch was opened,
    /// but for what the draws before this one took.
    function _drawFor(uint32 leaseId, DrawRule memory rule, bytes32 seed) private {
        Orphan memory o = _orphan(leaseId, rule);
        uint256 units = _price(o);
        for (uint32 attempt; attempt < TRIES && units != o.unfitUnits; ++attempt) {
            (uint256 high, uint256 low) = SeedDraw.reassign(seed, leaseId, attempt);
            Candidate memory c = _candidate(o, high % units, seed, attempt);
            uint256 count = _accepted(o, c, low);
            if (count == 0) continue;
            _grant(o, c, uint24(count), seed);
            (o.unfitCount, o.unfitUnits) = (0, 0);
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
        o.owner = NODES.ownerOf(o.range.nodeId);
        o.task = TASKS.roundTask(o.range.taskId);
        o.power = !o.takers.isEmpty();
        ClassSet classes = o.task.classes;
        if (!o.power) o.takers = classes;
        o.classIds = new uint8[](classes.count());
        o.ends = new uint256[](o.classIds.length);
        for (uint256 k; k < o.classIds.length; ++k) {
            o.classIds[k] = classes.first();
            classes = classes.withoutFirst();
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
            if (o.takers.has(o.classIds[k]) && surcharge <= o.task.maxPriceMicroVer) {
                uint256 most = Math.max(o.range.priceMicroVer, Math.saturatingSub(market, surcharge));
                units += SUPPLY.unitsAtOrBelow(o.classIds[k], Math.min(most, o.task.maxPriceMicroVer - surcharge));
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
        return o.task.surchargesMicroVer.length == 0 ? 0 : o.task.surchargesMicroVer[k];
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
        address owner = NODES.ownerOf(c.nodeId);
        (c.load, c.latency, c.reportedAt, c.capacity) = REPORTS.loadAndLatencyOf(c.nodeId);
        // What the chain knows of its load, so that reporting less gains nothing.
        if (c.free < c.capacity) c.load = Math.max(c.load, BASIS - (c.free * BASIS) / c.capacity);
        bool silent = c.reportedAt < o.rule.reportedSince && (c.reportedAt != 0 || o.moved);
        if (owner != o.owner && !silent) c.room = o.moved ? _room(o, c) : c.free;
        if (c.room == 0) _noteUnfit(o, c);
    }

    /// @dev Remembers a node that may not have the range. O({UNFIT}).
    function _noteUnfit(Orphan memory o, Candidate memory c) private pure {
        if (o.unfitCount == UNFIT) return;
        if (o.unfit.length == 0) o.unfit = new uint32[](UNFIT);
        for (uint256 i; i < o.unfitCount; ++i) if (o.unfit[i] == c.nodeId) return;
        o.unfit[o.unfitCount++] = c.nodeId;
        o.unfitUnits += c.free;
    }

    /// @dev How many units of the range the node takes: with probability
    /// (1 - load) / (1 - loadFloor) x (latencyMin + L0) / (latency + L0) what it has room for, else none.
    function _accepted(Orphan memory o, Candidate memory c, uint256 low) private pure returns (uint256) {
        if (c.room == 0) return 0;
        DrawRule memory r = o.rule;
        uint256 latency = Math.max(c.latency, r.latencyMin) + r.latencyFloor;
        uint256 scale = (BASIS - r.loadFloor) * latency;
        // No node counts as less loaded than the floor, so that reporting less gains nothing.
        uint256 load = Math.max(c.load, r.loadFloor);
        if (low % scale >= (BASIS - load) * (uint256(r.latencyMin) + r.latencyFloor)) return 0;
        return Math.min(Math.min(c.free, c.room), o.range.count);
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
            priceMicroVer: price,
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

    function _reopen(uint32 leaseId) private {
        (ILeaseRegistry.Lease memory range, , ) = LEASES.orphanOf(leaseId);
        _reopen(leaseId, range);
    }

    function _reopen(uint32 leaseId, ILeaseRegistry.Lease memory range) private {
        emit RangeReturned(leaseId, range.start, range.count);
        TASKS.reopen(
            range.taskId,
            ITaskRegistry.OpenRange(range.start, range.count, leaseId, range.fence + 1, range.reassignments)
        );
    }

    /// @dev Takes the oldest orphans out of the queue, and gives those back whose tasks no longer take leases, up to {RETURNS}.
    /// O({BATCH}).
    /// @return orphans The others.
    /// @return moving Whether one of those that were taken leaves its node by a move.
    function _takeOrphans() private returns (uint32[] memory orphans, bool moving) {
        orphans = _orphans.page(0, Math.min(BATCH, _orphans.waiting()));
        (uint256 taken, uint256 count) = (0, 0);
        uint32 moved;
        while (taken < orphans.length && taken - count < RETURNS) {
            uint32 leaseId = orphans[taken++];
            (ILeaseRegistry.Lease memory range, bool moves, ) = LEASES.orphanOf(leaseId);
            if (moves) ++moved;
            if (TASKS.takesLeases(range.taskId)) orphans[count++] = leaseId;
            else _reopen(leaseId, range);
        }
        _orphans.drop(taken, moved);
        moving = moved != 0;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(orphans, count)
        }
    }

    /// @dev Keeps the ids of a batch's leases, each word written once.
    function _store(Batch storage b, uint32[] memory leaseIds) private {
        uint256 word;
        for (uint256 i; i < leaseIds.length; ++i) {
            word = PackedUint32.set(word, i, leaseIds[i]);
            if (i & 7 != 7 && i + 1 != leaseIds.length) continue;
            b.leaseIds[i >> 3] = word;
            word = 0;
        }
    }

    /// @dev Fixes what the draws of a batch go by.
    function _fixRule(Batch storage b, bool moving) private {
        b.latencyFloor = uint16(PARAMETERS.get(Param.LatencyFloor));
        b.latencyMin = uint16(PARAMETERS.get(Param.MaxLatency) / 2);
        b.loadFloor = uint16(PARAMETERS.get(Param.LoadFloor));
        b.reportedSince = uint40(block.timestamp - PARAMETERS.get(Param.ReportTimeout));
        if (!moving) return;
        b.band = uint16(PARAMETERS.get(Param.BalanceBand));
        (uint256 loads, uint256 capacity) = REPORTS.averageLoad();
        if (capacity != 0) b.averageLoad = uint16(loads / capacity);
    }

    function _ruleOf(Batch storage b) private view returns (DrawRule memory) {
        return DrawRule(b.latencyFloor, b.latencyMin, b.loadFloor, b.averageLoad, b.band, b.reportedSince);
    }

    /// @dev From when on a batch may be opened, and until when a round may go before it, seconds.
    function _turns() private view returns (uint256 batchFrom, uint256 roundUntil) {
        (uint256 waiting, uint256 moving, ) = _orphanCounts();
        require(waiting != 0, NoOrphans());
        ISupply.Freeze memory last = SUPPLY.lastFreeze();
        return (_batchFrom(last, waiting == moving), _roundUntil(last));
    }

    /// @dev Until when rounds may go first, seconds: only right after a batch that took all that waited, and only if a round may
    /// be waiting.
    function _roundUntil(ISupply.Freeze memory last) private view returns (uint256) {
        if (!last.forBatch || _inARow() || PARAMETERS.intakePaused() || TASKS.queueLength() == 0) return 0;
        return last.thawedAt + ROUND_PRIORITY;
    }

    /// @dev Whether the next batch goes before any round although the last freeze was a batch's: that one was full, and failed
    /// ranges are left. Each of them was paid for by its node's stake, so nobody keeps rounds waiting for nothing.
    function _inARow() private view returns (bool) {
        return _batches[_count].size == BATCH && _orphans.waiting() > _orphans.moving;
    }

    function _leaseIdAt(Batch storage b, uint256 i) private view returns (uint32) {
        return PackedUint32.get(b.leaseIds[i >> 3], i);
    }

    function _arrivalAt(uint32 nodeId, uint40 reportedAt) private view returns (Arrival memory arrival) {
        arrival = _arrivals[nodeId];
        if (reportedAt > arrival.until) delete arrival;
    }

    function _orphanCounts() internal view override returns (uint256, uint256, bool) {
        return (_orphans.waiting(), _orphans.moving, _inARow());
    }

    function _requireOpen() private view returns (Session storage session) {
        session = _sessions[_count];
        require(_isOpen(session), NoBatchOpen());
    }

    function _statusOf(Session storage session) private view returns (BatchStatus) {
        return BatchStatus(uint8(_phaseOf(session)));
    }
}
