// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Units of a class that a round grants to a node, in one word: units << 72 | price << 32 | node id.
type Fill is uint256;

using {nodeId, price, units} for Fill global;

/// @dev Packs a fill.
/// @param granted Units, below 2^32.
/// @param unitPrice The node's ask for a unit, micro-VER.
/// @param node Id of the node.
function toFill(uint256 granted, uint256 unitPrice, uint32 node) pure returns (Fill) {
    return Fill.wrap((granted << 72) | (unitPrice << 32) | node);
}

/// @dev Id of the node.
function nodeId(Fill fill) pure returns (uint32) {
    return uint32(Fill.unwrap(fill));
}

/// @dev The node's ask for a unit, micro-VER.
function price(Fill fill) pure returns (uint40) {
    return uint40(Fill.unwrap(fill) >> 32);
}

/// @dev Units granted.
function units(Fill fill) pure returns (uint256) {
    return Fill.unwrap(fill) >> 72;
}
