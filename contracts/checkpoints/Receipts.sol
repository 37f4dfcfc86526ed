// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who may vouch for a lease's checkpoints
/// @notice Rendezvous hashing, verifiable for one node without a look at the others. agent/node/replicas.ts is the same in
/// TypeScript.
library Receipts {
    /// @notice Holders of a lease, in the mean, for each receipt that its task asks for: so many that some of them answer,
    /// so few among many nodes that nobody finds friends there.
    uint256 internal constant HOLDER_FACTOR = 8;

    /// @notice Maximum number of receipts that a task may ask for, and that a checkpoint may carry.
    uint256 internal constant MOST = 4;

    /// @notice EIP-712 type of what a holder signs.
    bytes32 internal constant RECEIPT_TYPE = keccak256(
        "CheckpointReceipt(uint32 leaseId,uint24 fence,bytes32 digest,uint16 codec,uint40 progress,uint64 size,uint32 nodeId)"
    );

    /// @notice What is held: a checkpoint of a lease, as it is posted.
    struct Claim {
        uint32 leaseId;
        uint24 fence;
        bytes32 digest;
        uint16 codec;
        uint40 progress;
        uint64 size;
    }

    /// @notice EIP-712's hash of the struct that node `nodeId` signs.
    function hash(Claim memory claim, uint32 nodeId) internal pure returns (bytes32) {
        // A struct of static members is encoded as its members.
        return keccak256(abi.encode(RECEIPT_TYPE, claim, nodeId));
    }

    /// @notice A node's place among all nodes for a lease: 0 to 2^128 - 1, the lowest are asked first.
    function rank(uint32 leaseId, uint32 nodeId) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(leaseId, nodeId))) >> 128;
    }

    /// @notice Whether the node is among the about {HOLDER_FACTOR} x replicas of `active` nodes that may vouch.
    function isHolder(uint32 leaseId, uint32 nodeId, uint256 active, uint256 replicas) internal pure returns (bool) {
        return rank(leaseId, nodeId) * active < (HOLDER_FACTOR * replicas) << 128;
    }
}
