// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DITHER} from "../../types/Units.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IRoundManager} from "../../interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {SeedDraw} from "../seeds/SeedDraw.sol";
import {RoundPost} from "./RoundPost.sol";

/// @title A round's tasks, classes and flows in memory, and the leases that follow from them
library Layout {
    /// @dev One class of the round.
    struct ClassColumn {
        uint8 classId;
        /// Clearing price, micro-VER x 1024.
        uint64 clearing;
        /// Units that flow through it.
        uint256 units;
        /// Granted nodes: units << 72 | price << 32 | node id.
        uint256[] fills;
        /// The node that is being laid out, and how many of its units are.
        uint256 next;
        uint256 used;
    }

    /// @dev One accepted class of a task.
    struct Flow {
        /// Index of the class in the board.
        uint256 column;
        /// Surcharge x 1024 + dither.
        uint256 surcharge;
        uint256 units;
    }

    /// @dev One task of the round.
    struct TaskRow {
        uint32 taskId;
        uint32 checkpointInterval;
        uint256 demand;
        /// Units granted: the sum of its flows.
        uint256 granted;
        /// Maximum price x 1024 + 1023.
        uint256 maxPrice;
        /// Prices of the units that are leased for the first time, summed up, micro-VER.
        uint256 fresh;
        Flow[] flows;
    }

    struct Board {
        TaskRow[] tasks;
        ClassColumn[] classes;
        uint256 nodesOffset;
        uint256 demand;
        uint256 granted;
    }

    /// @dev Where `lay` stands in the task it lays out.
    struct Cursor {
        ITaskRegistry.OpenRange[] ranges;
        uint256 range;
        uint256 count;
    }

    /// @notice Reads the tasks from their registry, and prices and flows from the post. O(classes + tasks x accepted classes).
    function read(
        ITaskRegistry registry,
        IRoundManager.Demand[] memory demands,
        uint256 classes,
        bytes32 seed,
        bytes calldata post
    ) internal view returns (Board memory board) {
        uint256[] memory columnOf;
        (board.classes, columnOf) = _columns(classes, post);
        board.tasks = new TaskRow[](demands.length);
        uint256 cell;
        for (uint256 t; t < demands.length; ++t) {
            TaskRow memory row = _row(registry.roundTask(demands[t].taskId), demands[t], seed, columnOf);
            for (uint256 f; f < row.flows.length; ++f) {
                uint256 units = RoundPost.flow(post, board.classes.length, cell++);
                row.flows[f].units = units;
                row.granted += units;
                board.classes[row.flows[f].column].units += units;
            }
            board.demand += row.demand;
            board.granted += row.granted;
            board.tasks[t] = row;
        }
        board.nodesOffset = 8 * board.classes.length + 3 * cell;
    }

    /// @notice Lays the granted nodes of each class along the tasks, and takes the units from the tasks' open ranges.
    /// O(leases), which are at most the units of the round.
    function lay(ITaskRegistry registry, Board memory board) internal returns (ILeaseRegistry.Grant[] memory grants) {
        grants = new ILeaseRegistry.Grant[](board.granted);
        Cursor memory cursor;
        for (uint256 t; t < board.tasks.length; ++t) {
            TaskRow memory row = board.tasks[t];
            if (row.granted == 0) continue;
            cursor.ranges = registry.take(row.taskId, uint32(row.granted));
            cursor.range = 0;
            for (uint256 f; f < row.flows.length; ++f) {
                _layFlow(grants, cursor, row, board.classes[row.flows[f].column], row.flows[f].units);
            }
        }
        uint256 count = cursor.count;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(grants, count)
        }
    }

    function _layFlow(
        ILeaseRegistry.Grant[] memory grants,
        Cursor memory cursor,
        TaskRow memory row,
        ClassColumn memory column,
        uint256 units
    ) private pure {
        while (units != 0) {
            uint256 fill = column.fills[column.next];
            ITaskRegistry.OpenRange memory range = cursor.ranges[cursor.range];
            uint256 piece = Math.min(Math.min(units, (fill >> 72) - column.used), range.count);
            grants[cursor.count++] = ILeaseRegistry.Grant({
                taskId: row.taskId,
                nodeId: uint32(fill),
                start: range.start,
                count: uint24(piece),
                price: uint40(fill >> 32),
                checkpointInterval: row.checkpointInterval,
                fence: range.fence,
                parent: range.parent,
                classId: column.classId,
                reassignments: range.reassignments
            });
            if (range.fence == 1) row.fresh += piece * uint40(fill >> 32);
            units -= piece;
            range.start += uint24(piece);
            range.count -= uint24(piece);
            if (range.count == 0) ++cursor.range;
            column.used += piece;
            if (column.used == fill >> 72) (column.next, column.used) = (column.next + 1, 0);
        }
    }

    /// @dev The classes of the round, and the column of each class id.
    function _columns(
        uint256 classes,
        bytes calldata post
    ) private pure returns (ClassColumn[] memory columns, uint256[] memory columnOf) {
        columns = new ClassColumn[](_bits(classes));
        columnOf = new uint256[](256);
        for (uint256 k; k < columns.length; ++k) {
            uint256 classId = Math.log2(classes & (~classes + 1));
            classes &= classes - 1;
            columns[k].classId = uint8(classId);
            columns[k].clearing = RoundPost.clearing(post, k);
            columnOf[classId] = k;
        }
    }

    function _row(
        ITaskRegistry.RoundTask memory task,
        IRoundManager.Demand memory demand,
        bytes32 seed,
        uint256[] memory columnOf
    ) private pure returns (TaskRow memory row) {
        row.taskId = demand.taskId;
        row.checkpointInterval = task.checkpointInterval;
        row.demand = demand.units;
        // The highest dither on top, so that a class which costs exactly the maximum price still serves the task.
        row.maxPrice = task.maxPrice * DITHER + DITHER - 1;
        uint256 classes = task.classes;
        row.flows = new Flow[](_bits(classes));
        for (uint256 f; f < row.flows.length; ++f) {
            uint8 classId = uint8(Math.log2(classes & (~classes + 1)));
            classes &= classes - 1;
            row.flows[f].column = columnOf[classId];
            row.flows[f].surcharge =
                (task.surcharges.length == 0 ? 0 : task.surcharges[f] * DITHER) +
                SeedDraw.dither(seed, demand.taskId, classId);
        }
    }

    function _bits(uint256 set) private pure returns (uint256 count) {
        for (; set != 0; set &= set - 1) ++count;
    }
}
