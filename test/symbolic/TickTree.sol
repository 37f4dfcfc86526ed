// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Halmos runs functions whose names begin with check_.
// solhint-disable func-name-mixedcase

import {TickTree} from "../../contracts/core/nodes/TickTree.sol";

/// @title The tree of units by tick says the sums of what was added
/// @notice For all units of two lots, at any two of {BORDERS}: neighbours in a word, and at the borders of words of each level.
contract TickTreeProof {
    using TickTree for TickTree.Tree;

    /// @dev Ticks, 16 bits each.
    uint256 private constant BORDERS = 0x0000_0007_0008_0200_0fff;
    uint256 private constant COUNT = 5;

    mapping(uint256 pair => TickTree.Tree) private _trees;

    /// @notice Sums below any tick, and units at it, are those of the two lots, and again after one is gone.
    function check_Sums(uint24 a, uint24 b) external {
        if (a == 0 || b == 0) return;
        for (uint256 i; i < COUNT * COUNT; ++i) {
            (uint256 x, uint256 y) = (_tick(i / COUNT), _tick(i % COUNT));
            TickTree.Tree storage tree = _trees[i];
            tree.add(x, a);
            tree.add(y, b);
            for (uint256 k; k < COUNT; ++k) {
                uint256 asked = _tick(k);
                assert(tree.below(asked) == (x < asked ? a : 0) + uint256(y < asked ? b : 0));
                assert(tree.at(asked) == (x == asked ? a : 0) + uint256(y == asked ? b : 0));
            }
            assert(tree.below(4096) == uint256(a) + b);
            tree.remove(x, a);
            for (uint256 k; k < COUNT; ++k) assert(tree.below(_tick(k)) == (y < _tick(k) ? b : 0));
        }
    }

    /// @notice What a round consumes is gone, with all that was below it; what is above stays; and the tree goes on to count.
    function check_Consume(uint24 a, uint24 b, uint24 taken) external {
        if (a == 0 || b == 0 || taken > a) return;
        for (uint256 i; i < COUNT * COUNT; ++i) {
            (uint256 x, uint256 y) = (_tick(i / COUNT), _tick(i % COUNT));
            if (x == y) continue;
            TickTree.Tree storage tree = _trees[i];
            tree.add(x, a);
            tree.add(y, b);
            tree.consume(x, taken);
            uint256 rest = uint256(a) - taken;
            for (uint256 k; k < COUNT; ++k) {
                uint256 asked = _tick(k);
                uint256 expected = (x < asked ? rest : 0) + (y > x && y < asked ? b : 0);
                assert(tree.below(asked) == expected);
            }
            tree.add(y, b);
            assert(tree.below(4096) == rest + (y > x ? 2 * uint256(b) : b));
        }
    }

    /// @notice The unit that is asked for stands at the tick that is found.
    function check_Locate(uint24 a, uint24 b, uint32 unit) external {
        if (a == 0 || b == 0) return;
        for (uint256 i; i < COUNT * COUNT; ++i) {
            (uint256 x, uint256 y) = (_tick(i / COUNT), _tick(i % COUNT));
            if (x >= y) continue;
            TickTree.Tree storage tree = _trees[i];
            tree.add(x, a);
            tree.add(y, b);
            (uint256 tick, uint256 units) = tree.locate(unit);
            if (unit < a) assert(tick == x && units == a);
            else if (unit < uint256(a) + b) assert(tick == y && units == b);
            else assert(tick == 4096 && units == 0);
        }
    }

    function _tick(uint256 i) private pure returns (uint256) {
        return uint16(BORDERS >> (16 * (COUNT - 1 - i)));
    }
}
