// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What a node commits to with each checkpoint of an audited task: the states that its programs passed through
/// @notice A segment is the work between two checkpoints of a lease. For each unit whose state changed in it, the program
/// leaves local checkpoints by step count; each is a leaf, the last one the unit's state in the posted checkpoint. Leaves of
/// a unit are a tree, and the units' roots another:
/// - leaf = keccak256(uint8 0 ‖ uint24 unit ‖ uint64 step ‖ bytes32 digest of the state's CID);
/// - unit = keccak256(uint8 1 ‖ uint24 unit ‖ uint32 number of leaves ‖ tree over the leaves, ascending steps);
/// - trace root = keccak256(uint8 2 ‖ uint32 number of units ‖ tree over the units, ascending);
/// - a tree's inner node = keccak256(uint8 3 ‖ left ‖ right). Trees are filled up with zeros to a power of two.
/// The places are part of what is proved, so that nobody opens another leaf than the one that was drawn. packages/protocol/audits/trace.ts
/// is the same in TypeScript; test/vectors/audits.json holds both to the same values.
library TraceTree {
    uint8 private constant TAG_LEAF = 0;
    uint8 private constant TAG_UNIT = 1;
    uint8 private constant TAG_TRACE = 2;
    uint8 private constant TAG_NODE = 3;

    /// @notice One unit's part of a trace, opened at two leaves.
    struct Opening {
        /// Units whose state changed in the segment.
        uint32 units;
        /// Which of them it is, from 0 on.
        uint32 place;
        /// Index of the unit in its task.
        uint24 unit;
        /// Leaves of the unit.
        uint32 count;
        /// Step and state of the leaf that was drawn.
        uint64 probeStep;
        bytes32 probeDigest;
        /// Step and state of the last leaf.
        uint64 endStep;
        bytes32 endDigest;
    }

    /// @notice Nodes beside the paths of an opening, lowest first.
    struct Paths {
        /// From the drawn leaf to the top of the unit's tree.
        bytes32[] probe;
        /// From the last leaf.
        bytes32[] end;
        /// From the unit to the top.
        bytes32[] unit;
    }

    /// @notice Hash of a leaf.
    /// @param unit Index of the unit in its task.
    /// @param step Steps that its program had done.
    /// @param digest sha2-256 digest of the CID of its state.
    function leaf(uint24 unit, uint64 step, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(TAG_LEAF, unit, step, digest));
    }

    /// @notice What an opening says, in one word: what verifiers commit to before anybody opens it.
    function answer(Opening memory o) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(o.units, o.place, o.unit, o.count, o.probeStep, o.probeDigest, o.endStep, o.endDigest)
            );
    }

    /// @notice The trace root that an opening belongs to.
    /// @param o What is opened.
    /// @param probe Place of the leaf that was drawn.
    /// @param paths What shows it.
    /// @return root The root; zero if the paths do not fit one tree.
    function rootOf(Opening memory o, uint256 probe, Paths memory paths) internal pure returns (bytes32 root) {
        if (o.count == 0 || o.place >= o.units || probe >= o.count) return 0;
        bytes32 top = _climb(leaf(o.unit, o.endStep, o.endDigest), o.count - 1, o.count, paths.end);
        if (top == 0 || top != _climb(leaf(o.unit, o.probeStep, o.probeDigest), probe, o.count, paths.probe)) return 0;
        top = keccak256(abi.encodePacked(TAG_UNIT, o.unit, o.count, top));
        top = _climb(top, o.place, o.units, paths.unit);
        return top == 0 ? bytes32(0) : keccak256(abi.encodePacked(TAG_TRACE, o.units, top));
    }

    /// @dev The top of the tree over `count` hashes of which `hash` is number `at`; zero if the path has another length.
    function _climb(bytes32 hash, uint256 at, uint256 count, bytes32[] memory path) private pure returns (bytes32) {
        if (path.length > 32 || count > 1 << path.length) return 0;
        if (path.length != 0 && count <= 1 << (path.length - 1)) return 0;
        for (uint256 i; i < path.length; (++i, at >>= 1)) {
            (bytes32 left, bytes32 right) = at & 1 == 0 ? (hash, path[i]) : (path[i], hash);
            hash = keccak256(abi.encodePacked(TAG_NODE, left, right));
        }
        return hash;
    }
}
