// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {DITHER, TICKS} from "../../types/Units.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {SeedDraw} from "../seeds/SeedDraw.sol";
import {TickTree} from "./TickTree.sol";

/// @title The supply of one class: which nodes are listed at which tick, and what a clearing price takes of it
/// @notice {ClassListings} holds a {TickTree} of free units and, per tick, an array of the nodes listed there. A round is served
/// from it by {fill}, whose cost depends on the nodes granted and never on the nodes listed.
library Listings {
    using TickTree for TickTree.Tree;
    using SlotDerivation for bytes32;
    using TransientSlot for *;

    /// @dev Everything that listing, granting and freeing touch, in one slot: a granted node costs one write.
    struct Node {
        uint32 listedUnits;
        uint32 listedPosition;
        uint32 leased;
        uint32 capacity;
        uint16 listedTick;
        uint16 askTick;
        uint8 listedClassId;
        uint8 classId;
        ISupply.NodeStatus status;
        bool pending;
        /// Kept out of new work by its reports.
        bool ineligible;
        uint40 cooldownUntil;
        /// What its stake has to cover for a unit at least, whole VER: its ask, rounded up, and while any unit is backed by the
        /// stake, its highest ask since none was.
        uint16 unitCover;
    }

    struct ClassListings {
        TickTree.Tree tree;
        /// Length of each tick's array, eight ticks to a word; means something only while the tick holds units.
        mapping(uint256 key => uint256 word) lengths;
        /// The arrays, eight node ids to a word. Key: tick << 32 | position / 8.
        mapping(uint256 key => uint256 word) places;
    }

    /// @dev What a round asks of a class.
    struct Order {
        uint8 classId;
        /// Price of a tick, micro-VER.
        uint40 tickSize;
        /// Clearing price, micro-VER x 1024.
        uint64 clearing;
        uint256 units;
        bytes32 seed;
    }

    /// @dev Where a clearing price cuts a class.
    struct Margin {
        /// First tick that is not wholly granted (4096: all are).
        uint256 tick;
        /// Units at ticks below it, all granted.
        uint256 below;
        /// Units granted at the tick itself.
        uint256 units;
    }

    /// @dev keccak256("drmp.listings.fill"): root of the transient amounts granted at the marginal tick.
    bytes32 private constant FILL_ROOT = keccak256("drmp.listings.fill");

    /// @dev Most looks for a node in the tick that a draw came to.
    uint256 private constant LOOKS = 32;
    /// @dev Free units up to this many times the average of their tick's nodes count in a draw.
    uint256 private constant LARGEST = 4;

    uint256 private constant MASK32 = type(uint32).max;

    /// @notice Lists a node that is not listed.
    function insert(
        ClassListings storage listings,
        mapping(uint32 => Node) storage nodes,
        uint32 nodeId,
        uint8 classId,
        uint16 tick,
        uint32 units
    ) internal {
        uint256 length = listings.tree.add(tick, units) ? 0 : _length(listings, tick);
        _place(listings, tick, length, nodeId);
        _setLength(listings, tick, length + 1);
        Node storage node = nodes[nodeId];
        node.listedUnits = units;
        node.listedPosition = uint32(length);
        node.listedTick = tick;
        node.listedClassId = classId;
    }

    /// @notice Takes a listed node out; the last of its tick's array takes its place.
    function remove(ClassListings storage listings, mapping(uint32 => Node) storage nodes, uint32 nodeId) internal {
        Node storage node = nodes[nodeId];
        uint256 tick = node.listedTick;
        uint256 last = _length(listings, tick) - 1;
        _move(listings, nodes, tick, last, node.listedPosition);
        _setLength(listings, tick, last);
        listings.tree.remove(tick, node.listedUnits);
        node.listedUnits = 0;
    }

    /// @notice Changes the units of a listed node, which stays listed.
    function resize(ClassListings storage listings, Node storage node, uint32 units) internal {
        uint32 listed = node.listedUnits;
        if (units > listed) listings.tree.add(node.listedTick, units - listed);
        else listings.tree.remove(node.listedTick, listed - units);
        node.listedUnits = units;
    }

    /// @notice Grants an order's units at its clearing price: checks that all that is cheaper is granted, and fills the
    /// marginal tick from where the seed says. O(granted nodes).
    /// @param nodeIds Granted nodes, 4 bytes each, in ascending {SeedDraw.nodeOrder}.
    /// @return fills units << 72 | price << 32 | node id, in the order given.
    function fill(
        ClassListings storage listings,
        mapping(uint32 => Node) storage nodes,
        Order memory order,
        bytes calldata nodeIds
    ) internal returns (uint256[] memory fills) {
        Margin memory margin = _margin(listings, order);
        if (margin.units != 0) _fillMargin(listings, nodes, order, margin);

        fills = new uint256[](nodeIds.length / 4);
        uint256 granted;
        uint256 place;
        for (uint256 i; i < fills.length; ++i) {
            uint32 nodeId = uint32(bytes4(nodeIds[4 * i:4 * i + 4]));
            uint256 next = SeedDraw.nodeOrder(order.seed, nodeId);
            require(next > place, ISupply.NodesOutOfOrder(nodeId));
            place = next;
            Node storage node = nodes[nodeId];
            uint256 amount = _amount(node, nodeId, order, margin.tick);
            node.listedUnits -= uint32(amount);
            node.leased += uint32(amount);
            granted += amount;
            fills[i] = (amount << 72) | ((uint256(node.listedTick) * order.tickSize) << 32) | nodeId;
        }
        require(granted == order.units, ISupply.ClassUnitsMismatch(order.classId, granted, order.units));
        if (granted != 0) listings.tree.consume(margin.tick, margin.units);
    }

    /// @notice Draws a node of the tick that holds unit `unit` of the class, counted from the cheapest: each with probability
    /// proportional to its free units, of which four times the average of the tick's nodes count. Reads only; O({LOOKS}).
    /// @dev One look takes a uniform place of the tick's array and passes with probability free x length / (scale x units):
    /// at most 1, for no node has more than all the units of the tick, and what is above four times the average is cut off.
    /// @return nodeId 0 if no look passed: less than once in 10,000 where no node is above four times the average.
    function draw(
        ClassListings storage listings,
        mapping(uint32 => Node) storage nodes,
        uint256 unit,
        bytes32 seed,
        uint32 leaseId,
        uint32 attempt
    ) internal view returns (uint32 nodeId) {
        (uint256 tick, uint256 units) = listings.tree.locate(unit);
        if (units == 0) return 0;
        uint256 length = _length(listings, tick);
        uint256 scale = length < LARGEST ? length : LARGEST;
        for (uint32 i; i < LOOKS; ++i) {
            (uint256 high, uint256 low) = SeedDraw.look(seed, leaseId, attempt, i);
            nodeId = _placed(listings, tick, high % length);
            if (low % (scale * units) < nodes[nodeId].listedUnits * length) return nodeId;
        }
        return 0;
    }

    /// @dev Where the clearing price cuts the class, and that the units fit it.
    function _margin(ClassListings storage listings, Order memory order) private view returns (Margin memory margin) {
        uint256 scaled = order.tickSize * DITHER;
        margin.tick = (order.clearing + scaled - 1) / scaled;
        bool onTick = order.clearing % scaled == 0 && margin.tick < TICKS;
        if (margin.tick > TICKS) margin.tick = TICKS;
        margin.below = listings.tree.below(margin.tick);
        uint256 upTo = margin.below + (onTick ? listings.tree.at(margin.tick) : 0);
        require(
            margin.below <= order.units && order.units <= upTo,
            ISupply.ClearingPriceMismatch(order.classId, order.units, margin.below, upTo)
        );
        margin.units = order.units - margin.below;
    }

    /// @dev Walks the marginal tick's array from the seed's start, notes each node's share in transient storage, and
    /// takes the nodes that are used up out of the array: they are a run, seen as a ring. O(nodes used).
    function _fillMargin(
        ClassListings storage listings,
        mapping(uint32 => Node) storage nodes,
        Order memory order,
        Margin memory margin
    ) private {
        uint256 tick = margin.tick;
        uint256 length = _length(listings, tick);
        uint256 start = SeedDraw.fillStart(order.seed, order.classId, length);
        uint256 left = margin.units;
        uint256 used;
        for (uint256 at = start; left != 0; at = at + 1 == length ? 0 : at + 1) {
            uint32 nodeId = _placed(listings, tick, at);
            uint256 listed = nodes[nodeId].listedUnits;
            uint256 amount = listed < left ? listed : left;
            _share(nodeId).tstore(amount);
            left -= amount;
            if (amount == listed) ++used;
        }
        uint256 end = start + used;
        if (end <= length) {
            // The run [start, end) ends before the array does: its tail moves into the hole.
            uint256 moves = length - end < used ? length - end : used;
            for (uint256 i; i < moves; ++i) _move(listings, nodes, tick, length - 1 - i, start + i);
        } else {
            // The run goes round: the array is cut at its start, and [0, hole) is filled from its new end.
            uint256 hole = end - length;
            uint256 moves = start - hole < hole ? start - hole : hole;
            for (uint256 i; i < moves; ++i) _move(listings, nodes, tick, start - 1 - i, i);
        }
        _setLength(listings, tick, length - used);
    }

    /// @dev What a node is granted: all it lists below the margin, its share at it. Each share is spent once.
    function _amount(
        Node storage node,
        uint32 nodeId,
        Order memory order,
        uint256 marginTick
    ) private returns (uint256 amount) {
        amount = node.listedUnits;
        require(amount != 0 && node.listedClassId == order.classId, ISupply.NodeNotListed(nodeId, order.classId));
        uint16 tick = node.listedTick;
        if (tick < marginTick) return amount;
        require(tick == marginTick, ISupply.AskAboveClearing(nodeId, tick, order.clearing));
        amount = _share(nodeId).tload();
        require(amount != 0, ISupply.NotInFilling(nodeId));
        _share(nodeId).tstore(0);
    }

    function _share(uint32 nodeId) private pure returns (TransientSlot.Uint256Slot) {
        return FILL_ROOT.deriveMapping(uint256(nodeId)).asUint256();
    }

    /// @dev Moves the node at `from` of a tick's array to `to` (which may be the same place).
    function _move(
        ClassListings storage listings,
        mapping(uint32 => Node) storage nodes,
        uint256 tick,
        uint256 from,
        uint256 to
    ) private {
        if (from == to) return;
        uint32 moved = _placed(listings, tick, from);
        _place(listings, tick, to, moved);
        nodes[moved].listedPosition = uint32(to);
    }

    function _placed(ClassListings storage listings, uint256 tick, uint256 at) private view returns (uint32) {
        return uint32(listings.places[(tick << 32) | (at >> 3)] >> ((at & 7) << 5));
    }

    function _place(ClassListings storage listings, uint256 tick, uint256 at, uint32 nodeId) private {
        uint256 key = (tick << 32) | (at >> 3);
        uint256 shift = (at & 7) << 5;
        listings.places[key] = (listings.places[key] & ~(MASK32 << shift)) | (uint256(nodeId) << shift);
    }

    function _length(ClassListings storage listings, uint256 tick) private view returns (uint256) {
        return (listings.lengths[tick >> 3] >> ((tick & 7) << 5)) & MASK32;
    }

    function _setLength(ClassListings storage listings, uint256 tick, uint256 length) private {
        uint256 shift = (tick & 7) << 5;
        uint256 word = listings.lengths[tick >> 3];
        listings.lengths[tick >> 3] = (word & ~(MASK32 << shift)) | (length << shift);
    }
}
