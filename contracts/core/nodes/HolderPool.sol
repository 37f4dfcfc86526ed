// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Pool that holders of checkpoints are drawn from
/// @notice A node keeps one position of the pool for as long as it is in the market; positions that are given up are used
/// again, so that few are empty. A draw fixes the number of positions and the average stake when the listings freeze,
/// before anybody knows its seed; whoever joins, or adds stake, after that gains nothing in it. Every call is O(1).
library HolderPool {
    /// @dev A position. One slot.
    struct Position {
        /// The node, 0 if the position is empty.
        uint32 nodeId;
        /// Freezes of the listings that there had been when the node took it.
        uint32 since;
        /// Whether the node takes leases: neither draining nor leaving.
        bool active;
        /// Stake in whole VER.
        uint40 weight;
        /// Freezes that there had been when the weight last grew, and the lowest weight before that.
        uint32 grownAt;
        uint40 weightBefore;
        /// Of an empty position: the next empty one, counted from 1; 0 if there is none.
        uint32 nextEmpty;
    }

    struct Pool {
        // One slot.
        /// Positions, empty ones included.
        uint32 positions;
        /// An empty position, counted from 1; 0 if there is none.
        uint32 firstEmpty;
        /// Active nodes, and the sum of their weights.
        uint32 active;
        uint64 weight;
        /// Positions and average weight at the last freeze.
        uint32 frozenPositions;
        uint40 frozenAverage;
        mapping(uint32 position => Position) at;
    }

    uint256 private constant WHOLE_VER = 1 ether;

    /// @notice Gives a new, active node a position.
    /// @param stake Wei.
    /// @param freezes Freezes of the listings so far, one that lasts included.
    function join(Pool storage pool, uint32 nodeId, uint256 stake, uint32 freezes) internal returns (uint32 position) {
        if (pool.firstEmpty == 0) {
            position = pool.positions++;
        } else {
            position = pool.firstEmpty - 1;
            pool.firstEmpty = pool.at[position].nextEmpty;
        }
        uint40 weight = _weightOf(stake);
        pool.at[position] = Position({
            nodeId: nodeId,
            since: freezes,
            active: true,
            weight: weight,
            grownAt: freezes,
            weightBefore: weight,
            nextEmpty: 0
        });
        ++pool.active;
        pool.weight += weight;
    }

    /// @notice Takes a node's position away.
    function leave(Pool storage pool, uint32 position) internal {
        setActive(pool, position, false);
        delete pool.at[position];
        pool.at[position].nextEmpty = pool.firstEmpty;
        pool.firstEmpty = position + 1;
    }

    /// @notice Lets a node count, or not.
    function setActive(Pool storage pool, uint32 position, bool active) internal {
        Position storage p = pool.at[position];
        if (p.active == active) return;
        p.active = active;
        if (active) {
            ++pool.active;
            pool.weight += p.weight;
        } else {
            --pool.active;
            pool.weight -= p.weight;
        }
    }

    /// @notice Takes note of a node's stake. A higher one counts from the next freeze on, a lower one at once.
    /// @param stake Wei.
    function setStake(Pool storage pool, uint32 position, uint256 stake, uint32 freezes) internal {
        Position storage p = pool.at[position];
        (uint40 before, uint40 weight) = (p.weight, _weightOf(stake));
        if (weight == before) return;
        if (weight > before && p.grownAt != freezes) {
            if (before < p.weightBefore) p.weightBefore = before;
            p.grownAt = freezes;
        }
        p.weight = weight;
        if (p.active) pool.weight = pool.weight + weight - before;
    }

    /// @notice Fixes what the draws of a freeze go by.
    function freeze(Pool storage pool) internal {
        (uint256 active, uint256 weight) = (pool.active, pool.weight);
        pool.frozenPositions = pool.positions;
        // Rounded down: a node of average stake always counts, and of a single size all do.
        pool.frozenAverage = active == 0 ? 0 : uint40(weight / active);
    }

    /// @notice The node at a position, if it may be drawn: active, there since before the freeze, and accepted with a
    /// probability of its stake at the freeze ÷ the average, at most 1.
    /// @param freeze_ Number of the freeze that the draw belongs to.
    /// @param average Average weight at that freeze.
    /// @param chance Random number, 0 to 2^128 - 1.
    /// @return nodeId 0 if none may.
    function drawn(
        Pool storage pool,
        uint32 position,
        uint32 freeze_,
        uint256 average,
        uint256 chance
    ) internal view returns (uint32 nodeId) {
        Position memory p = pool.at[position];
        if (!p.active || p.since >= freeze_) return 0;
        uint256 weight = p.weight;
        if (p.grownAt >= freeze_ && p.weightBefore < weight) weight = p.weightBefore;
        if (weight < average && chance % average >= weight) return 0;
        return p.nodeId;
    }

    function _weightOf(uint256 stake) private pure returns (uint40) {
        uint256 weight = stake / WHOLE_VER;
        return weight > type(uint40).max ? type(uint40).max : uint40(weight);
    }
}
