// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Halmos runs functions whose names begin with check_.
// solhint-disable func-name-mixedcase

import {Certificate} from "../../contracts/core/rounds/Certificate.sol";
import {Layout} from "../../contracts/core/rounds/Layout.sol";

/// @title The tasks' half of the certificate is complementary slackness, no more and no less
/// @notice For a task that accepts three classes, and all values. docs/concepts/allocation.md goes on from there.
contract CertificateProof {
    uint256 private constant CLASSES = 3;

    struct Task {
        uint32 demand;
        uint64 maxPrice;
        uint64[3] surcharge;
        uint64[3] clearing;
        uint32[3] flow;
    }

    /// @notice What passes is complementary slackness: u, the cheapest that a unit of the task can cost, is dual feasible; units
    /// flow only at u; units stay open only where u is the task's maximum.
    function check_Sound(Task memory t) external pure {
        (Layout.Board memory board, uint256 granted) = _board(t);
        Certificate.check(board);
        assert(granted <= t.demand);
        uint256 u = _cheapest(t);
        for (uint256 k; k < CLASSES; ++k) {
            assert(u <= uint256(t.clearing[k]) + t.surcharge[k]);
            if (t.flow[k] != 0) assert(uint256(t.clearing[k]) + t.surcharge[k] == u);
        }
        assert(u <= t.maxPrice);
        if (granted < t.demand) assert(u == t.maxPrice);
    }

    /// @notice What is complementary slackness passes: no optimal allocation is refused.
    function check_Complete(Task memory t) external view {
        (Layout.Board memory board, uint256 granted) = _board(t);
        uint256 u = _cheapest(t);
        if (granted > t.demand || (granted < t.demand && u != t.maxPrice)) return;
        for (uint256 k; k < CLASSES; ++k) {
            if (t.flow[k] != 0 && uint256(t.clearing[k]) + t.surcharge[k] != u) return;
        }
        try this.run(board) {} catch {
            assert(false);
        }
    }

    /// @notice {Certificate.check} from outside, so that whether it reverts can be seen.
    function run(Layout.Board memory board) external pure {
        Certificate.check(board);
    }

    function _cheapest(Task memory t) private pure returns (uint256 u) {
        u = t.maxPrice;
        for (uint256 k; k < CLASSES; ++k) {
            uint256 cost = uint256(t.clearing[k]) + t.surcharge[k];
            if (cost < u) u = cost;
        }
    }

    function _board(Task memory t) private pure returns (Layout.Board memory board, uint256 granted) {
        board.classes = new Layout.ClassColumn[](CLASSES);
        board.tasks = new Layout.TaskRow[](1);
        Layout.TaskRow memory row = board.tasks[0];
        (row.demand, row.maxPrice, row.flows) = (t.demand, t.maxPrice, new Layout.Flow[](CLASSES));
        for (uint256 k; k < CLASSES; ++k) {
            board.classes[k].clearing = t.clearing[k];
            row.flows[k] = Layout.Flow({column: k, surcharge: t.surcharge[k], units: t.flow[k]});
            row.granted += t.flow[k];
        }
        granted = row.granted;
    }
}
