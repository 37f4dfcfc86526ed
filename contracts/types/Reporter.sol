// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Who reports for a node, and within which bounds, in one word, so that judging a report reads one slot:
/// capacity << 232 | registeredAt << 200 | powerMax << 168 | keyNumber << 160 | operator.
type Reporter is uint256;

using {
    operator,
    keyNumber,
    powerMax,
    registeredAt,
    capacity,
    withOperator,
    withNextKey,
    withPowerMax,
    withCapacity
} for Reporter global;

/// @dev A node that is registered now; its other fields are zero.
/// @param timestamp Time of the block, seconds; 32 bits reach until 2106.
function newReporter(uint256 timestamp) pure returns (Reporter) {
    return Reporter.wrap(uint256(uint32(timestamp)) << 200);
}

/// @dev Key of the node's agent.
function operator(Reporter reporter) pure returns (address) {
    return address(uint160(Reporter.unwrap(reporter)));
}

/// @dev How often the operator key was changed: the highest 8 bits of its reports' sequences.
function keyNumber(Reporter reporter) pure returns (uint8) {
    return uint8(Reporter.unwrap(reporter) >> 160);
}

/// @dev Maximum power that the machine can draw, watts.
function powerMax(Reporter reporter) pure returns (uint32) {
    return uint32(Reporter.unwrap(reporter) >> 168);
}

/// @dev When it was registered, seconds.
function registeredAt(Reporter reporter) pure returns (uint32) {
    return uint32(Reporter.unwrap(reporter) >> 200);
}

/// @dev Units that the node can hold at once; 0 if it is not in the market.
function capacity(Reporter reporter) pure returns (uint24) {
    return uint24(Reporter.unwrap(reporter) >> 232);
}

/// @dev The same with another key.
function withOperator(Reporter reporter, address key) pure returns (Reporter) {
    return Reporter.wrap(((Reporter.unwrap(reporter) >> 160) << 160) | uint160(key));
}

/// @dev The same with the next key number, which must be below 256.
function withNextKey(Reporter reporter) pure returns (Reporter) {
    return Reporter.wrap(Reporter.unwrap(reporter) + (1 << 160));
}

/// @dev The same with another maximum power, watts.
function withPowerMax(Reporter reporter, uint32 watts) pure returns (Reporter) {
    uint256 rest = Reporter.unwrap(reporter) & ~(uint256(type(uint32).max) << 168);
    return Reporter.wrap(rest | (uint256(watts) << 168));
}

/// @dev The same with another capacity, units.
function withCapacity(Reporter reporter, uint24 units) pure returns (Reporter) {
    return Reporter.wrap(((Reporter.unwrap(reporter) << 24) >> 24) | (uint256(units) << 232));
}
