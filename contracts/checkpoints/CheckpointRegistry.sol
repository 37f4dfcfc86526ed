// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW} from "../types/Units.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {Receipts} from "./Receipts.sol";

/// @title Registry of checkpoints
/// @notice See {ICheckpointRegistry}.
contract CheckpointRegistry is ICheckpointRegistry, EIP712 {
    using Receipts for Receipts.Claim;

    /// @dev Work on a range under one of its leases: progress as far as the range is concerned, basis points of a unit, and
    /// time, seconds.
    struct Work {
        uint32 leaseId;
        uint32 nodeId;
        uint40 price;
        uint256 progress;
        uint256 time;
    }

    /// @notice The leases that checkpoints renew.
    ILeaseRegistry public immutable LEASES;
    /// @notice Says how many receipts a task asks for.
    ITaskRegistry public immutable TASKS;
    /// @notice Says with which key nodes sign them.
    INodeRegistry public immutable NODES;
    /// @notice Says which nodes are active.
    ISupply public immutable SUPPLY;

    /// @dev The newest and the one before: by the parity of their sequence numbers, so that a checkpoint overwrites
    /// the one before last and costs two warm slots.
    mapping(uint32 leaseId => Checkpoint[2]) private _pairs;
    mapping(uint32 leaseId => uint32 sequence) private _sequences;

    constructor(ILeaseRegistry leases, ITaskRegistry tasks, INodeRegistry nodes, ISupply supply) EIP712("DRMP", "1") {
        LEASES = leases;
        TASKS = tasks;
        NODES = nodes;
        SUPPLY = supply;
    }

    /// @inheritdoc ICheckpointRegistry
    function post(
        uint32 leaseId,
        uint24 fence,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        Receipt[] calldata receipts
    ) external {
        require(digest != bytes32(0), InvalidCheckpoint());
        require(codec == CODEC_RAW || codec == CODEC_DAG_PB, UnsupportedCodec(codec));
        Receipts.Claim memory claim = Receipts.Claim(leaseId, fence, digest, codec, progress, size);
        (uint32 taskId, uint32 nodeId, uint32 sequence) = _record(claim);
        // After all is written: an operator that is a contract is asked for its signature.
        _check(claim, nodeId, TASKS.replicasOf(taskId), receipts);
        if (receipts.length != 0) emit CheckpointReplicated(leaseId, sequence, _holders(receipts));
    }

    /// @inheritdoc ICheckpointRegistry
    function receiptsNeeded(uint32 leaseId) external view returns (uint256) {
        return _needed(TASKS.replicasOf(LEASES.lease(leaseId).taskId), SUPPLY.activeNodes());
    }

    /// @inheritdoc ICheckpointRegistry
    function isHolder(uint32 leaseId, uint32 nodeId) external view returns (bool) {
        uint256 replicas = TASKS.replicasOf(LEASES.lease(leaseId).taskId);
        return Receipts.isHolder(leaseId, nodeId, SUPPLY.activeNodes(), replicas);
    }

    /// @inheritdoc ICheckpointRegistry
    function receiptDigest(
        uint32 leaseId,
        uint24 fence,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        uint32 nodeId
    ) external view returns (bytes32) {
        return _hashTypedDataV4(Receipts.Claim(leaseId, fence, digest, codec, progress, size).hash(nodeId));
    }

    /// @inheritdoc ICheckpointRegistry
    function sharesOf(uint32 leaseId) external view returns (Share[] memory shares) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        (Work[] memory line, uint256 time) = _lineOf(lease);
        time += _timeOf(leaseId);
        (, uint256 longest) = TASKS.paceOf(lease.taskId);
        if (time > longest) time = longest;

        shares = new Share[](line.length);
        (uint256 paid, uint256 count) = (0, 0);
        for (uint256 i = line.length; i != 0;) {
            Work memory w = line[--i];
            // What is over for one is for the next: an early claim keeps nobody from being paid for work that came later.
            uint256 work = Math.saturatingSub(w.progress, paid);
            if (time != 0) work = Math.min(work, (lease.count * BASIS * w.time) / time);
            if (work == 0) continue;
            paid += work;
            shares[count++] = Share(w.leaseId, w.nodeId, w.price, work);
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(shares, count)
        }
    }

    /// @inheritdoc ICheckpointRegistry
    function newestOf(uint32 leaseId) external view returns (Checkpoint memory, Checkpoint memory) {
        uint32 last = _sequences[leaseId];
        return (_pairs[leaseId][last & 1], _pairs[leaseId][(last + 1) & 1]);
    }

    /// @inheritdoc ICheckpointRegistry
    function newestOfMany(uint32[] calldata leaseIds) external view returns (Checkpoint[] memory newest) {
        newest = new Checkpoint[](leaseIds.length);
        for (uint256 i; i < leaseIds.length; ++i) {
            newest[i] = _pairs[leaseIds[i]][_sequences[leaseIds[i]] & 1];
        }
    }

    /// @dev Renews the lease and overwrites the checkpoint before last.
    function _record(Receipts.Claim memory h) private returns (uint32 taskId, uint32 nodeId, uint32 sequence) {
        uint32 last = _sequences[h.leaseId];
        Checkpoint storage newest = _pairs[h.leaseId][last & 1];
        uint40 reached = newest.progress;
        ILeaseRegistry.Headway memory headway = ILeaseRegistry.Headway(
            h.progress,
            newest.startProgress,
            newest.startedAt
        );
        uint256 count;
        (taskId, nodeId, count, headway) = LEASES.renew(h.leaseId, h.fence, msg.sender, headway);
        require(h.progress <= count * BASIS, ProgressTooHigh(h.leaseId, h.progress, uint40(count * BASIS)));
        require(h.progress > reached, ProgressNotGrowing(h.leaseId, h.progress, reached));
        sequence = last + 1;
        _sequences[h.leaseId] = sequence;
        _pairs[h.leaseId][sequence & 1] = Checkpoint(
            h.digest,
            h.codec,
            h.progress,
            h.size,
            uint40(block.timestamp),
            sequence,
            headway.startProgress,
            headway.startedAt
        );
        emit CheckpointPosted(h.leaseId, h.digest, h.codec, h.progress, h.size, sequence);
    }

    /// @dev The leases before a lease of the same range that have a checkpoint, newest first, and the sum of their times. A
    /// part of a range has its part of the progress.
    function _lineOf(ILeaseRegistry.Lease memory lease) private view returns (Work[] memory line, uint256 time) {
        // The fence counts the leases of a range.
        line = new Work[](lease.fence);
        uint256 units = lease.count;
        uint256 count;
        for (uint32 id = lease.parent; id != 0; id = lease.parent) {
            lease = LEASES.lease(id);
            uint32 last = _sequences[id];
            if (last == 0) continue;
            Checkpoint storage newest = _pairs[id][last & 1];
            Work memory w = Work({
                leaseId: id,
                nodeId: lease.nodeId,
                price: lease.price,
                progress: (newest.progress * units) / lease.count,
                time: newest.at - newest.startedAt
            });
            time += w.time;
            line[count++] = w;
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(line, count)
        }
    }

    /// @dev Time from the grant of a delivered lease to its delivery, seconds.
    function _timeOf(uint32 leaseId) private view returns (uint256) {
        ILeaseRegistry.Result memory result = LEASES.result(leaseId);
        uint32 last = _sequences[leaseId];
        return result.deliveredAt - (last == 0 ? result.renewedAt : _pairs[leaseId][last & 1].startedAt);
    }

    /// @dev Enough receipts, each of another active node that is a holder of the lease. O(receipts).
    function _check(
        Receipts.Claim memory claim,
        uint32 producer,
        uint256 replicas,
        Receipt[] calldata receipts
    ) private view {
        if (replicas == 0 && receipts.length == 0) return;
        uint256 active = SUPPLY.activeNodes();
        uint256 needed = _needed(replicas, active);
        require(receipts.length >= needed, TooFewReceipts(claim.leaseId, receipts.length, needed));
        require(receipts.length <= Receipts.MOST, TooManyReceipts(receipts.length, Receipts.MOST));
        uint32 last;
        for (uint256 i; i < receipts.length; ++i) {
            uint32 nodeId = receipts[i].nodeId;
            require(nodeId > last, ReceiptsOutOfOrder(nodeId));
            last = nodeId;
            require(nodeId != producer, ReceiptOfProducer(nodeId));
            require(SUPPLY.stateOf(nodeId).status == ISupply.NodeStatus.Active, HolderNotActive(nodeId));
            require(Receipts.isHolder(claim.leaseId, nodeId, active, replicas), NotHolder(claim.leaseId, nodeId));
            (, address operator) = NODES.keysOf(nodeId);
            require(
                SignatureChecker.isValidSignatureNowCalldata(
                    operator,
                    _hashTypedDataV4(claim.hash(nodeId)),
                    receipts[i].signature
                ),
                InvalidReceipt(nodeId)
            );
        }
    }

    /// @dev As many as the task asks for, as far as there are nodes beside the producer.
    function _needed(uint256 replicas, uint256 active) private pure returns (uint256) {
        return Math.min(replicas, Math.saturatingSub(active, 1));
    }

    function _holders(Receipt[] calldata receipts) private pure returns (uint32[] memory nodeIds) {
        nodeIds = new uint32[](receipts.length);
        for (uint256 i; i < receipts.length; ++i) nodeIds[i] = receipts[i].nodeId;
    }
}
