// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS} from "../governance/Units.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {IReassignment} from "../interfaces/IReassignment.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../interfaces/ITelemetry.sol";
import {IVrfSeeds} from "../interfaces/IVrfSeeds.sol";
import {SeedDraw} from "../vrf/SeedDraw.sol";

/// @title Reassignment: the ranges of failed leases are drawn for among the nodes
/// @notice See {IReassignment}.
contract Reassignment is IReassignment {
    struct Batch {
        // One slot.
        uint40 openedAt;
        uint40 closedAt;
        BatchStatus status;
        uint16 latencyFloor;
        uint32 drawn;
        uint256 requestId;
        uint32[] leaseIds;
    }

    /// @dev A range that is drawn for.
    struct Orphan {
        uint32 batchId;
        uint32 leaseId;
        ILeaseRegistry.Lease lease;
        ITaskRegistry.RoundTask task;
        uint256 latencyFloor;
        uint8[] classIds;
        /// Slots of each class and of those before it.
        uint256[] ends;
    }

    /// @notice Most orphans in a batch.
    uint256 public constant BATCH = 32;
    /// @notice Most tries to find nodes for a range. If one try in four finds one, a range is left over once in 10^8.
    uint256 public constant TRIES = 64;
    /// @notice Time in which a waiting round may go first after a batch, seconds: five blocks of BASE.
    uint256 public constant ROUNDS_TURN = 10;
    /// @dev Most pending listings that opening a batch brings up to date itself.
    uint256 private constant SYNC_AT_OPEN = 48;

    /// @notice Times, the floor of latencies.
    IParameters public immutable PARAMETERS;
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
    uint32[] private _orphans;
    mapping(uint32 batchId => Batch) private _batches;

    constructor(
        IParameters parameters,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        IVrfSeeds seeds,
        ITelemetry telemetry
    ) {
        PARAMETERS = parameters;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        SEEDS = seeds;
        TELEMETRY = telemetry;
    }

    /// @inheritdoc IReassignment
    function add(uint32 leaseId) external {
        require(msg.sender == address(LEASES), NotModule(msg.sender));
        _orphans.push(leaseId);
        emit RangeOrphaned(leaseId);
    }

    /// @inheritdoc IReassignment
    function open() external returns (uint32 batchId) {
        batchId = _count;
        require(_batches[batchId].status != BatchStatus.Seeding, BatchOpen(batchId));
        uint256 waiting = orphanCount();
        require(waiting != 0, NoOrphans());
        uint256 until = nextOpening();
        require(block.timestamp >= until, RoundsTurn(until));

        Batch storage b = _batches[++batchId];
        uint256 looked = Math.min(waiting, BATCH);
        uint256 head = _head;
        _head = uint32(head + looked);
        for (uint256 i; i < looked; ++i) {
            uint32 leaseId = _orphans[head + i];
            if (TASKS.takesLeases(LEASES.lease(leaseId).taskId)) b.leaseIds.push(leaseId);
            else _giveBack(leaseId);
        }
        if (b.leaseIds.length == 0) return 0;
        _count = batchId;
        b.openedAt = uint40(block.timestamp);
        b.status = BatchStatus.Seeding;
        b.latencyFloor = uint16(PARAMETERS.get(Param.LatencyFloor));
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
        for (uint256 i; i < most; ++i) _drawFor(b.leaseIds[from + i], b.latencyFloor, seed);
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
        require(block.timestamp > until, BatchInTime(_count, until));
        emit BatchAborted(_count, _status(b));
        _close(b, BatchStatus.Aborted);
        for (uint256 i = b.drawn; i < b.leaseIds.length; ++i) _giveBack(b.leaseIds[i]);
    }

    /// @inheritdoc IReassignment
    function hasTurn() external view returns (bool) {
        return orphanCount() != 0 && SUPPLY.freezeCount() != _freeze;
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
    function nextOpening() public view returns (uint256) {
        // Only right after a batch, and only if a round may be waiting.
        if (_count == 0 || SUPPLY.freezeCount() != _freeze) return 0;
        if (PARAMETERS.intakePaused() || TASKS.queueLength() == 0) return 0;
        return _batches[_count].closedAt + ROUNDS_TURN;
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
                latencyFloor: b.latencyFloor,
                leaseIds: b.leaseIds,
                drawn: b.drawn
            });
    }

    /// @dev Draws nodes for a range until all of it has one or the tries are used up. All that decides was fixed when the
    /// batch was opened, but for what the draws before this one took.
    function _drawFor(uint32 leaseId, uint256 latencyFloor, bytes32 seed) private {
        Orphan memory o = _orphan(leaseId, latencyFloor);
        uint256 slots = o.ends[o.ends.length - 1];
        for (uint32 attempt; attempt < TRIES && o.lease.count != 0 && slots != 0; ++attempt) {
            (uint256 high, uint256 low) = SeedDraw.reassign(seed, leaseId, attempt);
            (uint32 nodeId, uint32 units) = _candidate(o, high % slots);
            if (units != 0 && _accepted(o, nodeId, low)) _grant(o, nodeId, units);
        }
        if (o.lease.count != 0) _reopen(leaseId, o.lease);
    }

    /// @dev The lease, its task and the slots of the classes that the task accepts. O(classes), at most 16.
    function _orphan(uint32 leaseId, uint256 latencyFloor) private view returns (Orphan memory o) {
        o.batchId = _count;
        o.leaseId = leaseId;
        o.latencyFloor = latencyFloor;
        o.lease = LEASES.lease(leaseId);
        o.task = TASKS.roundTask(o.lease.taskId);
        uint256 count;
        for (uint256 set = o.task.classes; set != 0; set &= set - 1) ++count;
        o.classIds = new uint8[](count);
        o.ends = new uint256[](count);
        uint256 end;
        count = 0;
        for (uint256 set = o.task.classes; set != 0; set &= set - 1) {
            uint8 classId = uint8(Math.log2(set & (~set + 1)));
            end += SUPPLY.slotsOf(classId);
            (o.classIds[count], o.ends[count]) = (classId, end);
            ++count;
        }
    }

    /// @dev The owner of slot `at` of the orphan's classes and its free units; no units if the slot is not one of a free
    /// unit, or if the node may not have the range.
    function _candidate(Orphan memory o, uint256 at) private view returns (uint32 nodeId, uint32 units) {
        uint256 k;
        while (at >= o.ends[k]) ++k;
        uint256 slot;
        uint256 price;
        (nodeId, slot, units, price) = SUPPLY.slotAt(o.classIds[k], k == 0 ? at : at - o.ends[k - 1]);
        if (nodeId == o.lease.nodeId) return (nodeId, 0);
        uint256 surcharge = o.task.surcharges.length == 0 ? 0 : o.task.surcharges[k];
        if (slot >= units || price + surcharge > o.task.maxPrice) units = 0;
    }

    /// @dev With probability (1 - load) x L0 / (latency + L0).
    function _accepted(Orphan memory o, uint32 nodeId, uint256 low) private view returns (bool) {
        (uint256 load, uint256 latency, ) = TELEMETRY.signsOf(nodeId);
        return low % (BASIS * (latency + o.latencyFloor)) < (BASIS - load) * o.latencyFloor;
    }

    /// @dev Leases to the node what it has room for; the orphan keeps the rest.
    function _grant(Orphan memory o, uint32 nodeId, uint32 units) private {
        uint24 count = uint24(Math.min(units, o.lease.count));
        (, uint40 price) = SUPPLY.take(nodeId, count);
        ILeaseRegistry.Grant[] memory grants = new ILeaseRegistry.Grant[](1);
        grants[0] = ILeaseRegistry.Grant({
            taskId: o.lease.taskId,
            nodeId: nodeId,
            start: o.lease.start,
            count: count,
            price: price,
            checkpointInterval: o.task.checkpointInterval,
            fence: o.lease.fence + 1,
            parent: o.leaseId
        });
        uint32 granted = LEASES.grant(grants);
        emit RangeDrawn(o.batchId, o.leaseId, granted, nodeId, o.lease.start, count);
        o.lease.start += count;
        o.lease.count -= count;
    }

    function _giveBack(uint32 leaseId) private {
        _reopen(leaseId, LEASES.lease(leaseId));
    }

    function _reopen(uint32 leaseId, ILeaseRegistry.Lease memory range) private {
        emit RangeReturned(leaseId, range.start, range.count);
        TASKS.reopen(range.taskId, ITaskRegistry.OpenRange(range.start, range.count, leaseId, range.fence + 1));
    }

    function _close(Batch storage b, BatchStatus status) private {
        b.status = status;
        b.closedAt = uint40(block.timestamp);
        SUPPLY.thaw();
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
