// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IWorkShares} from "../core/interfaces/IWorkShares.sol";
import {Link} from "../types/Link.sol";

/// @title Registry of checkpoints
/// @notice Keeps the newest two checkpoints of each lease by digest. CID = CIDv1(codec, sha2-256, digest). A checkpoint
/// renews its lease: it is a busy node's sign of life. It counts only with receipts of other nodes that hold a verified
/// copy, as many as the task asks for (but never more than there are), so that it can be had when its node is down.
interface ICheckpointRegistry is IWorkShares {
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
        /// When it was recorded, seconds.
        uint40 at;
        /// 1 for a lease's first checkpoint.
        uint32 sequence;
        /// Progress that the lease began with, basis points of a unit: see {ILeaseRegistry.Headway}.
        uint32 startProgress;
        /// When the lease was granted, seconds.
        uint32 startedAt;
    }

    /// @notice What the operator of a lease's node posts: a checkpoint, and the fence under which it was made.
    struct Claim {
        /// Id of the lease.
        uint32 leaseId;
        /// Fence of the lease under which it was made.
        uint24 fence;
        /// sha2-256 digest of the CID.
        bytes32 digest;
        /// Multicodec of the CID: raw or dag-pb.
        uint16 codec;
        /// Work done, basis points of a unit, summed over the lease's units.
        uint40 progress;
        /// Size of all blocks, bytes.
        uint64 size;
    }

    /// @notice A node's word that it holds a verified copy: its operator's signature of the EIP-712 type
    /// CheckpointReceipt(uint32 leaseId,uint24 fence,bytes32 digest,uint16 codec,uint40 progress,uint64 size,uint32 nodeId)
    /// in the domain {name "DRMP", version "1", chainId, verifyingContract: this contract}. 65 bytes of ECDSA, or whatever
    /// an operator that is a contract accepts (ERC-1271).
    struct Receipt {
        /// Which of the lease's candidates the node is, see {holdersOf}.
        uint8 candidate;
        /// Signature of its operator.
        bytes signature;
    }

    /// @notice A node that may sign for a lease's checkpoints.
    struct Holder {
        /// Which of the lease's candidates it is.
        uint8 candidate;
        /// Id of the node.
        uint32 nodeId;
    }

    /// @notice A checkpoint of a task without audits was recorded.
    /// @param leaseId Id of the lease.
    /// @param digest sha2-256 digest of the CID.
    /// @param codec Multicodec of the CID: raw or dag-pb.
    /// @param progress Work done, basis points of a unit, summed over the lease's units.
    /// @param size Size of all blocks, bytes.
    /// @param sequence Number of the checkpoint, 1 for the lease's first.
    event CheckpointPosted(
        uint32 indexed leaseId,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        uint32 sequence
    );
    /// @notice A checkpoint of a task that asks for audits was recorded, and added to the chain of its lease's checkpoints, see {Link}.
    /// @param leaseId Id of the lease.
    /// @param digest sha2-256 digest of the CID.
    /// @param codec Multicodec of the CID: raw or dag-pb.
    /// @param progress Work done, basis points of a unit, summed over the lease's units.
    /// @param size Size of all blocks, bytes.
    /// @param sequence Number of the checkpoint, 1 for the lease's first.
    /// @param traceRoot Root over the states since the checkpoint before.
    event CheckpointTraced(
        uint32 indexed leaseId,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        uint32 sequence,
        bytes32 traceRoot
    );
    /// @notice An audit found the work after a checkpoint wrong: it is the newest again, or there is none.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint; 0: none is left.
    event CheckpointsRolledBack(uint32 indexed leaseId, uint32 sequence);
    /// @notice These nodes signed that they hold the checkpoint.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint.
    /// @param nodeIds The nodes, ascending.
    event CheckpointReplicated(uint32 indexed leaseId, uint32 sequence, uint32[] nodeIds);

    /// @notice The digest is zero.
    error InvalidCheckpoint();
    /// @notice Checkpoints of tasks that ask for audits have a trace root, see {postTraced}; those of others have none, see {post}.
    /// @param leaseId Id of the lease.
    /// @param audited Whether its task asks for audits.
    error WrongTrace(uint32 leaseId, bool audited);
    /// @notice A checkpoint must have got further than the one before.
    /// @param leaseId Id of the lease.
    /// @param given Progress that was given, basis points of a unit.
    /// @param current Progress of the checkpoint before, basis points of a unit.
    error ProgressNotGrowing(uint32 leaseId, uint40 given, uint40 current);
    /// @notice A lease's progress is at most 10,000 per unit.
    /// @param leaseId Id of the lease.
    /// @param given Progress that was given, basis points of a unit.
    /// @param most Maximum for the lease, basis points of a unit.
    error ProgressTooHigh(uint32 leaseId, uint40 given, uint40 most);

    /// @notice The checkpoint needs more receipts of other nodes that hold it.
    /// @param leaseId Id of the lease.
    /// @param given Receipts that were given.
    /// @param needed Receipts that are needed.
    error TooFewReceipts(uint32 leaseId, uint256 given, uint256 needed);
    /// @notice A checkpoint carries at most so many receipts.
    /// @param given Receipts that were given.
    /// @param most Maximum number of them.
    error TooManyReceipts(uint256 given, uint256 most);
    /// @notice Receipts come in ascending order of their candidates.
    /// @param candidate The one that does not come after the one before it.
    error ReceiptsOutOfOrder(uint8 candidate);
    /// @notice The candidate is no holder of the lease, or no longer: see {holdersOf}.
    /// @param leaseId Id of the lease.
    /// @param candidate Number of the candidate, from 0 on.
    error NotHolder(uint32 leaseId, uint8 candidate);
    /// @notice Not the signature of the node's operator for this very checkpoint, lease, fence, chain and contract.
    /// @param nodeId Id of the node.
    error InvalidReceipt(uint32 nodeId);

    /// @notice Records a checkpoint of a task without audits and renews the lease. The operator of the lease's node only, with the current
    /// fence.
    /// @param claim The checkpoint and the fence.
    /// @param receipts At least {receiptsNeeded} and at most 4, of different {holdersOf} the lease, in ascending order of their
    /// candidates. O(receipts); O(candidates), at most 64, where one comes late among them or there are fewer than the task
    /// asks for.
    function post(Claim calldata claim, Receipt[] calldata receipts) external;

    /// @notice Records a checkpoint of a task that asks for audits as {post} does, and adds it to the chain that audits go by.
    /// @param claim The checkpoint and the fence.
    /// @param traceRoot Root over the states since the checkpoint before, see {TraceTree}. Who has none cannot open it when it is
    /// drawn.
    /// @param receipts See {post}.
    function postTraced(Claim calldata claim, bytes32 traceRoot, Receipt[] calldata receipts) external;

    /// @notice Makes an earlier checkpoint of a lease its newest again; one that is as early is left as it is. What the lease had
    /// done counts for no pay from then on. Audits only.
    /// @param leaseId Id of the lease.
    /// @param link The checkpoint, as its chain has it; all zero: none is left.
    function rollBack(uint32 leaseId, Link calldata link) external;

    /// @notice Head of the chain of a lease's checkpoints, see {Link}; 0 if none was posted with a trace root.
    /// @param leaseId Id of the lease.
    function headOf(uint32 leaseId) external view returns (bytes32);

    /// @notice Whether two checkpoints of a lease follow one another in its chain. O(checkpoints after them).
    /// @param leaseId Id of the lease.
    /// @param head Head of the chain before the first of them; 0 if there is none.
    /// @param before The first of them; all zero if `end` is the lease's first checkpoint.
    /// @param end The second.
    /// @param later Hashes of the links after it, oldest first.
    function isPosted(
        uint32 leaseId,
        bytes32 head,
        Link calldata before,
        Link calldata end,
        bytes32[] calldata later
    ) external view returns (bool);

    /// @notice How many receipts a checkpoint of this lease needs now: the task's replicas, but no more than it has holders.
    /// @param leaseId Id of the lease.
    function receiptsNeeded(uint32 leaseId) external view returns (uint256);

    /// @notice The nodes that may sign for a lease's checkpoints now, in the order in which they are asked: two more than the
    /// receipts that its task asks for; or the first `most` that may or come next, if it is not 0. Candidate k of a lease is the position
    /// word >> 128, modulo the positions of the holder pool at the freeze that the lease was granted by, where word is
    /// uint256(keccak256(abi.encodePacked(uint64 salt, uint32 taskId, uint24 start, uint8 k))). It counts if {IHolderPool.drawn}
    /// takes its node with the chance uint128(word), the node is not silent, and it has another owner than the lease's node.
    /// Holders are the first that count, each node once. All that decides who comes first was fixed before anybody knew the
    /// seed. O(candidates), at most 64; fewer are returned if these hold no more.
    /// @param leaseId Id of the lease.
    /// @param most Maximum number of them; 0: two more than the receipts that its task asks for.
    function holdersOf(uint32 leaseId, uint256 most) external view returns (Holder[] memory holders);

    /// @notice What node `nodeId`'s operator signs for a checkpoint.
    /// @param claim The checkpoint and the fence.
    /// @param nodeId Node that holds it.
    function receiptDigest(Claim calldata claim, uint32 nodeId) external view returns (bytes32);

    /// @notice The newest checkpoint of a lease and the one before it (sequence 0: there is none).
    /// @param leaseId Id of the lease.
    /// @return newest The newest.
    /// @return previous The one before it.
    function newestOf(uint32 leaseId) external view returns (Checkpoint memory newest, Checkpoint memory previous);

    /// @notice The newest checkpoint of each of these leases. O(n).
    /// @param leaseIds Ids of the leases.
    function newestOfMany(uint32[] calldata leaseIds) external view returns (Checkpoint[] memory);
}
