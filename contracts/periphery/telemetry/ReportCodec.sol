// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../interfaces/ITelemetry.sol";

/// @dev The fields of a report, packed big-endian into the highest 17 bytes of a word, the others zero.
type PackedReport is uint256;

using {nodeId, sequence, load, latency, watts, renewable} for PackedReport global;

/// @dev Id of the node.
function nodeId(PackedReport report) pure returns (uint32) {
    return uint32(PackedReport.unwrap(report) >> 224);
}

/// @dev Number of the report.
function sequence(PackedReport report) pure returns (uint32) {
    return uint32(PackedReport.unwrap(report) >> 192);
}

/// @dev Share of the machine in use, basis points.
function load(PackedReport report) pure returns (uint16) {
    return uint16(PackedReport.unwrap(report) >> 176);
}

/// @dev Round-trip time to its peers, milliseconds.
function latency(PackedReport report) pure returns (uint16) {
    return uint16(PackedReport.unwrap(report) >> 160);
}

/// @dev Average power since the report before, watts.
function watts(PackedReport report) pure returns (uint32) {
    return uint32(PackedReport.unwrap(report) >> 128);
}

/// @dev Whether all of that power was renewable.
function renewable(PackedReport report) pure returns (bool) {
    return uint8(PackedReport.unwrap(report) >> 120) != 0;
}

/// @title How reports are packed in calldata and hashed for signing
library ReportCodec {
    /// @notice Bytes of a report's fields, and with its signature.
    uint256 internal constant HEAD = 17;
    uint256 internal constant LENGTH = 81;

    bytes32 private constant REPORT_TYPE = keccak256(
        "Report(uint32 nodeId,uint32 sequence,uint16 load,uint16 latency,uint32 watts,bool renewable)"
    );

    /// @notice How many reports a batch has, each of {LENGTH} bytes.
    function count(bytes calldata packed) internal pure returns (uint256 reports) {
        reports = packed.length / LENGTH;
        require(packed.length == reports * LENGTH, ITelemetry.MalformedBatch(reports * LENGTH));
    }

    /// @notice Report `i` of a batch that has it.
    function at(bytes calldata packed, uint256 i) internal pure returns (PackedReport report) {
        assembly ("memory-safe") {
            let unused := sub(256, mul(8, 17))
            report := shl(unused, shr(unused, calldataload(add(packed.offset, mul(i, 81)))))
        }
    }

    /// @notice Signature of report `i` of a batch that has it: ERC-2098's r, then s with the parity in its highest bit.
    function signature(bytes calldata packed, uint256 i) internal pure returns (bytes32 r, bytes32 vs) {
        assembly ("memory-safe") {
            let from := add(add(packed.offset, mul(i, 81)), 17)
            r := calldataload(from)
            vs := calldataload(add(from, 32))
        }
    }

    /// @notice What the operator signs: EIP-712's digest of the report.
    /// @param domain EIP-712's hash of the domain.
    /// @dev In free memory that is not taken, so that a batch needs no more than a report.
    function digest(PackedReport report, bytes32 domain) internal pure returns (bytes32 result) {
        bytes32 typeHash = REPORT_TYPE;
        assembly ("memory-safe") {
            let at_ := mload(0x40)
            mstore(at_, typeHash)
            mstore(add(at_, 0x20), shr(224, report))
            mstore(add(at_, 0x40), and(shr(192, report), 0xffffffff))
            mstore(add(at_, 0x60), and(shr(176, report), 0xffff))
            mstore(add(at_, 0x80), and(shr(160, report), 0xffff))
            mstore(add(at_, 0xa0), and(shr(128, report), 0xffffffff))
            mstore(add(at_, 0xc0), iszero(iszero(and(shr(120, report), 0xff))))
            let hash_ := keccak256(at_, 0xe0)
            mstore(at_, shl(240, 0x1901))
            mstore(add(at_, 0x02), domain)
            mstore(add(at_, 0x22), hash_)
            result := keccak256(at_, 0x42)
        }
    }

    /// @notice EIP-712's hash of the struct.
    function hash(ITelemetry.Report memory report) internal pure returns (bytes32) {
        // A struct of static members is encoded as its members.
        return keccak256(abi.encode(REPORT_TYPE, report));
    }
}
