// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Reference} from "./Reference.sol";

/// @title A solution as the bytes of a post, and the leases that have to follow from it
library Post {
    uint256 private constant SCALE = 1024;

    struct Fill {
        uint32 nodeId;
        uint256 units;
        /// Micro-VER.
        uint256 price;
        uint256 order;
        uint8 classId;
    }

    /// @dev A post before it is packed, so that tests can spoil it.
    struct Parts {
        uint64[] clearing;
        uint24[] flows;
        uint32[][] nodeIds;
    }

    function encode(Reference.Instance memory p, Reference.Solution memory s) internal pure returns (bytes memory) {
        return pack(parts(p, s));
    }

    function parts(Reference.Instance memory p, Reference.Solution memory s) internal pure returns (Parts memory out) {
        out.clearing = new uint64[](p.classes.length);
        out.nodeIds = new uint32[][](p.classes.length);
        uint256 cells;
        for (uint256 t; t < p.tasks.length; ++t) cells += p.tasks[t].columns.length;
        out.flows = new uint24[](cells);
        cells = 0;
        for (uint256 t; t < p.tasks.length; ++t) {
            for (uint256 f; f < s.flows[t].length; ++f) out.flows[cells++] = uint24(s.flows[t][f]);
        }
        for (uint256 k; k < p.classes.length; ++k) {
            out.clearing[k] = uint64(s.clearing[k]);
            Fill[] memory fills = fillsOf(p, s, k);
            out.nodeIds[k] = new uint32[](fills.length);
            for (uint256 i; i < fills.length; ++i) out.nodeIds[k][i] = fills[i].nodeId;
        }
    }

    function pack(Parts memory v) internal pure returns (bytes memory post) {
        for (uint256 k; k < v.clearing.length; ++k) post = bytes.concat(post, bytes8(v.clearing[k]));
        for (uint256 i; i < v.flows.length; ++i) post = bytes.concat(post, bytes3(v.flows[i]));
        for (uint256 k; k < v.nodeIds.length; ++k) {
            post = bytes.concat(post, bytes2(uint16(v.nodeIds[k].length)));
            bytes memory ids = new bytes(4 * v.nodeIds[k].length);
            for (uint256 i; i < v.nodeIds[k].length; ++i) {
                bytes4 id = bytes4(v.nodeIds[k][i]);
                for (uint256 j; j < 4; ++j) ids[4 * i + j] = id[j];
            }
            post = bytes.concat(post, ids);
        }
    }

    /// @dev Which nodes of class `k` are granted how much: the cheapest first, the dearest of them from where the seed
    /// says and round; in the order of their hashes.
    function fillsOf(
        Reference.Instance memory p,
        Reference.Solution memory s,
        uint256 k
    ) internal pure returns (Fill[] memory fills) {
        Reference.ClassIn memory class = p.classes[k];
        uint256 left = _sum(p, s, k);
        fills = new Fill[](class.nodes.length);
        uint256 count;
        for (uint256 tick; left != 0; ++tick) {
            uint256 length = _countAt(class, tick);
            if (length == 0) continue;
            uint256 at = _unitsAt(class, tick) <= left ? 0 : Reference.draw(p.seed, 2, class.id) % length;
            for (uint256 seen; seen < length && left != 0; ++seen) {
                Reference.NodeIn memory n = _placed(class, tick, (at + seen) % length);
                uint256 units = n.units < left ? n.units : left;
                left -= units;
                fills[count++] = Fill(n.id, units, tick * class.tickSize, Reference.draw(p.seed, 3, n.id), class.id);
            }
        }
        assembly ("memory-safe") {
            mstore(fills, count)
        }
        _sort(fills);
    }

    /// @dev The leases that must come of it, laid out unit by unit.
    function leasesOf(
        Reference.Instance memory p,
        Reference.Solution memory s
    ) internal pure returns (ILeaseRegistry.Lease[] memory out) {
        Fill[][] memory fills = new Fill[][](p.classes.length);
        uint256 units;
        for (uint256 k; k < p.classes.length; ++k) {
            fills[k] = fillsOf(p, s, k);
            units += _sum(p, s, k);
        }
        out = new ILeaseRegistry.Lease[](units);
        uint256[] memory next = new uint256[](p.classes.length);
        uint256 count;
        for (uint256 t; t < p.tasks.length; ++t) {
            uint256 unit;
            for (uint256 f; f < s.flows[t].length; ++f) {
                uint256 k = p.tasks[t].columns[f];
                for (uint256 j; j < s.flows[t][f]; ++j) {
                    while (fills[k][next[k]].units == 0) ++next[k];
                    Fill memory fill = fills[k][next[k]];
                    --fill.units;
                    count = _append(out, count, p.tasks[t], unit++, fill);
                }
            }
        }
        assembly ("memory-safe") {
            mstore(out, count)
        }
    }

    /// @dev Adds a unit to the last lease if it goes on there, else starts the next one.
    function _append(
        ILeaseRegistry.Lease[] memory out,
        uint256 count,
        Reference.TaskIn memory task,
        uint256 unit,
        Fill memory fill
    ) private pure returns (uint256) {
        Reference.UnitIn memory u = task.openUnits[unit];
        if (count != 0) {
            ILeaseRegistry.Lease memory last = out[count - 1];
            bool goesOn =
                last.taskId == task.id &&
                    last.nodeId == fill.nodeId &&
                    last.start + last.count == u.index &&
                    last.parent == u.parent &&
                    last.fence == u.fence;
            if (goesOn) {
                ++last.count;
                return count;
            }
        }
        ILeaseRegistry.Lease memory held = out[count];
        (held.taskId, held.nodeId, held.start, held.count) = (task.id, fill.nodeId, u.index, 1);
        (held.price, held.fence, held.parent) = (uint40(fill.price), uint8(u.fence), u.parent);
        held.status = ILeaseRegistry.LeaseStatus.Active;
        (held.classId, held.reassignments) = (fill.classId, u.reassignments);
        return count + 1;
    }

    function _sum(
        Reference.Instance memory p,
        Reference.Solution memory s,
        uint256 k
    ) private pure returns (uint256 units) {
        for (uint256 t; t < s.flows.length; ++t) {
            for (uint256 f; f < s.flows[t].length; ++f) if (p.tasks[t].columns[f] == k) units += s.flows[t][f];
        }
    }

    function _countAt(Reference.ClassIn memory class, uint256 tick) private pure returns (uint256 count) {
        for (uint256 i; i < class.nodes.length; ++i) if (class.nodes[i].tick == tick) ++count;
    }

    function _unitsAt(Reference.ClassIn memory class, uint256 tick) private pure returns (uint256 units) {
        for (uint256 i; i < class.nodes.length; ++i) if (class.nodes[i].tick == tick) units += class.nodes[i].units;
    }

    function _placed(
        Reference.ClassIn memory class,
        uint256 tick,
        uint256 position
    ) private pure returns (Reference.NodeIn memory) {
        for (uint256 i; i < class.nodes.length; ++i) {
            if (class.nodes[i].tick == tick && class.nodes[i].position == position) return class.nodes[i];
        }
        revert("no node at this position");
    }

    function _sort(Fill[] memory fills) private pure {
        for (uint256 i = 1; i < fills.length; ++i) {
            for (uint256 j = i; j != 0 && fills[j - 1].order > fills[j].order; --j) {
                (fills[j - 1], fills[j]) = (fills[j], fills[j - 1]);
            }
        }
    }
}
