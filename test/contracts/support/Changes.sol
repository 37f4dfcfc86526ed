// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Judge} from "./Judge.sol";
import {Post} from "./Post.sol";
import {Reference} from "./Reference.sol";

/// @title Every post that differs from a given one by one unit, one tick, one node or one swap
library Changes {
    struct List {
        Post.Parts[] posts;
        uint256 count;
    }

    /// @param nodeCount Ids of nodes that are tried run from 1 to one more than this.
    function all(
        Reference.Instance memory p,
        Post.Parts memory honest,
        uint32 nodeCount
    ) internal pure returns (Post.Parts[] memory posts) {
        List memory list = List(new Post.Parts[](2_000), 0);
        _units(list, p, honest);
        for (uint256 k; k < p.classes.length; ++k) {
            _ticks(list, honest, k, 1024 * uint64(p.classes[k].tickSize));
            _nodes(list, p.seed, honest, k, nodeCount);
        }
        posts = list.posts;
        uint256 count = list.count;
        assembly ("memory-safe") {
            mstore(posts, count)
        }
    }

    /// @dev A unit more or less in each cell, a unit moved between each two, and two units of two tasks that change
    /// their classes. Each with the nodes as they were, and with those that the changed flows would need.
    function _units(List memory list, Reference.Instance memory p, Post.Parts memory honest) private pure {
        uint256 n = honest.flows.length;
        for (uint256 a; a < n; ++a) {
            Post.Parts memory more = copy(honest);
            more.flows[a] += 1;
            _flow(list, p, more);
            if (honest.flows[a] == 0) continue;
            Post.Parts memory less = copy(honest);
            less.flows[a] -= 1;
            _flow(list, p, less);
            for (uint256 b; b < n; ++b) {
                if (a == b) continue;
                Post.Parts memory moved = copy(less);
                moved.flows[b] += 1;
                _flow(list, p, moved);
            }
        }
        for (uint256 s; s < p.tasks.length; ++s) {
            for (uint256 t = s + 1; t < p.tasks.length; ++t) _exchange(list, p, honest, s, t);
        }
    }

    function _exchange(
        List memory list,
        Reference.Instance memory p,
        Post.Parts memory honest,
        uint256 s,
        uint256 t
    ) private pure {
        uint256[] memory first = new uint256[](p.tasks.length);
        for (uint256 i = 1; i < first.length; ++i) first[i] = first[i - 1] + p.tasks[i - 1].columns.length;
        for (uint256 f; f < p.tasks[s].columns.length; ++f) {
            for (uint256 g; g < p.tasks[t].columns.length; ++g) {
                (uint256 a, uint256 d) = (first[s] + f, first[t] + g);
                (uint256 b, bool foundB) = _cellOf(p, s, p.tasks[t].columns[g], first[s]);
                (uint256 c, bool foundC) = _cellOf(p, t, p.tasks[s].columns[f], first[t]);
                if (!foundB || !foundC || a == b || honest.flows[a] == 0 || honest.flows[d] == 0) continue;
                Post.Parts memory v = copy(honest);
                v.flows[a] -= 1;
                v.flows[b] += 1;
                v.flows[d] -= 1;
                v.flows[c] += 1;
                _flow(list, p, v);
            }
        }
    }

    function _cellOf(
        Reference.Instance memory p,
        uint256 t,
        uint256 column,
        uint256 first
    ) private pure returns (uint256, bool) {
        for (uint256 f; f < p.tasks[t].columns.length; ++f)
            if (p.tasks[t].columns[f] == column) return (first + f, true);
        return (0, false);
    }

    /// @dev Adds changed flows with the old nodes and, where the classes have the units, with the nodes they ask for.
    function _flow(List memory list, Reference.Instance memory p, Post.Parts memory v) private pure {
        list.posts[list.count++] = v;
        (uint256[][] memory flows, bool overfilled) = Judge.flowsOf(p, v.flows);
        if (overfilled || Reference.cost(p, flows) >= 1 << 100) return;
        Reference.Solution memory s;
        s.flows = flows;
        Post.Parts memory repaired = copy(v);
        bool same = true;
        for (uint256 k; k < p.classes.length; ++k) {
            Post.Fill[] memory fills = Post.fillsOf(p, s, k);
            repaired.nodeIds[k] = new uint32[](fills.length);
            if (fills.length != v.nodeIds[k].length) same = false;
            for (uint256 i; i < fills.length; ++i) {
                repaired.nodeIds[k][i] = fills[i].nodeId;
                if (same && fills[i].nodeId != v.nodeIds[k][i]) same = false;
            }
        }
        if (!same) list.posts[list.count++] = repaired;
    }

    /// @dev The smallest step and a tick, up and down.
    function _ticks(List memory list, Post.Parts memory honest, uint256 k, uint64 tick) private pure {
        for (uint256 i; i < 4; ++i) {
            uint64 step = i < 2 ? 1 : tick;
            if (i % 2 == 1 && honest.clearing[k] < step) continue;
            Post.Parts memory v = copy(honest);
            if (i % 2 == 0) v.clearing[k] += step;
            else v.clearing[k] -= step;
            list.posts[list.count++] = v;
        }
    }

    /// @dev Each granted node left out, named twice, and replaced by each other one; each other one added; each two
    /// swapped. Whatever is put in stands where the order by hash wants it.
    function _nodes(
        List memory list,
        bytes32 seed,
        Post.Parts memory honest,
        uint256 k,
        uint32 nodeCount
    ) private pure {
        uint32[] memory ids = honest.nodeIds[k];
        for (uint32 id = 1; id <= nodeCount + 1; ++id) _withNodes(list, honest, k, _placed(seed, ids, id));
        for (uint256 i; i < ids.length; ++i) {
            uint32[] memory fewer = new uint32[](ids.length - 1);
            for (uint256 j; j < fewer.length; ++j) fewer[j] = ids[j < i ? j : j + 1];
            _withNodes(list, honest, k, fewer);
            for (uint32 id = 1; id <= nodeCount + 1; ++id) {
                if (id != ids[i]) _withNodes(list, honest, k, _placed(seed, fewer, id));
            }
            for (uint256 j = i + 1; j < ids.length; ++j) {
                Post.Parts memory v = copy(honest);
                (v.nodeIds[k][i], v.nodeIds[k][j]) = (ids[j], ids[i]);
                list.posts[list.count++] = v;
            }
        }
    }

    function _withNodes(List memory list, Post.Parts memory honest, uint256 k, uint32[] memory ids) private pure {
        Post.Parts memory v = copy(honest);
        v.nodeIds[k] = ids;
        list.posts[list.count++] = v;
    }

    /// @dev `ids` with one more at its place by hash.
    function _placed(bytes32 seed, uint32[] memory ids, uint32 id) private pure returns (uint32[] memory out) {
        out = new uint32[](ids.length + 1);
        uint256 place = Reference.draw(seed, 3, id);
        uint256 at;
        while (at < ids.length && Reference.draw(seed, 3, ids[at]) < place) ++at;
        for (uint256 j; j < out.length; ++j)
            out[j] =
                j < at
                    ? ids[j]
                    : j == at
                        ? id
                        : ids[j - 1];
    }

    function copy(Post.Parts memory v) internal pure returns (Post.Parts memory out) {
        return abi.decode(abi.encode(v), (Post.Parts));
    }
}
