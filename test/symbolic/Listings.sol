// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Halmos runs functions whose names begin with check_.
// solhint-disable func-name-mixedcase

import {Listings} from "../../contracts/core/nodes/Listings.sol";
import {TickTree} from "../../contracts/core/nodes/TickTree.sol";
import {SeedDraw} from "../../contracts/core/seeds/SeedDraw.sol";
import {PackedUint32} from "../../contracts/libraries/PackedUint32.sol";
import {Fill} from "../../contracts/types/Fill.sol";
import {DITHER} from "../../contracts/types/Units.sol";

/// @title What a clearing price takes of a class is the cheapest of it, no more and no less
/// @notice For all numbers of free units of five nodes: one below the marginal tick, three at it, one above; for all sets of them that a
/// post may name, all numbers of units it may ask for, and four seeds, by which the filling starts at each place of the marginal tick.
contract ListingsProof {
    using Listings for Listings.ClassListings;
    using TickTree for TickTree.Tree;

    uint8 private constant CLASS = 3;
    uint40 private constant TICK_SIZE = 1_000;
    uint32 private constant NODES = 5;
    /// @dev The marginal tick; node 1 is one below it, node 5 one above, and both in words of the tree that have others.
    uint16 private constant MARGIN = 520;
    uint256 private constant SEEDS = 4;

    Listings.ClassListings private _class;
    mapping(uint32 nodeId => Listings.Node node) private _nodes;

    /// @notice What passes grants all that is cheaper, of the marginal tick what the seed says, and nothing else; and what is left over is
    /// listed as before.
    function check_FillSound(uint24[5] memory free, uint32 asked, uint8 named, uint8 seed) external {
        if (!_listed(free)) return;
        (uint256 set, uint256 start) = (_concrete(named, 1 << NODES), _concrete(seed, SEEDS));
        Listings.Order memory order = _order(asked, start);
        try this.run(order, _ids(set, order.seed)) returns (Fill[] memory fills) {
            (bool possible, uint256[5] memory expected) = _expected(free, order);
            assert(possible);
            uint256 granted;
            for (uint256 i; i < fills.length; ++i) {
                uint256 node = fills[i].nodeId() - 1;
                assert(fills[i].units() == expected[node] && fills[i].units() != 0);
                assert(fills[i].price() == uint256(_tickOf(node)) * TICK_SIZE);
                granted += fills[i].units();
            }
            assert(granted == asked);
            _left(free, expected);
        } catch {}
    }

    /// @notice What is cheapest passes: no post that names it is refused.
    function check_FillComplete(uint24[5] memory free, uint32 asked, uint8 seed) external {
        if (!_listed(free)) return;
        Listings.Order memory order = _order(asked, _concrete(seed, SEEDS));
        (bool possible, uint256[5] memory expected) = _expected(free, order);
        if (!possible) return;
        uint256 set;
        for (uint256 i; i < NODES; ++i) if (expected[i] != 0) set |= 1 << i;
        try this.run(order, _ids(set, order.seed)) {} catch {
            assert(false);
        }
    }

    /// @notice {Listings.fill} from outside, so that whether it reverts can be seen.
    function run(Listings.Order memory order, bytes calldata nodeIds) external returns (Fill[] memory) {
        return _class.fill(_nodes, order, nodeIds);
    }

    function _listed(uint24[5] memory free) private returns (bool) {
        for (uint32 i; i < NODES; ++i) {
            if (free[i] == 0) return false;
            _class.insert(_nodes, i + 1, CLASS, _tickOf(i), free[i]);
        }
        return true;
    }

    /// @dev The amounts of the five nodes, said without a look at how the contract finds them.
    function _expected(
        uint24[5] memory free,
        Listings.Order memory order
    ) private pure returns (bool possible, uint256[5] memory amounts) {
        uint256 atMargin = uint256(free[1]) + free[2] + free[3];
        if (order.units < free[0] || order.units > free[0] + atMargin) return (false, amounts);
        amounts[0] = free[0];
        uint256 left = order.units - free[0];
        uint256 start = SeedDraw.fillStart(order.seed, CLASS, 3);
        for (uint256 i; i < 3; ++i) {
            uint256 node = 1 + ((start + i) % 3);
            amounts[node] = left < free[node] ? left : free[node];
            left -= amounts[node];
        }
        return (true, amounts);
    }

    /// @dev The tree, the nodes and the marginal tick's array after a fill.
    function _left(uint24[5] memory free, uint256[5] memory granted) private view {
        uint256 atMargin;
        for (uint256 i = 1; i < 4; ++i) atMargin += free[i] - granted[i];
        assert(_class.tree.below(MARGIN) == 0);
        assert(_class.tree.at(MARGIN) == atMargin);
        assert(_class.tree.at(MARGIN + 1) == free[4]);
        uint256 places;
        for (uint32 i; i < NODES; ++i) {
            Listings.Node storage node = _nodes[i + 1];
            assert(node.listedUnits == free[i] - granted[i] && node.leased == granted[i]);
            if (i == 0 || i == 4 || node.listedUnits == 0) continue;
            assert(node.listedPosition < 3);
            assert(PackedUint32.get(_class.places[uint256(MARGIN) << 32], node.listedPosition) == i + 1);
            ++places;
        }
        if (atMargin != 0) assert(PackedUint32.get(_class.lengths[MARGIN >> 3], MARGIN) == places);
    }

    function _order(uint32 asked, uint256 seed) private pure returns (Listings.Order memory) {
        uint64 clearing = uint64(uint256(MARGIN) * TICK_SIZE * DITHER);
        return Listings.Order(CLASS, TICK_SIZE, clearing, asked, keccak256(abi.encode(seed)));
    }

    /// @dev Nodes of a set as a post names them, in the seed's order.
    function _ids(uint256 set, bytes32 seed) private pure returns (bytes memory ids) {
        uint256 last;
        for (uint256 count; count < NODES; ++count) {
            (uint32 next, uint256 place) = (0, type(uint256).max);
            for (uint32 i = 1; i <= NODES; ++i) {
                uint256 at = SeedDraw.nodeOrder(seed, i);
                if (at > last && at < place) (next, place) = (i, at);
            }
            last = place;
            if ((set >> (next - 1)) & 1 == 1) ids = bytes.concat(ids, bytes4(next));
        }
    }

    function _tickOf(uint256 i) private pure returns (uint16) {
        if (i == 0) return MARGIN - 1;
        return i == 4 ? MARGIN + 1 : MARGIN;
    }

    /// @dev A value below `count` of which each path knows what it is: sets and seeds are looked at one by one.
    function _concrete(uint8 value, uint256 count) private pure returns (uint256) {
        for (uint256 i; i < count; ++i) if (value == i) return i;
        return 0;
    }
}
