// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A checkpoint as the chain of its lease's checkpoints holds it: the end of a segment, and the beginning of the next.
/// @dev A lease keeps one word of it all, its head: head = keccak256(head before ‖ hash of the link), 0 before the first. Who
/// gives the links from one of them up to the head has shown that this very checkpoint was posted, and when.
struct Link {
    /// Number of the checkpoint, 1 for the lease's first.
    uint32 sequence;
    /// sha2-256 digest of the checkpoint's CID.
    bytes32 digest;
    /// Root over the states between the checkpoint before and this one, see {TraceTree}.
    bytes32 traceRoot;
    /// Work done, basis points of a unit, summed over the lease's units.
    uint40 progress;
    /// When it was posted, seconds.
    uint40 at;
    /// Multicodec of the CID: raw or dag-pb.
    uint16 codec;
    /// Size of all blocks, bytes.
    uint64 size;
}

using {hash, headAfter} for Link global;

/// @dev keccak256 of its seven members, each as a word.
function hash(Link memory link) pure returns (bytes32) {
    return keccak256(abi.encode(link));
}

/// @dev The head of a lease's checkpoints once this one is posted.
function headAfter(Link memory link, bytes32 head) pure returns (bytes32) {
    return joined(head, link.hash());
}

/// @dev The head after a link of which only the hash is known.
function joined(bytes32 head, bytes32 linkHash) pure returns (bytes32) {
    return keccak256(abi.encodePacked(head, linkHash));
}
