// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Registry of checkpoints
/// @notice Keeps the newest two checkpoints of each lease by digest. CID = CIDv1(codec, sha2-256, digest). A checkpoint
/// renews its lease: it is a busy node's sign of life.
interface ICheckpointRegistry {
    /// @notice One checkpoint of a lease.
    struct Checkpoint {
        /// sha2-256 digest of the CID.
        bytes32 digest;
        /// Multicodec of the CID: raw or dag-pb.
        uint16 codec;
        /// Work done, in basis points of a unit, summed over the lease's units: grows with every checkpoint, at most count x 10,000.
        uint40 progress;
        /// Size of all blocks, bytes.
        uint64 size;
        /// Time of the block that recorded it.
        uint40 at;
        /// 1 for a lease's first checkpoint.
        uint32 sequence;
    }

    event CheckpointPosted(
        uint32 indexed leaseId,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        uint32 sequence
    );

    error UnsupportedCodec(uint16 codec);
    error InvalidCheckpoint();
    /// @notice A checkpoint must have got further than the one before.
    error ProgressNotGrowing(uint32 leaseId, uint40 given, uint40 current);
    /// @notice A lease's progress is at most 10,000 per unit.
    error ProgressTooHigh(uint32 leaseId, uint40 given, uint40 most);

    /// @notice Records a checkpoint and renews the lease. The operator of the lease's node only, with the current fence.
    function post(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint40 progress, uint64 size) external;

    /// @notice The newest checkpoint of a lease and the one before it (sequence 0: there is none).
    function newestOf(uint32 leaseId) external view returns (Checkpoint memory newest, Checkpoint memory previous);

    /// @notice The newest checkpoint of each of these leases. O(n).
    function newestOfMany(uint32[] calldata leaseIds) external view returns (Checkpoint[] memory);
}
