// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title Reports: what is taken, what it changes
contract TelemetryTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
        register(bob, CPU_EU, 4, 11);
        vm.warp(block.timestamp + 1 hours);
    }

    function test_Digest() public view {
        ITelemetry.Report memory r = reportOf(1, 5_000);
        r.renewable = true;
        assertEq(telemetry.digestOf(r), digest(r, block.chainid, address(telemetry)));
    }

    function test_Post() public {
        ITelemetry.Report memory r = reportOf(1, 4_000);
        vm.expectEmit(address(telemetry));
        emit ITelemetry.Reported(keeper, 0, fieldsOf(r));
        report(r);
        ITelemetry.ReportState memory s = telemetry.reportStateOf(1);
        assertEq(s.at, block.timestamp);
        assertEq(s.sequence, 1);
        assertEq(s.watts, 100);
        (uint256 sum, uint256 count) = telemetry.averageLoad();
        assertEq(sum, 4 * 4_000, "four units of capacity");
        assertEq(count, 4);
        (uint16 load, uint16 latency, uint40 at, ) = telemetry.loadAndLatencyOf(1);
        assertEq(load, 4_000);
        assertEq(latency, 20);
        assertEq(at, block.timestamp);
        assertFalse(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 4);
    }

    function test_Post_overloaded() public {
        report(2, 1_000);
        report(1, 9_000);
        assertTrue(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 0);
        vm.warp(block.timestamp + 60);
        report(1, 2_000);
        assertFalse(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 4);
    }

    function test_Signs_asOfTheFreeze() public {
        report(1, 4_000);
        uint256 first = block.timestamp;
        submit(bob, 4, 20_000, CPU_EU);
        vm.warp(block.timestamp + 60);
        openRound();
        report(1, 1_000);
        vm.warp(block.timestamp + 60);
        report(1, 9_999);
        (uint16 load, uint16 latency, uint40 at, ) = telemetry.loadAndLatencyOf(1);
        assertEq(load, 4_000);
        assertEq(latency, 20);
        assertEq(at, first);
        assertEq(nodes.node(1).listedUnits, 4, "the listing stands");
        fulfil(1);
        settle(optimalPost());
        (load, , , ) = telemetry.loadAndLatencyOf(1);
        assertEq(load, 9_999);
    }

    function test_Lapse() public {
        report(1, 4_000);
        report(2, 6_000);
        vm.warp(block.timestamp + param(Param.ReportTimeout));
        assertFalse(telemetry.silent(1));
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.NodeNotSilent.selector, 1, block.timestamp));
        telemetry.lapse(1);
        vm.warp(block.timestamp + 1);
        assertTrue(telemetry.silent(1));
        vm.expectEmit(address(telemetry));
        emit ITelemetry.NodeLapsed(1);
        telemetry.lapse(1);
        assertTrue(nodes.node(1).ineligible);
        (uint256 sum, uint256 count) = telemetry.averageLoad();
        assertEq(sum, 4 * 6_000);
        assertEq(count, 4);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.AlreadyLapsed.selector, 1));
        telemetry.lapse(1);
        report(1, 5_000);
        assertFalse(nodes.node(1).ineligible);
        (sum, count) = telemetry.averageLoad();
        assertEq(sum, 4 * 11_000);
        assertEq(count, 8);
    }
}
