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
/// @notice For all numbers of free units of three nodes, all sets of them that a post may name, and all numbers of units that it may ask
/// for: with one node below the marginal tick, one at it and one above; and with all three at it, for each place where the filling starts.
contract ListingsProof {
    using Listings for Listings.ClassListings;
    using TickTree for TickTree.Tree;

    uint8 private constant CLASS = 3;
    uint40 private constant TICK_SIZE = 1_000;
    uint32 private constant NODES = 3;
    /// @dev The marginal tick: the first of its word, so that the tick below it is in another.
    uint16 private constant MARGIN = 520;

    Listings.ClassListings private _class;
    mapping(uint32 nodeId => Listings.Node node) private _nodes;

    /// @notice What passes grants all that is cheaper, of the marginal tick what is missing, and nothing that is dearer.
    function check_FillPrice(uint8[3] memory free, uint16 asked, uint8 named) external {
        _sound(free, asked, named, 1, 0);
    }

    /// @notice What passes takes of the marginal tick what the ring says, from its first place on.
    function check_FillRing0(uint8[3] memory free, uint16 asked, uint8 named) external {
        _sound(free, asked, named, 0, 0);
    }

    /// @notice The same from its second.
    function check_FillRing1(uint8[3] memory free, uint16 asked, uint8 named) external {
        _sound(free, asked, named, 0, 1);
    }

    /// @notice The same from its last.
    function check_FillRing2(uint8[3] memory free, uint16 asked, uint8 named) external {
        _sound(free, asked, named, 0, 2);
    }

    /// @notice No post that names what is cheapest is refused.
    function check_FillPricePasses(uint8[3] memory free, uint16 asked) external {
        _complete(free, asked, 1, 0);
    }

    /// @notice No post is refused that names what the ring says, wherever it begins.
    function check_FillRingPasses(uint8[3] memory free, uint16 asked, uint8 start) external {
        _complete(free, asked, 0, _concrete(start, NODES));
    }

    /// @notice {Listings.fill} from outside, so that whether it reverts can be seen.
    function run(Listings.Order memory order, bytes calldata nodeIds) external returns (Fill[] memory) {
        return _class.fill(_nodes, order, nodeIds);
    }

    /// @param step Ticks from one node to the next.
    function _sound(uint8[3] memory free, uint16 asked, uint8 named, uint16 step, uint256 start) private {
        if (!_listed(free, step)) return;
        uint256 set = _concrete(named, 1 << NODES);
        Listings.Order memory order = _order(asked, start);
        bytes memory ids = _ids(set, order.seed);
        try this.run(order, ids) returns (Fill[] memory fills) {
            (bool possible, uint256[3] memory expected) = _expected(free, asked, step, start);
            assert(possible);
            assert(fills.length == ids.length / 4);
            uint256 granted;
            for (uint256 i; i < fills.length; ++i) {
                uint256 node = uint8(ids[4 * i + 3]) - 1;
                assert(fills[i].nodeId() == node + 1);
                assert(fills[i].units() == expected[node] && fills[i].units() != 0);
                assert(fills[i].price() == uint256(_tickOf(node, step)) * TICK_SIZE);
                granted += fills[i].units();
            }
            assert(granted == asked);
            _left(free, expected, step);
        } catch {}
    }

    function _complete(uint8[3] memory free, uint16 asked, uint16 step, uint256 start) private {
        if (!_listed(free, step)) return;
        (bool possible, uint256[3] memory expected) = _expected(free, asked, step, start);
        if (!possible) return;
        uint256 set;
        for (uint256 i; i < NODES; ++i) if (expected[i] != 0) set |= 1 << i;
        Listings.Order memory order = _order(asked, start);
        try this.run(order, _ids(set, order.seed)) {} catch {
            assert(false);
        }
    }

    function _listed(uint8[3] memory free, uint16 step) private returns (bool) {
        for (uint32 i; i < NODES; ++i) {
            if (free[i] == 0) return false;
            _class.insert(_nodes, i + 1, CLASS, _tickOf(i, step), free[i]);
        }
        return true;
    }

    /// @dev The amounts of the three nodes, said without a look at how the contract finds them.
    function _expected(
        uint8[3] memory free,
        uint256 asked,
        uint16 step,
        uint256 start
    ) private pure returns (bool possible, uint256[3] memory amounts) {
        uint256 all = uint256(free[0]) + free[1] + free[2];
        if (step == 0 ? asked > all : (asked < free[0] || asked > all - free[2])) return (false, amounts);
        uint256 left = asked;
        for (uint256 i; i < NODES; ++i) {
            uint256 node = (start + i) % NODES;
            amounts[node] = left < free[node] ? left : free[node];
            left -= amounts[node];
        }
        return (true, amounts);
    }

    /// @dev The tree, the nodes and the marginal tick's array after a fill.
    function _left(uint8[3] memory free, uint256[3] memory granted, uint16 step) private view {
        uint256 atMargin;
        uint256 places;
        for (uint32 i; i < NODES; ++i) {
            Listings.Node storage node = _nodes[i + 1];
            uint256 left = free[i] - granted[i];
            assert(node.listedUnits == left && node.leased == granted[i]);
            if (_tickOf(i, step) != MARGIN || left == 0) continue;
            atMargin += left;
            ++places;
            assert(node.listedPosition < NODES);
            assert(PackedUint32.get(_class.places[uint256(MARGIN) << 32], node.listedPosition) == i + 1);
        }
        assert(_class.tree.below(MARGIN) == 0);
        assert(_class.tree.at(MARGIN) == atMargin);
        assert(_class.tree.below(4096) == atMargin + (step == 0 ? 0 : free[2]));
        if (places != 0) assert(PackedUint32.get(_class.lengths[MARGIN >> 3], MARGIN) == places);
    }

    /// @dev An order whose seed has the filling of three places start at one of them.
    function _order(uint256 asked, uint256 start) private pure returns (Listings.Order memory) {
        uint64 clearing = uint64(uint256(MARGIN) * TICK_SIZE * DITHER);
        uint256 seed;
        while (SeedDraw.fillStart(bytes32(seed), CLASS, NODES) != start) ++seed;
        return Listings.Order(CLASS, TICK_SIZE, clearing, asked, bytes32(seed));
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

    /// @dev Nodes stand at the marginal tick, or with a step one below it, one at it, one above.
    function _tickOf(uint256 i, uint16 step) private pure returns (uint16) {
        return uint16(MARGIN + i * step) - step;
    }

    /// @dev A value below `count` of which each path knows what it is: sets and places are looked at one by one.
    function _concrete(uint8 value, uint256 count) private pure returns (uint256) {
        for (uint256 i; i < count; ++i) if (value == i) return i;
        return 0;
    }
}
