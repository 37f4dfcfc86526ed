// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW} from "../governance/Units.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ISupply} from "../interfaces/ISupply.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {Receipts} from "./Receipts.sol";

/// @title Registry of checkpoints
/// @notice See {ICheckpointRegistry}.
contract CheckpointRegistry is ICheckpointRegistry, EIP712 {
    using Receipts for Receipts.Holding;

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
        Receipts.Holding memory holding = Receipts.Holding(leaseId, fence, digest, codec, progress, size);
        (uint32 taskId, uint32 nodeId, uint24 count) = LEASES.renew(leaseId, fence, msg.sender);
        uint32 sequence = _record(holding, count);
        // After all is written: an operator that is a contract is asked for its signature.
        _check(holding, nodeId, TASKS.replicasOf(taskId), receipts);
        if (receipts.length != 0) emit CheckpointHeld(leaseId, sequence, _holders(receipts));
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
    function holdingDigest(
        uint32 leaseId,
        uint24 fence,
        bytes32 digest,
        uint16 codec,
        uint40 progress,
        uint64 size,
        uint32 nodeId
    ) external view returns (bytes32) {
        return _hashTypedDataV4(Receipts.Holding(leaseId, fence, digest, codec, progress, size).hash(nodeId));
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

    /// @dev Overwrites the checkpoint before last.
    function _record(Receipts.Holding memory h, uint256 count) private returns (uint32 sequence) {
        require(h.progress <= count * BASIS, ProgressTooHigh(h.leaseId, h.progress, uint40(count * BASIS)));
        uint32 last = _sequences[h.leaseId];
        uint40 reached = _pairs[h.leaseId][last & 1].progress;
        require(h.progress > reached, ProgressNotGrowing(h.leaseId, h.progress, reached));
        sequence = last + 1;
        _sequences[h.leaseId] = sequence;
        _pairs[h.leaseId][sequence & 1] = Checkpoint(
            h.digest,
            h.codec,
            h.progress,
            h.size,
            uint40(block.timestamp),
            sequence
        );
        emit CheckpointPosted(h.leaseId, h.digest, h.codec, h.progress, h.size, sequence);
    }

    /// @dev Enough receipts, each of another active node that is a holder of the lease. O(receipts).
    function _check(
        Receipts.Holding memory holding,
        uint32 producer,
        uint256 replicas,
        Receipt[] calldata receipts
    ) private view {
        if (replicas == 0 && receipts.length == 0) return;
        uint256 active = SUPPLY.activeNodes();
        uint256 needed = _needed(replicas, active);
        require(receipts.length >= needed, TooFewReceipts(holding.leaseId, receipts.length, needed));
        require(receipts.length <= Receipts.MOST, TooManyReceipts(receipts.length, Receipts.MOST));
        uint32 last;
        for (uint256 i; i < receipts.length; ++i) {
            uint32 nodeId = receipts[i].nodeId;
            require(nodeId > last, ReceiptsOutOfOrder(nodeId));
            last = nodeId;
            require(nodeId != producer, ReceiptOfProducer(nodeId));
            require(SUPPLY.stateOf(nodeId).status == ISupply.NodeStatus.Active, HolderNotActive(nodeId));
            require(Receipts.isHolder(holding.leaseId, nodeId, active, replicas), NotHolder(holding.leaseId, nodeId));
            (, address operator) = NODES.keysOf(nodeId);
            require(
                SignatureChecker.isValidSignatureNowCalldata(
                    operator,
                    _hashTypedDataV4(holding.hash(nodeId)),
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
