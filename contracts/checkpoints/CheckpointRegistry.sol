// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS, CODEC_DAG_PB, CODEC_RAW} from "../governance/Units.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";

/// @title Registry of checkpoints
/// @notice See {ICheckpointRegistry}.
contract CheckpointRegistry is ICheckpointRegistry {
    /// @notice The leases that checkpoints renew.
    ILeaseRegistry public immutable LEASES;

    /// @dev The newest and the one before: by the parity of their sequence numbers, so that a checkpoint overwrites
    /// the one before last and costs two warm slots.
    mapping(uint32 leaseId => Checkpoint[2]) private _pairs;
    mapping(uint32 leaseId => uint32 sequence) private _sequences;

    constructor(ILeaseRegistry leases) {
        LEASES = leases;
    }

    /// @inheritdoc ICheckpointRegistry
    function post(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint40 progress, uint64 size) external {
        require(digest != bytes32(0), InvalidCheckpoint());
        require(codec == CODEC_RAW || codec == CODEC_DAG_PB, UnsupportedCodec(codec));
        uint256 most = LEASES.renew(leaseId, fence, msg.sender) * BASIS;
        require(progress <= most, ProgressTooHigh(leaseId, progress, uint40(most)));

        uint32 last = _sequences[leaseId];
        uint40 reached = _pairs[leaseId][last & 1].progress;
        require(progress > reached, ProgressNotGrowing(leaseId, progress, reached));
        uint32 sequence = last + 1;
        _sequences[leaseId] = sequence;
        _pairs[leaseId][sequence & 1] = Checkpoint(digest, codec, progress, size, uint40(block.timestamp), sequence);
        emit CheckpointPosted(leaseId, digest, codec, progress, size, sequence);
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
}
