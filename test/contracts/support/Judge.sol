// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Post} from "./Post.sol";
import {Reference} from "./Reference.sol";

/// @title Whether a post is right, decided from the statement of the problem alone
/// @notice Neither a clearing price per class nor any check of the contracts is used, but strong duality: any prices give
/// a lower bound of what the round can cost, so flows and prices are both optimal exactly if what the flows cost is the
/// least there is and the bound reaches it. Which nodes serve a class is then the seed's choice, laid out by {Post}.
library Judge {
    uint256 private constant SCALE = 1024;

    /// @param least What the round costs at least, x 1024 with dither.
    function isRight(Reference.Instance memory p, uint256 least, Post.Parts memory post) internal pure returns (bool) {
        (uint256[][] memory flows, bool overfilled) = flowsOf(p, post.flows);
        if (overfilled || Reference.cost(p, flows) != least || bound(p, post.clearing) != int256(least)) return false;
        Reference.Solution memory s;
        s.flows = flows;
        for (uint256 k; k < p.classes.length; ++k) {
            Post.Fill[] memory fills = Post.fillsOf(p, s, k);
            if (fills.length != post.nodeIds[k].length) return false;
            for (uint256 i; i < fills.length; ++i) if (fills[i].nodeId != post.nodeIds[k][i]) return false;
        }
        return true;
    }

    /// @notice A post's cells, task by task.
    function flowsOf(
        Reference.Instance memory p,
        uint24[] memory cells
    ) internal pure returns (uint256[][] memory flows, bool overfilled) {
        flows = new uint256[][](p.tasks.length);
        uint256 cell;
        for (uint256 t; t < flows.length; ++t) {
            flows[t] = new uint256[](p.tasks[t].columns.length);
            uint256 sum;
            for (uint256 f; f < flows[t].length; ++f) sum += flows[t][f] = cells[cell++];
            if (sum > p.tasks[t].demand) overfilled = true;
        }
    }

    /// @notice What the round costs at least, as these prices show: for each unit of a task its minimum cost,
    /// less what the nodes ask below their class's price.
    function bound(Reference.Instance memory p, uint64[] memory clearing) internal pure returns (int256 total) {
        for (uint256 t; t < p.tasks.length; ++t) {
            Reference.TaskIn memory task = p.tasks[t];
            uint256 least = task.maxPrice * SCALE + SCALE - 1;
            for (uint256 f; f < task.columns.length; ++f) {
                uint256 price = clearing[task.columns[f]] + Reference.surcharge(p, t, f);
                if (price < least) least = price;
            }
            total += int256(least * task.demand);
        }
        for (uint256 k; k < p.classes.length; ++k) {
            Reference.NodeIn[] memory nodes = p.classes[k].nodes;
            for (uint256 i; i < nodes.length; ++i) {
                uint256 ask = nodes[i].tick * p.classes[k].tickSize * SCALE;
                if (ask < clearing[k]) total -= int256((clearing[k] - ask) * nodes[i].units);
            }
        }
    }
}
