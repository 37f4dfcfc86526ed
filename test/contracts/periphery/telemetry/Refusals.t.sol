// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title What reports are refused for, one by one
contract TelemetryRefusalsTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        leaseOf(bob, alice, 4);
        register(alice, CPU_EU, 4, 10);
        vm.warp(block.timestamp + 2 hours);
    }

    function test_UnknownNode() public {
        ITelemetry.Report memory r = reportOf(3, 1);
        refused(r, ITelemetry.Refusal.UnknownNode);
        r.nodeId = 0;
        refused(r, ITelemetry.Refusal.UnknownNode);
    }

    function test_NotInMarket() public {
        vm.startPrank(alice);
        nodes.drain(2);
        vm.stopPrank();
        report(2, 1_000);
        vm.prank(alice);
        nodes.exit(2);
        vm.warp(block.timestamp + 60);
        refused(reportOf(2, 1_000), ITelemetry.Refusal.NotInMarket);
    }

    function test_Replay() public {
        bytes memory packed = signed(reportOf(1, 5_000));
        assertEq(post(packed), 1);
        vm.warp(block.timestamp + 60);
        refused(packed, 1, 1, ITelemetry.Refusal.SequenceNotGrowing);
        // Gaps are fine, backwards is not.
        ITelemetry.Report memory r = reportOf(1, 5_000);
        r.sequence = 9;
        report(r);
        vm.warp(block.timestamp + 60);
        r.sequence = 8;
        refused(r, ITelemetry.Refusal.SequenceNotGrowing);
        r.sequence = 0;
        refused(r, ITelemetry.Refusal.SequenceNotGrowing);
    }

    function test_ReplayWithinABatch() public {
        bytes memory packed = signed(reportOf(1, 5_000));
        assertEq(post(bytes.concat(packed, packed)), 1);
    }

    function test_BadSignature() public {
        ITelemetry.Report memory r = reportOf(1, 5_000);
        address verifier = address(telemetry);
        ITelemetry.Refusal bad = ITelemetry.Refusal.BadSignature;
        // Another node's operator; another chain; another contract.
        refused(pack(r, sign(operatorKey(2), digest(r, block.chainid, verifier))), 1, 1, bad);
        refused(pack(r, sign(operatorKey(1), digest(r, block.chainid + 1, verifier))), 1, 1, bad);
        refused(pack(r, sign(operatorKey(1), digest(r, block.chainid, address(leases)))), 1, 1, bad);
        // Changed after it was signed; no signature at all.
        bytes memory signature = sign(operatorKey(1), digest(r, block.chainid, verifier));
        r.watts += 1;
        refused(pack(r, signature), 1, 1, bad);
        refused(pack(r, new bytes(64)), 1, 1, bad);
        // All fields are signed.
        r = reportOf(1, 5_000);
        r.renewable = true;
        refused(pack(r, signature), 1, 1, bad);
    }

    /// @notice A node's former key no longer signs anything.
    function test_OldOperator() public {
        bytes memory packed = signed(reportOf(1, 5_000));
        changeOperator(alice, 1, keyOf("keeper"));
        // The old key's sequence is over, and it cannot sign in the new key's.
        refused(packed, 1, 1, ITelemetry.Refusal.SequenceNotGrowing);
        ITelemetry.Report memory r = reportOf(1, 5_000);
        r.sequence = (1 << 24) + 1;
        refused(r, ITelemetry.Refusal.BadSignature);
    }

    function test_Values() public {
        ITelemetry.Report memory r = reportOf(1, 10_001);
        refused(r, ITelemetry.Refusal.LoadTooHigh);
        r = reportOf(1, 10_000);
        r.watts = 1_001;
        refused(r, ITelemetry.Refusal.PowerAboveMaximum);
        r.watts = 1_000;
        report(r);
    }

    /// @notice No declared maximum makes a machine larger than its capacity can be.
    function test_PowerOfCapacity() public {
        vm.prank(alice);
        nodes.setProfile(2, profileOf(0, type(uint32).max));
        ITelemetry.Report memory r = reportOf(2, 1);
        r.watts = 4 * 20_000 + 1;
        refused(r, ITelemetry.Refusal.PowerAboveMaximum);
        r.watts -= 1;
        report(r);
    }

    /// @notice A bad report in the middle does not sink its batch.
    function test_OneBadReport() public {
        bytes memory bad = signed(reportOf(2, 10_001));
        bytes memory batch = bytes.concat(bad, signed(reportOf(1, 5_000)), bad, signed(reportOf(2, 100)));
        assertEq(post(batch), 2);
        assertEq(telemetry.reportStateOf(1).load, 5_000);
        assertEq(telemetry.reportStateOf(2).load, 100);
    }

    /// @notice What cannot be taken apart reverts, whatever was good before it.
    function testFuzz_Malformed(uint256 cut) public {
        bytes memory packed = bytes.concat(signed(reportOf(1, 1)), signed(reportOf(2, 1)));
        cut = bound(cut, 82, packed.length - 1);
        bytes memory short = new bytes(cut);
        for (uint256 i; i < cut; ++i) short[i] = packed[i];
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.MalformedBatch.selector, 81));
        telemetry.post(short);
    }

    /// @notice Whatever bytes come, nothing is booked that no operator has signed.
    function testFuzz_Garbage(bytes memory packed) public {
        try telemetry.post(packed) returns (uint256 accepted) {
            assertEq(accepted, 0);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), ITelemetry.MalformedBatch.selector);
        }
    }
}
