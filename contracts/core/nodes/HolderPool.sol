// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHolderPool} from "../../interfaces/IHolderPool.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {NotModule} from "../../types/Errors.sol";

/// @title Holder pool: the nodes that may be drawn to hold others' checkpoints
/// @notice See {IHolderPool}.
contract HolderPool is IHolderPool, OneTimeInitialiser {
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

    /// @dev What the pool holds together. One slot.
    struct Totals {
        /// Positions, empty ones included.
        uint32 positions;
        /// An empty position, counted from 1; 0 if there is none.
        uint32 firstEmpty;
        /// Active nodes, and the sum of their weights: below 2^56, for no more VER than that can exist.
        uint32 active;
        uint56 weight;
        /// Number of the last freeze of the listings; positions and average weight then.
        uint32 freezes;
        uint32 frozenPositions;
        uint40 frozenAverage;
    }

    uint256 private constant WHOLE_VER = 1 ether;

    address private _supply;
    Totals private _totals;
    mapping(uint32 position => Position) private _positions;

    modifier onlySupply() {
        require(msg.sender == _supply, NotModule(msg.sender));
        _;
    }

    /// @inheritdoc IHolderPool
    function initialise(address supply) external initialiser {
        _supply = supply;
        emit SupplySet(supply);
    }

    /// @inheritdoc IHolderPool
    function join(uint32 nodeId, uint256 stake) external onlySupply returns (uint32 position) {
        Totals memory t = _totals;
        if (t.firstEmpty == 0) {
            position = t.positions++;
        } else {
            position = t.firstEmpty - 1;
            t.firstEmpty = _positions[position].nextEmpty;
        }
        uint40 weight = _weightOf(stake);
        _positions[position] = Position({
            nodeId: nodeId,
            since: t.freezes,
            active: true,
            weight: weight,
            grownAt: t.freezes,
            weightBefore: weight,
            nextEmpty: 0
        });
        ++t.active;
        t.weight += weight;
        _totals = t;
    }

    /// @inheritdoc IHolderPool
    function leave(uint32 position) external onlySupply {
        _setActive(position, false);
        delete _positions[position];
        _positions[position].nextEmpty = _totals.firstEmpty;
        _totals.firstEmpty = position + 1;
    }

    /// @inheritdoc IHolderPool
    function setActive(uint32 position, bool active) external onlySupply {
        _setActive(position, active);
    }

    /// @inheritdoc IHolderPool
    function setStake(uint32 position, uint256 stake) external onlySupply {
        Position storage p = _positions[position];
        (uint40 before, uint40 weight) = (p.weight, _weightOf(stake));
        if (weight == before) return;
        uint32 freezes = _totals.freezes;
        if (weight > before && p.grownAt != freezes) {
            if (before < p.weightBefore) p.weightBefore = before;
            p.grownAt = freezes;
        }
        p.weight = weight;
        if (p.active) _totals.weight = _totals.weight + weight - before;
    }

    /// @inheritdoc IHolderPool
    function freeze(uint32 count) external onlySupply {
        Totals memory t = _totals;
        t.freezes = count;
        t.frozenPositions = t.positions;
        // Rounded down: a node of average stake always counts, and of a single size all do.
        t.frozenAverage = t.active == 0 ? 0 : uint40(t.weight / t.active);
        _totals = t;
    }

    /// @inheritdoc IHolderPool
    function lastFreeze() external view returns (uint32, uint32, uint40) {
        return (_totals.freezes, _totals.frozenPositions, _totals.frozenAverage);
    }

    /// @inheritdoc IHolderPool
    function drawn(uint32 position, uint32 count, uint40 average, uint256 chance) external view returns (uint32) {
        Position memory p = _positions[position];
        if (!p.active || p.since >= count) return 0;
        uint256 weight = p.weight;
        if (p.grownAt >= count && p.weightBefore < weight) weight = p.weightBefore;
        if (weight < average && chance % average >= weight) return 0;
        return p.nodeId;
    }

    /// @inheritdoc IHolderPool
    function activeNodes() external view returns (uint32) {
        return _totals.active;
    }

    function _setActive(uint32 position, bool active) private {
        Position storage p = _positions[position];
        if (p.active == active) return;
        p.active = active;
        Totals memory t = _totals;
        if (active) {
            ++t.active;
            t.weight += p.weight;
        } else {
            --t.active;
            t.weight -= p.weight;
        }
        _totals = t;
    }

    function _weightOf(uint256 stake) private pure returns (uint40) {
        uint256 weight = stake / WHOLE_VER;
        return weight > type(uint40).max ? type(uint40).max : uint40(weight);
    }
}
