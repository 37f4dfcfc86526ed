// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS} from "../types/Units.sol";

/// @title What is drawn from the seed of an epoch of audits
/// @notice All draws of a segment follow from its salt, keccak256(bytes32 seed ‖ uint32 lease ‖ uint32 sequence).
/// packages/protocol/audits/draws.ts is the same in TypeScript; test/vectors/audits.json holds both to the same values.
library AuditDraw {
    uint8 private constant TAG_CANDIDATE = 1;
    uint8 private constant TAG_UNIT = 2;
    uint8 private constant TAG_PROBE = 3;

    /// @notice Question number of the first round of a panel; lower ones are those of the single verifiers.
    uint16 internal constant PANEL = 256;

    /// @notice Members of a round of a panel.
    uint256 internal constant MEMBERS = 5;
    /// @notice Candidates that are looked at for an audit and its panel, at most.
    uint16 internal constant CANDIDATES = 4_096;
    /// @notice Candidates that are looked at for one that may verify, at most.
    uint16 internal constant LOOKS = 128;

    /// @notice The salt of a segment.
    function salt(bytes32 seed, uint32 leaseId, uint32 sequence) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(seed, leaseId, sequence));
    }

    /// @notice Whether a segment is audited.
    /// @param chance Probability, basis points.
    function isDrawn(bytes32 salt_, uint256 chance) internal pure returns (bool) {
        return (uint256(salt_) >> 128) * BASIS < chance << 128;
    }

    /// @notice Candidate `k` for the verification of a segment.
    /// @param positions Positions of the holder pool when the epoch was opened.
    /// @return position Its position in the pool.
    /// @return chance Random number by which it is accepted, 0 to 2^128 - 1.
    function candidate(
        bytes32 salt_,
        uint32 positions,
        uint16 k
    ) internal pure returns (uint32 position, uint256 chance) {
        uint256 word = _word(salt_, TAG_CANDIDATE, k);
        return (uint32((word >> 128) % positions), uint128(word));
    }

    /// @notice Which of the units whose state changed in the segment is verified.
    /// @param units Their number, at least 1.
    function unitAt(bytes32 salt_, uint32 units) internal pure returns (uint32) {
        return uint32(_word(salt_, TAG_UNIT, 0) % units);
    }

    /// @notice Which leaf of the unit is asked for: one of the last quarter of those before the end, so that who knows it has
    /// done at least three quarters of the work. The end itself if there is no other.
    /// @param question Number of the question: each has a leaf of its own.
    /// @param count Leaves of the unit, at least 1.
    function probeAt(bytes32 salt_, uint16 question, uint32 count) internal pure returns (uint32) {
        if (count == 1) return 0;
        uint256 late = (uint256(count) + 2) / 4;
        return uint32(count - 2 - (_word(salt_, TAG_PROBE, question) % late));
    }

    function _word(bytes32 salt_, uint8 tag, uint16 number) private pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(salt_, tag, number)));
    }
}
