// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Max-min fair shares of a bounded number of units
/// @notice Those who want less than an equal share get all of it, and what they leave is shared equally among the others;
/// so nobody's share can be made smaller than an equal one, however much the others want.
library FairShare {
    /// @notice Cuts what is wanted down to fair shares of `units`, in place. Units that cannot be shared equally go one by one
    /// to the first. Everyone gets at least one unit if there are as many units as wishes.
    /// @dev O(n^2) in memory: each pass but the last satisfies at least one more.
    /// @param wanted Units that each wants.
    /// @param units Units to be shared.
    function cut(uint32[] memory wanted, uint256 units) internal pure {
        uint256 level = _level(wanted, units);
        for (uint256 i; i < wanted.length; ++i) units -= wanted[i] < level ? wanted[i] : level;
        for (uint256 i; i < wanted.length; ++i) {
            if (wanted[i] <= level) continue;
            wanted[i] = uint32(level);
            if (units == 0) continue;
            --units;
            ++wanted[i];
        }
    }

    /// @dev The equal share of those who want more than it; the highest number if everyone's wish can be met.
    function _level(uint32[] memory wanted, uint256 units) private pure returns (uint256 level) {
        uint256 left = units;
        // The level only grows, so a task that is satisfied at one is satisfied at all later ones.
        for (uint256 open = wanted.length; open != 0;) {
            level = left / open;
            uint256 more;
            left = units;
            for (uint256 i; i < wanted.length; ++i) {
                if (wanted[i] > level) ++more;
                else left -= wanted[i];
            }
            if (more == open) return level;
            open = more;
        }
        return type(uint32).max;
    }
}
