// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "../../support/Base.sol";
import {Fill} from "../../../../contracts/types/Fill.sol";
import {Listings} from "../../../../contracts/core/nodes/Listings.sol";
import {TickTree} from "../../../../contracts/core/nodes/TickTree.sol";
import {Rng} from "../../support/Rng.sol";

/// @title A class's listings against plain arrays: positions, sums and the round filling of the marginal tick
contract ListingsTest is Base {
    using Listings for Listings.ClassListings;
    using TickTree for TickTree.Tree;
    using Rng for Rng.Stream;

    uint8 private constant CLASS = 3;
    uint40 private constant TICK_SIZE = 10;
    uint256 private constant SCALE = 1024;
    uint32 private constant NODES = 24;

    Listings.ClassListings private listings;
    mapping(uint32 => Listings.Node) private nodes;

    /// @dev The model: per tick the ids in order, and each node's units and tick.
    mapping(uint256 tick => uint32[]) private order;
    mapping(uint32 => uint256) private unitsOf;
    mapping(uint32 => uint256) private tickOf;
    uint256[4] private ticks = [uint256(0), 9, 10, 4095];

    /// hardhat-config: fuzz.runs = 64
    function testFuzz_AgainstModel(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        for (uint256 step; step < 80; ++step) {
            uint32 id = uint32(1 + rng.below(NODES));
            uint256 kind = rng.below(8);
            if (kind == 7) _fill(rng);
            else if (unitsOf[id] == 0) _insert(id, ticks[rng.below(4)], 1 + rng.below(6));
            else if (kind < 2) _remove(id);
            else if (kind < 4) _resize(id, 1 + rng.below(6));
            _check();
        }
    }

    /// @notice The filling goes round the end of the array and goes on at its start.
    function test_FillingGoesRound() public {
        for (uint32 id = 1; id <= 5; ++id) _insert(id, 9, 2);
        // Looks for a seed that starts at the last place.
        uint256 word;
        while (_draw(bytes32(word), 2, CLASS) % 5 != 4) ++word;
        _fillAt(bytes32(word), 9, 5);
        // 5 wholly, 1 wholly, and one unit of 2; what is left closes up.
        assertEq(unitsOf[5], 0);
        assertEq(unitsOf[1], 0);
        assertEq(unitsOf[2], 1);
        assertEq(order[9].length, 3);
        _check();
    }

    /// @notice What follows the last whole id is not read.
    function test_TrailingBytes() public {
        _insert(1, 9, 2);
        Listings.Order memory o = Listings.Order(CLASS, TICK_SIZE, uint64(9 * TICK_SIZE * SCALE), 2, 0);
        Fill[] memory fills = this.fillOutside(o, hex"00000001ffffff");
        assertEq(fills.length, 1);
        assertEq(fills[0].units(), 2);
    }

    /// @notice A look passes with just the probability that makes each unit as likely as any other.
    function test_DrawPasses() public {
        _insert(1, 9, 1);
        _insert(2, 9, 1);
        uint256 refused;
        for (uint256 word; word < 32; ++word) {
            (uint256 high, uint256 low) = _look(bytes32(word), 0);
            // Two nodes, two units: two of four numbers pass.
            bool passes = low % 4 < 2;
            if (!passes) ++refused;
            uint32 first = uint32(1 + (high % 2));
            uint32 drawn = listings.draw(nodes, 0, bytes32(word), 7, 1);
            if (passes) assertEq(drawn, first, "the first that passes");
            else assertEq(drawn, _passing(bytes32(word)), "a later one");
        }
        assertGt(refused, 0);
    }

    /// @notice After 32 looks in vain nobody is drawn, though the next would have passed.
    function test_DrawGivesUp() public {
        // One of sixteen nodes has nearly all the units: the others hardly ever pass.
        _insert(1, 9, 1_000_000);
        for (uint32 id = 2; id <= 16; ++id) _insert(id, 9, 1);
        uint256 word;
        while (_firstHeavy(bytes32(word)) != 32) ++word;
        assertEq(listings.draw(nodes, 0, bytes32(word), 7, 1), 0);
        while (_firstHeavy(bytes32(word)) != 31) ++word;
        assertEq(listings.draw(nodes, 0, bytes32(word), 7, 1), 1);
    }

    /// @dev Of two nodes with a unit each, the one that the first look to pass came to.
    function _passing(bytes32 seed) private pure returns (uint32) {
        for (uint32 i; ; ++i) {
            (uint256 high, uint256 low) = _look(seed, i);
            if (low % 4 < 2) return uint32(1 + (high % 2));
        }
    }

    /// @dev The first look that comes to place 0 of sixteen, if none before it passes at one of the others; else 99.
    function _firstHeavy(bytes32 seed) private pure returns (uint32 i) {
        for (; ; ++i) {
            (uint256 high, uint256 low) = _look(seed, i);
            if (high % 16 == 0) return i;
            if (low % (4 * 1_000_015) < 16 || i > 32) return 99;
        }
    }

    /// @dev {SeedDraw.look} of lease 7, try 1, written once more.
    function _look(bytes32 seed, uint32 i) private pure returns (uint256 high, uint256 low) {
        uint256 word = uint256(
            keccak256(bytes.concat(seed, bytes1(uint8(5)), bytes4(uint32(7)), bytes4((1 << 16) | i)))
        );
        return (word >> 128, uint128(word));
    }

    function _insert(uint32 id, uint256 tick, uint256 units) private {
        listings.insert(nodes, id, CLASS, uint16(tick), uint32(units));
        order[tick].push(id);
        (unitsOf[id], tickOf[id]) = (units, tick);
    }

    function _remove(uint32 id) private {
        listings.remove(nodes, id);
        uint32[] storage ids = order[tickOf[id]];
        for (uint256 i; i < ids.length; ++i) {
            if (ids[i] != id) continue;
            ids[i] = ids[ids.length - 1];
            ids.pop();
        }
        unitsOf[id] = 0;
    }

    function _resize(uint32 id, uint256 units) private {
        if (units == unitsOf[id]) return;
        listings.resize(nodes[id], uint32(units));
        unitsOf[id] = units;
    }

    function _fill(Rng.Stream memory rng) private {
        uint256 tick = ticks[rng.below(4)];
        uint256 here;
        for (uint256 i; i < order[tick].length; ++i) here += unitsOf[order[tick][i]];
        _fillAt(bytes32(rng.below(type(uint256).max)), tick, rng.below(here + 1));
    }

    /// @dev Grants everything below `tick` and `units` units at it, in the listings and in the model.
    function _fillAt(bytes32 seed, uint256 tick, uint256 units) private {
        uint32[] memory granted = new uint32[](NODES);
        uint256[] memory amounts = new uint256[](NODES + 1);
        uint256 count;
        uint256 total = units;
        for (uint256 i; i < 4 && ticks[i] < tick; ++i) {
            for (uint256 j; j < order[ticks[i]].length; ++j) {
                uint32 id = order[ticks[i]][j];
                (granted[count++], amounts[id]) = (id, unitsOf[id]);
                total += unitsOf[id];
                unitsOf[id] = 0;
            }
            delete order[ticks[i]];
        }
        uint256 length = order[tick].length;
        for (uint256 at = length == 0 ? 0 : _draw(seed, 2, CLASS) % length; units != 0; at = (at + 1) % length) {
            uint32 id = order[tick][at];
            uint256 part = unitsOf[id] < units ? unitsOf[id] : units;
            (granted[count++], amounts[id]) = (id, part);
            unitsOf[id] -= part;
            units -= part;
        }

        bytes memory ids = _sorted(seed, granted, count);
        Listings.Order memory o = Listings.Order(CLASS, TICK_SIZE, uint64(tick * TICK_SIZE * SCALE), total, seed);
        Fill[] memory fills = this.fillOutside(o, ids);
        for (uint256 i; i < fills.length; ++i) {
            uint32 id = fills[i].nodeId();
            assertEq(fills[i].units(), amounts[id], "amount");
            assertEq(fills[i].price(), tickOf[id] * TICK_SIZE, "price");
        }
        _closeUp(tick);
    }

    /// @dev Which node moves where is the library's affair; the model takes over its places and checks them.
    function _closeUp(uint256 tick) private {
        uint32[] memory left = order[tick];
        uint256 count;
        for (uint256 i; i < left.length; ++i) if (unitsOf[left[i]] != 0) ++count;
        delete order[tick];
        for (uint256 at; at < count; ++at) {
            uint256 found;
            for (uint256 i; i < left.length; ++i) {
                if (unitsOf[left[i]] == 0 || nodes[left[i]].listedPosition != at) continue;
                order[tick].push(left[i]);
                ++found;
            }
            assertEq(found, 1, "one node to a place");
        }
    }

    function _check() private view {
        uint256 sum;
        for (uint256 i; i < 4; ++i) {
            assertEq(listings.tree.below(ticks[i]), sum, "below");
            uint256 here;
            uint32[] memory ids = order[ticks[i]];
            for (uint256 at; at < ids.length; ++at) {
                Listings.Node storage n = nodes[ids[at]];
                assertEq(n.listedPosition, at, "position");
                assertEq(n.listedTick, ticks[i], "tick");
                assertEq(n.listedUnits, unitsOf[ids[at]], "units");
                assertEq(uint32(listings.places[(ticks[i] << 32) | (at / 8)] >> (32 * (at % 8))), ids[at], "place");
                here += n.listedUnits;
            }
            assertEq(listings.tree.at(ticks[i]), here, "at");
            if (here != 0) {
                assertEq(uint32(listings.lengths[ticks[i] / 8] >> (32 * (ticks[i] % 8))), ids.length, "length");
            }
            sum += here;
        }
        for (uint32 id = 1; id <= NODES; ++id) assertEq(nodes[id].listedUnits, unitsOf[id], "listed");
    }

    function fillOutside(Listings.Order memory o, bytes calldata ids) external returns (Fill[] memory) {
        return listings.fill(nodes, o, ids);
    }

    function _sorted(bytes32 seed, uint32[] memory granted, uint256 count) private pure returns (bytes memory ids) {
        for (uint256 i = 1; i < count; ++i) {
            for (uint256 j = i; j != 0 && _draw(seed, 3, granted[j - 1]) > _draw(seed, 3, granted[j]); --j) {
                (granted[j - 1], granted[j]) = (granted[j], granted[j - 1]);
            }
        }
        for (uint256 i; i < count; ++i) ids = bytes.concat(ids, bytes4(granted[i]));
    }

    function _draw(bytes32 seed, uint8 tag, uint32 a) private pure returns (uint256) {
        return uint256(keccak256(bytes.concat(seed, bytes1(tag), bytes4(a), bytes4(0))));
    }
}
