// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Where draws find nodes: arrays of nodes by class and order of magnitude of their capacity
/// @notice A node of bucket b (its capacity is 2^(b-1) to 2^b - 1 units) owns 2^b *slots* of its class, more than it can ever
/// have free units. A slot drawn uniformly belongs to a node with a free unit under it with probability free / slots: so
/// uniform slots and rejection give each free unit the same chance, at a cost that does not grow with the nodes, and nothing
/// has to be written when units are leased or freed. packages/protocol/vrf/reassignment.ts is the same in TypeScript.
library NodePool {
    /// @notice Highest bucket: capacities fit 24 bits.
    uint256 internal constant BUCKETS = 24;

    uint256 private constant MASK32 = type(uint32).max;

    /// @dev One slot.
    struct Place {
        uint8 classId;
        /// 0: nowhere.
        uint8 bucket;
        uint32 position;
    }

    struct Pool {
        /// Slots of a class's nodes together: 2^32 nodes of 2^24 slots at most.
        mapping(uint8 classId => uint256) slots;
        /// Lengths of the arrays, eight buckets to a word. Key: class << 8 | bucket / 8.
        mapping(uint256 key => uint256 word) lengths;
        /// The arrays, eight node ids to a word. Key: class << 40 | bucket << 32 | position / 8.
        mapping(uint256 key => uint256 word) nodes;
        mapping(uint32 nodeId => Place) places;
    }

    /// @notice Puts a node into a bucket's array (0: into none), having taken it out of where it was. O(1).
    function place(Pool storage pool, uint32 nodeId, uint8 classId, uint8 bucket) internal {
        Place memory old = pool.places[nodeId];
        if (old.bucket != 0) _remove(pool, old);
        if (bucket == 0) {
            delete pool.places[nodeId];
            return;
        }
        uint32 length = lengthOf(pool, classId, bucket);
        _set(pool, classId, bucket, length, nodeId);
        _setLength(pool, classId, bucket, length + 1);
        pool.slots[classId] += 1 << bucket;
        pool.places[nodeId] = Place(classId, bucket, length);
    }

    /// @notice The node that owns slot `at` of a class, and which of its own slots it is. O(buckets).
    /// @param at Below the class's number of slots.
    function ownerOf(Pool storage pool, uint8 classId, uint256 at) internal view returns (uint32 nodeId, uint256 slot) {
        uint256 word;
        for (uint256 bucket; bucket <= BUCKETS; ++bucket) {
            if (bucket & 7 == 0) word = pool.lengths[_lengthKey(classId, bucket)];
            uint256 slots = ((word >> ((bucket & 7) << 5)) & MASK32) << bucket;
            if (at < slots) return (nodeAt(pool, classId, bucket, at >> bucket), at & ((1 << bucket) - 1));
            at -= slots;
        }
        // Not reached: the slots of a class are those of its buckets.
        assert(false);
    }

    function nodeAt(
        Pool storage pool,
        uint256 classId,
        uint256 bucket,
        uint256 position
    ) internal view returns (uint32) {
        return uint32(pool.nodes[_nodeKey(classId, bucket, position)] >> ((position & 7) << 5));
    }

    function lengthOf(Pool storage pool, uint256 classId, uint256 bucket) internal view returns (uint32) {
        return uint32(pool.lengths[_lengthKey(classId, bucket)] >> ((bucket & 7) << 5));
    }

    /// @dev The last of the array takes the place that becomes free.
    function _remove(Pool storage pool, Place memory old) private {
        uint32 last = lengthOf(pool, old.classId, old.bucket) - 1;
        if (last != old.position) {
            uint32 moved = nodeAt(pool, old.classId, old.bucket, last);
            _set(pool, old.classId, old.bucket, old.position, moved);
            pool.places[moved].position = old.position;
        }
        _setLength(pool, old.classId, old.bucket, last);
        pool.slots[old.classId] -= 1 << old.bucket;
    }

    function _set(Pool storage pool, uint256 classId, uint256 bucket, uint256 position, uint32 nodeId) private {
        uint256 key = _nodeKey(classId, bucket, position);
        uint256 shift = (position & 7) << 5;
        pool.nodes[key] = (pool.nodes[key] & ~(MASK32 << shift)) | (uint256(nodeId) << shift);
    }

    function _setLength(Pool storage pool, uint256 classId, uint256 bucket, uint256 length) private {
        uint256 key = _lengthKey(classId, bucket);
        uint256 shift = (bucket & 7) << 5;
        pool.lengths[key] = (pool.lengths[key] & ~(MASK32 << shift)) | (length << shift);
    }

    function _lengthKey(uint256 classId, uint256 bucket) private pure returns (uint256) {
        return (classId << 8) | (bucket >> 3);
    }

    function _nodeKey(uint256 classId, uint256 bucket, uint256 position) private pure returns (uint256) {
        return (classId << 40) | (bucket << 32) | (position >> 3);
    }
}
