// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {ILens} from "../interfaces/ILens.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../interfaces/ITelemetry.sol";

/// @title Views that read much in one call
/// @notice See {ILens}. It has no storage and no rights: another one can take its place at any time.
contract Lens is ILens {
    /// @notice Leases are read there.
    ILeaseRegistry public immutable LEASES;
    /// @notice Nodes are read there.
    INodeRegistry public immutable NODES;
    /// @notice Who may sign for checkpoints.
    ICheckpointRegistry public immutable CHECKPOINTS;
    /// @notice Tasks are read there.
    ITaskRegistry public immutable TASKS;
    /// @notice Which nodes are silent.
    ITelemetry public immutable TELEMETRY;

    constructor(
        ILeaseRegistry leases,
        INodeRegistry nodes,
        ICheckpointRegistry checkpoints,
        ITaskRegistry tasks,
        ITelemetry telemetry
    ) {
        LEASES = leases;
        NODES = nodes;
        CHECKPOINTS = checkpoints;
        TASKS = tasks;
        TELEMETRY = telemetry;
    }

    /// @inheritdoc ILens
    function read(Call[] calldata calls) external view returns (uint256, Outcome[] memory outcomes) {
        outcomes = new Outcome[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (bool ok, bytes memory data) = calls[i].target.staticcall(calls[i].data);
            outcomes[i] = Outcome(ok, data);
        }
        return (block.number, outcomes);
    }

    /// @inheritdoc ILens
    function hashOf(uint256 number) external view returns (bytes32) {
        return blockhash(number);
    }

    /// @inheritdoc ILens
    function silentOf(uint32[] calldata nodeIds) external view returns (uint32[] memory silent) {
        silent = new uint32[](nodeIds.length);
        uint256 found;
        for (uint256 i; i < nodeIds.length; ++i) if (TELEMETRY.silent(nodeIds[i])) silent[found++] = nodeIds[i];
        _cut(silent, found);
    }

    /// @inheritdoc ILens
    function overdueOf(uint32[] calldata leaseIds) external view returns (uint32[] memory overdue) {
        overdue = new uint32[](leaseIds.length);
        uint256 found;
        for (uint256 i; i < leaseIds.length; ++i) {
            if (LEASES.lease(leaseIds[i]).status != ILeaseRegistry.LeaseStatus.Active) continue;
            if (LEASES.healthOf(leaseIds[i]) == ILeaseRegistry.Health.Overdue) overdue[found++] = leaseIds[i];
        }
        _cut(overdue, found);
    }

    /// @inheritdoc ILens
    function servableOf(uint32[] calldata taskIds) external view returns (uint32[] memory servable) {
        servable = new uint32[](taskIds.length);
        uint256 found;
        for (uint256 i; i < taskIds.length; ++i) {
            if (TASKS.admissionOf(taskIds[i]) == ITaskRegistry.Admission.Admissible) servable[found++] = taskIds[i];
        }
        _cut(servable, found);
    }

    /// @inheritdoc ILens
    function liveLeases(uint32 from, uint32 count) external view returns (ILeaseRegistry.LeaseView[] memory live) {
        live = leasePage(from, count);
        uint256 found;
        for (uint256 i; i < live.length; ++i) if (_isLive(live[i].lease.status)) live[found++] = live[i];
        // In memory an array of structs is an array of words; its length is its first.
        assembly ("memory-safe") {
            mstore(live, found)
        }
    }

    /// @inheritdoc ILens
    function holdersOf(uint32 leaseId, uint256 most) external view returns (Holder[] memory holders) {
        ICheckpointRegistry.Holder[] memory found = CHECKPOINTS.holdersOf(leaseId, most);
        holders = new Holder[](found.length);
        for (uint256 i; i < found.length; ++i) {
            INodeRegistry.NodeView memory node = NODES.node(found[i].nodeId);
            holders[i] = Holder(found[i].candidate, found[i].nodeId, node.operator, node.endpoint);
        }
    }

    /// @inheritdoc ILens
    function reportersOf(uint32[] calldata nodeIds) external view returns (Reporter[] memory reporters) {
        reporters = new Reporter[](nodeIds.length);
        for (uint256 i; i < nodeIds.length; ++i) {
            INodeRegistry.Facts memory facts = NODES.factsOf(nodeIds[i]);
            reporters[i] = Reporter({
                nodeId: nodeIds[i],
                operator: facts.operator,
                keyNumber: facts.keyNumber,
                registeredAt: facts.registeredAt,
                isContract: facts.operator.code.length != 0
            });
        }
    }

    /// @inheritdoc ILens
    function taskPage(uint32 from, uint32 count) external view returns (ITaskRegistry.TaskView[] memory page) {
        (from, count) = _within(from, count, TASKS.taskCount());
        page = new ITaskRegistry.TaskView[](count);
        for (uint32 i; i < count; ++i) page[i] = TASKS.task(from + i);
    }

    /// @inheritdoc ILens
    function queuePage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds) {
        taskIds = _pageOf(TASKS.queueLength(), offset, count);
        for (uint256 i; i < taskIds.length; ++i) taskIds[i] = TASKS.queueAt(offset + i);
    }

    /// @inheritdoc ILens
    function parkedPage(uint256 offset, uint256 count) external view returns (uint32[] memory taskIds) {
        taskIds = _pageOf(TASKS.parkedCount(), offset, count);
        for (uint256 i; i < taskIds.length; ++i) taskIds[i] = TASKS.parkedAt(offset + i);
    }

    /// @inheritdoc ILens
    function reopenedRanges(uint32 taskId) external view returns (ITaskRegistry.OpenRange[] memory ranges) {
        ranges = new ITaskRegistry.OpenRange[](TASKS.reopenedCount(taskId));
        for (uint256 i; i < ranges.length; ++i) ranges[i] = TASKS.reopenedAt(taskId, i);
    }

    /// @inheritdoc ILens
    function leasePage(uint32 from, uint32 count) public view returns (ILeaseRegistry.LeaseView[] memory page) {
        (from, count) = _within(from, count, LEASES.leaseCount());
        page = new ILeaseRegistry.LeaseView[](count);
        for (uint32 i; i < count; ++i) {
            page[i] = ILeaseRegistry.LeaseView(from + i, LEASES.lease(from + i), LEASES.result(from + i));
        }
    }

    /// @dev Room for the ids from `offset` on of a list of `length`, at most `count`.
    function _pageOf(uint256 length, uint256 offset, uint256 count) private pure returns (uint32[] memory) {
        if (offset >= length) return new uint32[](0);
        return new uint32[](count < length - offset ? count : length - offset);
    }

    /// @dev The part of a page that lies among ids 1 to `last`.
    function _within(uint32 from, uint32 count, uint32 last) private pure returns (uint32, uint32) {
        if (from == 0) from = 1;
        if (from > last) return (from, 0);
        return (from, count > last - from + 1 ? last - from + 1 : count);
    }

    function _isLive(ILeaseRegistry.LeaseStatus status) private pure returns (bool) {
        return
            status == ILeaseRegistry.LeaseStatus.Active ||
            status == ILeaseRegistry.LeaseStatus.Moving ||
            status == ILeaseRegistry.LeaseStatus.Delivered ||
            status == ILeaseRegistry.LeaseStatus.Disputed;
    }

    /// @dev Shortens an array to its first entries.
    function _cut(uint32[] memory entries, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(entries, length)
        }
    }
}
