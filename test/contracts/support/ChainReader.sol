// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Reference} from "./Reference.sol";
import {ClassSet} from "../../../contracts/types/ClassSet.sol";

/// @title Reads the current round's allocation problem from the views that any keeper reads
library ChainReader {
    uint256 private constant MICRO = 1e12;

    function read(
        IRoundManager rounds,
        INodeRegistry nodes,
        ISupply supply,
        ITaskRegistry tasks
    ) internal view returns (Reference.Instance memory p) {
        IRoundManager.RoundView memory round = rounds.current();
        p.seed = round.seed;
        p.classes = _classes(nodes, supply, ClassSet.unwrap(round.classes));
        p.tasks = new Reference.TaskIn[](round.demands.length);
        for (uint256 t; t < p.tasks.length; ++t) {
            ITaskRegistry.TaskView memory v = tasks.task(round.demands[t].taskId);
            p.tasks[t].id = v.id;
            p.tasks[t].demand = round.demands[t].units;
            p.tasks[t].maxPrice = v.maxPrice / MICRO;
            p.tasks[t].columns = new uint256[](v.classIds.length);
            p.tasks[t].surcharges = new uint256[](v.classIds.length);
            for (uint256 f; f < v.classIds.length; ++f) {
                p.tasks[t].columns[f] = _columnOf(p.classes, v.classIds[f]);
                p.tasks[t].surcharges[f] = v.surcharges[f] / MICRO;
            }
            p.tasks[t].openUnits = _openUnits(tasks, v);
        }
    }

    function _classes(
        INodeRegistry nodes,
        ISupply supply,
        uint256 set
    ) private view returns (Reference.ClassIn[] memory classes) {
        INodeRegistry.NodeView[] memory all = nodes.nodePage(1, nodes.nodeCount());
        uint256 count;
        for (uint256 k; k < 256; ++k) if ((set >> k) & 1 == 1) ++count;
        classes = new Reference.ClassIn[](count);
        count = 0;
        for (uint256 k; k < 256; ++k) {
            if ((set >> k) & 1 == 0) continue;
            classes[count].id = uint8(k);
            classes[count].tickSize = supply.class(uint8(k)).tickSize;
            classes[count].nodes = _listed(all, uint8(k));
            ++count;
        }
    }

    function _listed(
        INodeRegistry.NodeView[] memory all,
        uint8 classId
    ) private pure returns (Reference.NodeIn[] memory listed) {
        listed = new Reference.NodeIn[](all.length);
        uint256 count;
        for (uint256 i; i < all.length; ++i) {
            INodeRegistry.NodeView memory n = all[i];
            if (n.listedUnits == 0 || n.listedClassId != classId) continue;
            listed[count++] = Reference.NodeIn(n.id, n.listedTick, n.listedUnits, n.listedPosition);
        }
        assembly ("memory-safe") {
            mstore(listed, count)
        }
    }

    function _columnOf(Reference.ClassIn[] memory classes, uint8 classId) private pure returns (uint256 k) {
        while (classes[k].id != classId) ++k;
    }

    /// @dev The task's open units in the order in which rounds take them. Fresh units are those that no lease and no
    /// reopened range ever named: they are the last ones of the task.
    function _openUnits(
        ITaskRegistry tasks,
        ITaskRegistry.TaskView memory v
    ) private view returns (Reference.UnitIn[] memory units) {
        uint256 ranges = tasks.reopenedCount(v.id);
        units = new Reference.UnitIn[](v.openUnits);
        uint256 count;
        for (uint256 i; i < ranges; ++i) {
            ITaskRegistry.OpenRange memory r = tasks.reopenedAt(v.id, i);
            for (uint24 j; j < r.count; ++j)
                units[count++] = Reference.UnitIn(r.start + j, r.fence, r.parent, r.reassignments);
        }
        uint256 fresh = v.openUnits - count;
        for (uint256 j; j < fresh; ++j) units[count++] = Reference.UnitIn(uint24(v.units - fresh + j), 1, 0, 0);
    }
}
