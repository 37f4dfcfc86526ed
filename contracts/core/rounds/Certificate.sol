// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRoundManager} from "../../interfaces/IRoundManager.sol";
import {Layout} from "./Layout.sol";

/// @title The tasks' half of the proof that an allocation is optimal
/// @notice With u = min(maximum price, cheapest clearing price + surcharge) of a task: units flow only through classes
/// that cost u, and units stay open only where u is the maximum price. The classes' half (nothing cheaper skipped,
/// nothing dearer taken, nobody overbooked) is checked where the listings are, in {Listings.fill}. Together they are
/// complementary slackness: docs/concepts/allocation.md has the proof.
library Certificate {
    /// @notice Reverts unless every task's flows are as cheap as the clearing prices allow. O(tasks x accepted classes).
    function check(Layout.Board memory board) internal pure {
        for (uint256 t; t < board.tasks.length; ++t) {
            Layout.TaskRow memory row = board.tasks[t];
            require(row.granted <= row.demand, IRoundManager.TaskOverfilled(row.taskId, row.granted, row.demand));
            uint256 cheapest = row.maxPrice;
            for (uint256 f; f < row.flows.length; ++f) {
                uint256 cost = _cost(board, row.flows[f]);
                if (cost < cheapest) cheapest = cost;
            }
            for (uint256 f; f < row.flows.length; ++f) {
                if (row.flows[f].units == 0) continue;
                uint256 cost = _cost(board, row.flows[f]);
                uint8 classId = board.classes[row.flows[f].column].classId;
                require(cost == cheapest, IRoundManager.FlowNotCheapest(row.taskId, classId, cost, cheapest));
            }
            require(
                row.granted == row.demand || cheapest == row.maxPrice,
                IRoundManager.OpenUnitsAffordable(row.taskId, cheapest, row.maxPrice)
            );
        }
    }

    function _cost(Layout.Board memory board, Layout.Flow memory flow) private pure returns (uint256) {
        return board.classes[flow.column].clearing + flow.surcharge;
    }
}
