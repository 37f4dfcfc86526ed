// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../interfaces/ITelemetry.sol";

/// @title How reports are packed in calldata and hashed for signing
library ReportCodec {
    /// @notice Bytes of a report before its shares, of a share, and of a signature.
    uint256 internal constant HEAD = 34;
    uint256 internal constant SHARE = 9;
    uint256 internal constant SIGNATURE = 64;

    bytes32 private constant SHARE_TYPE = keccak256("Share(uint32 leaseId,uint40 joules)");
    bytes32 private constant REPORT_TYPE = keccak256(
        "Report(uint32 nodeId,uint32 sequence,uint32 period,uint16 load,uint16 latency,uint40 joules,uint40 renewableJoules,uint8 method,uint16 version,uint32 idleUnitSeconds,Share[] shares)Share(uint32 leaseId,uint40 joules)"
    );

    /// @notice Takes the report apart that starts at byte `at`. O(shares).
    /// @return report The report.
    /// @return end Where the next one starts; the signature is the 64 bytes before it.
    function read(
        bytes calldata packed,
        uint256 at
    ) internal pure returns (ITelemetry.Report memory report, uint256 end) {
        require(packed.length >= at + HEAD, ITelemetry.MalformedBatch(at));
        bytes calldata p = packed[at:];
        uint256 shares = uint8(p[33]);
        end = at + HEAD + shares * SHARE + SIGNATURE;
        require(packed.length >= end, ITelemetry.MalformedBatch(at));
        report.nodeId = uint32(bytes4(p));
        report.sequence = uint32(bytes4(p[4:]));
        report.period = uint32(bytes4(p[8:]));
        report.load = uint16(bytes2(p[12:]));
        report.latency = uint16(bytes2(p[14:]));
        report.joules = uint40(bytes5(p[16:]));
        report.renewableJoules = uint40(bytes5(p[21:]));
        report.method = uint8(p[26]);
        report.version = uint16(bytes2(p[27:]));
        report.idleUnitSeconds = uint32(bytes4(p[29:]));
        report.shares = new ITelemetry.Share[](shares);
        p = p[HEAD:];
        for (uint256 i; i < shares; ++i) {
            report.shares[i] = ITelemetry.Share(uint32(bytes4(p)), uint40(bytes5(p[4:])));
            p = p[SHARE:];
        }
    }

    /// @notice EIP-712's hash of the struct. O(shares).
    function hash(ITelemetry.Report memory report) internal pure returns (bytes32) {
        bytes32[] memory shares = new bytes32[](report.shares.length);
        for (uint256 i; i < shares.length; ++i) {
            shares[i] = keccak256(abi.encode(SHARE_TYPE, report.shares[i].leaseId, report.shares[i].joules));
        }
        return
            keccak256(
                bytes.concat(
                    abi.encode(REPORT_TYPE, report.nodeId, report.sequence, report.period, report.load, report.latency),
                    abi.encode(
                        report.joules,
                        report.renewableJoules,
                        report.method,
                        report.version,
                        report.idleUnitSeconds,
                        keccak256(abi.encodePacked(shares))
                    )
                )
            );
    }
}
