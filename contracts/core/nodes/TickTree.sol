// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TICKS} from "../../types/Units.sol";

/// @title Sums of free units by price tick
/// @notice A tree of four levels with eight fields of 32 bits to a word: 8^4 = 4096 ticks. A field holds the units of all
/// ticks below it, so a prefix sum reads four words whatever the number of nodes.
/// @dev A word is only meaningful while its field in the word above is not zero; where that field is zero the word counts
/// as empty whatever it holds. So emptying any run of ticks, however many nodes stood there, writes four words.
library TickTree {
    uint256 private constant FIELD_MASK = type(uint32).max;
    uint256 private constant LEVELS = 4;

    /// @notice One class's tree. Key of a word: level << 12 | its index within the level.
    struct Tree {
        mapping(uint256 key => uint256 word) words;
    }

    /// @notice More units in one class than a field can hold.
    error ClassFull(uint256 units);

    /// @notice Adds `units` at `tick`. Four writes.
    /// @return wasEmpty Whether the tick held nothing before.
    function add(Tree storage tree, uint256 tick, uint256 units) internal returns (bool wasEmpty) {
        for (uint256 level; level < LEVELS; ++level) {
            (uint256 key, uint256 shift) = _locate(level, tick);
            uint256 word = wasEmpty ? 0 : tree.words[key];
            uint256 field = (word >> shift) & FIELD_MASK;
            require(field + units <= FIELD_MASK, ClassFull(field + units));
            tree.words[key] = word + (units << shift);
            wasEmpty = field == 0;
        }
    }

    /// @notice Takes away `units` that stand at `tick`. Four writes.
    function remove(Tree storage tree, uint256 tick, uint256 units) internal {
        for (uint256 level; level < LEVELS; ++level) {
            (uint256 key, uint256 shift) = _locate(level, tick);
            tree.words[key] -= units << shift;
        }
    }

    /// @notice Takes away everything below `tick` and `units` at it. `tick` may be 4096: everything. At most four writes.
    function consume(Tree storage tree, uint256 tick, uint256 units) internal {
        if (tick == TICKS) {
            tree.words[0] = 0;
            return;
        }
        // Way down: the words on the path, as far as they mean anything.
        uint256[LEVELS] memory path;
        uint256 depth;
        for (; depth < LEVELS; ++depth) {
            (uint256 key, uint256 shift) = _locate(depth, tick);
            path[depth] = tree.words[key];
            if ((path[depth] >> shift) & FIELD_MASK == 0) {
                ++depth;
                break;
            }
        }
        // Way up: clear the fields below the path's, and take from the path's field what went below it.
        uint256 taken = depth == LEVELS ? units : 0;
        while (depth != 0) {
            --depth;
            (uint256 key, uint256 shift) = _locate(depth, tick);
            uint256 word = path[depth];
            uint256 cleared = _sumBelow(word, shift);
            uint256 left = ((word >> shift) << shift) - (taken << shift);
            if (left != word) tree.words[key] = left;
            taken += cleared;
        }
    }

    /// @notice Units at `tick`. Four reads.
    function at(Tree storage tree, uint256 tick) internal view returns (uint256 field) {
        for (uint256 level; level < LEVELS; ++level) {
            (uint256 key, uint256 shift) = _locate(level, tick);
            field = (tree.words[key] >> shift) & FIELD_MASK;
            if (field == 0) return 0;
        }
    }

    /// @notice Units at ticks below `tick`, which may be 4096: everything. Four reads.
    function below(Tree storage tree, uint256 tick) internal view returns (uint256 sum) {
        if (tick >= TICKS) return _sumBelow(tree.words[0], 256);
        for (uint256 level; level < LEVELS; ++level) {
            (uint256 key, uint256 shift) = _locate(level, tick);
            uint256 word = tree.words[key];
            sum += _sumBelow(word, shift);
            if ((word >> shift) & FIELD_MASK == 0) return sum;
        }
    }

    /// @notice The tick of a unit, counted from the cheapest, and the units at that tick. Four reads.
    /// @param unit 0 is the first unit of the cheapest tick.
    /// @return tick 4096 if there are no more than `unit` units.
    /// @return units Units at that tick; 0 if it is 4096.
    function locate(Tree storage tree, uint256 unit) internal view returns (uint256 tick, uint256 units) {
        for (uint256 level; level < LEVELS; ++level) {
            uint256 word = tree.words[(level << 12) | tick];
            uint256 field;
            units = word & FIELD_MASK;
            for (; unit >= units; units = (word >> (field << 5)) & FIELD_MASK) {
                unit -= units;
                // Only the topmost word can be short of units: a field holds what the word below it adds up to.
                if (++field == 8) return (TICKS, 0);
            }
            tick = (tick << 3) | field;
        }
    }

    /// @dev Key of the word at `level` on the path to `tick`, and the shift of the path's field in it.
    function _locate(uint256 level, uint256 tick) private pure returns (uint256 key, uint256 shift) {
        key = (level << 12) | (tick >> (12 - 3 * level));
        shift = ((tick >> (9 - 3 * level)) & 7) << 5;
    }

    /// @dev Sum of the fields of `word` below bit `shift`; at most eight.
    function _sumBelow(uint256 word, uint256 shift) private pure returns (uint256 sum) {
        for (uint256 s; s < shift; s += 32) sum += (word >> s) & FIELD_MASK;
    }
}
