// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../interfaces/ITelemetry.sol";
import {PackedReport} from "./ReportCodec.sol";

/// @title What is known of a node by its reports, in one slot
/// @dev Packed by hand: the compiler would read and mask the slot once for each field.
library ReportStates {
    /// @dev What is prepaid, whether the node is throttled, and whether it is ineligible.
    uint256 private constant KEPT = (uint256(type(uint40).max) << 184) | (1 << 224) | (1 << 227);

    /// @notice The state as one word.
    function pack(ITelemetry.ReportState memory s) internal pure returns (uint256 word) {
        word = uint256(s.sequence) | (uint256(s.at) << 32) | (uint256(s.load) << 64) | (uint256(s.latency) << 80);
        word |= (uint256(s.watts) << 96) | (uint256(s.previousWatts) << 128) | (uint256(s.capacity) << 160);
        word |= (uint256(s.prepaid) << 184) | (uint256(s.feeMicroVer) << 208);
        if (s.throttled) word |= 1 << 224;
        if (s.counted) word |= 1 << 225;
        if (s.renewable) word |= 1 << 226;
        if (s.ineligible) word |= 1 << 227;
    }

    /// @notice The inverse of {pack}.
    function unpack(uint256 word) internal pure returns (ITelemetry.ReportState memory s) {
        s.sequence = uint32(word);
        s.at = uint32(word >> 32);
        s.load = uint16(word >> 64);
        s.latency = uint16(word >> 80);
        s.watts = uint32(word >> 96);
        s.previousWatts = uint32(word >> 128);
        s.capacity = uint24(word >> 160);
        s.prepaid = uint24(word >> 184);
        s.feeMicroVer = uint16(word >> 208);
        s.throttled = (word >> 224) & 1 != 0;
        s.counted = (word >> 225) & 1 != 0;
        s.renewable = (word >> 226) & 1 != 0;
        s.ineligible = (word >> 227) & 1 != 0;
    }

    /// @notice The state after a report: sequence, times and values are new, what was prepaid stays.
    /// @param capacity Units of the node now.
    function next(uint256 word, PackedReport report, uint256 capacity) internal view returns (uint256 result) {
        result = report.sequence() | (uint256(uint32(block.timestamp)) << 32);
        result |= (uint256(report.load()) << 64) | (uint256(report.latency()) << 80);
        result |= (uint256(report.watts()) << 96) | (wattsOf(word) << 128) | (capacity << 160);
        result |= (1 << 225) | (word & KEPT);
        if (report.renewable()) result |= 1 << 226;
    }

    /// @notice The state with one prepaid report less; there must be one.
    function lessPrepaid(uint256 word) internal pure returns (uint256) {
        unchecked {
            return word - (1 << 184);
        }
    }

    /// @notice The state of a node that is kept out of new work, or is not.
    function withIneligible(uint256 word, bool ineligible) internal pure returns (uint256) {
        return ineligible ? word | (1 << 227) : word & ~uint256(1 << 227);
    }

    /// @notice See {ITelemetry.ReportState}, field by field.
    function sequenceOf(uint256 word) internal pure returns (uint256) {
        return uint32(word);
    }

    function atOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 32);
    }

    function loadOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 64);
    }

    function latencyOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 80);
    }

    function wattsOf(uint256 word) internal pure returns (uint256) {
        return uint32(word >> 96);
    }

    function capacityOf(uint256 word) internal pure returns (uint256) {
        return uint24(word >> 160);
    }

    function prepaidOf(uint256 word) internal pure returns (uint256) {
        return uint24(word >> 184);
    }

    function feeOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 208);
    }

    function isThrottled(uint256 word) internal pure returns (bool) {
        return word & (1 << 224) != 0;
    }

    function isCounted(uint256 word) internal pure returns (bool) {
        return word & (1 << 225) != 0;
    }

    function isRenewable(uint256 word) internal pure returns (bool) {
        return word & (1 << 226) != 0;
    }

    function isIneligible(uint256 word) internal pure returns (bool) {
        return word & (1 << 227) != 0;
    }
}
