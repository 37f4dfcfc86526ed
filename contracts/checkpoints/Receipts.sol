// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What holders of a checkpoint sign
library Receipts {
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
}
