// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";

/// @title Who gets new work: load, latency, power, silence
contract FitnessTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 3; ++i) register(alice, CPU_EU, 4, 10 + i);
        vm.warp(block.timestamp + 2 hours);
    }

    function test_Band() public {
        report(1, 5_000);
        report(2, 5_000);
        // Average (5000 + 5000 + 6500) / 3 = 5500: the band's edge itself is within.
        report(3, 6_500);
        assertFalse(nodes.node(3).ineligible);
        _next();
        report(3, 6_502);
        assertTrue(nodes.node(3).ineligible);
        assertEq(nodes.node(3).listedUnits, 0);
    }

    function test_Latency() public {
        ITelemetry.Report memory r = reportOf(1, 100);
        r.latency = 500;
        report(r);
        assertFalse(nodes.node(1).ineligible);
        _next();
        r = reportOf(1, 100);
        r.latency = 501;
        report(r);
        assertTrue(nodes.node(1).ineligible);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        telemetry.setMaxLatency(CPU_EU, 600);
        vm.expectEmit(address(telemetry));
        emit ITelemetry.MaxLatencySet(CPU_EU, 0, 600);
        telemetry.setMaxLatency(CPU_EU, 600);
        assertEq(telemetry.maxLatencyOf(CPU_EU), 600);
        assertEq(telemetry.maxLatencyOf(CPU_US), 500);
        _next();
        r = reportOf(1, 100);
        r.latency = 501;
        report(r);
        assertFalse(nodes.node(1).ineligible);
    }

    /// @notice A class's bound is one of those that the parameter may have, or none.
    function test_MaxLatency_bounds() public {
        uint16[2] memory beyond = [uint16(9), 60_001];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(ITelemetry.MaxLatencyOutOfBounds.selector, CPU_EU, beyond[i], 10, 60_000)
            );
            telemetry.setMaxLatency(CPU_EU, beyond[i]);
        }
        telemetry.setMaxLatency(CPU_EU, 10);
        telemetry.setMaxLatency(CPU_EU, 0);
        assertEq(telemetry.maxLatencyOf(CPU_EU), 500);
    }

    function test_Throttle() public {
        _power(1, 301);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.PowerWithinThreshold.selector, 1, 301, 0, 300));
        telemetry.throttle(1);
        _power(1, 300);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.PowerWithinThreshold.selector, 1, 300, 301, 300));
        telemetry.throttle(1);
        _power(1, 301);
        _power(1, 302);
        vm.expectEmit(address(telemetry));
        emit ITelemetry.NodeThrottled(1, 302, 300);
        vm.prank(bob);
        telemetry.throttle(1);
        assertTrue(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 0);
        assertEq(telemetry.totals().throttledNodes, 1);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.AlreadyThrottled.selector, 1));
        telemetry.throttle(1);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.PowerAboveThreshold.selector, 1, 302, 300));
        telemetry.unthrottle(1);
        // A report within the threshold frees nobody by itself.
        _power(1, 300);
        assertTrue(nodes.node(1).ineligible);
        vm.expectEmit(address(telemetry));
        emit ITelemetry.NodeUnthrottled(1, 300, 300);
        vm.prank(bob);
        telemetry.unthrottle(1);
        assertFalse(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 4);
        assertEq(telemetry.totals().throttledNodes, 0);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.NotThrottled.selector, 1));
        telemetry.unthrottle(1);
    }

    function test_Throttle_noThreshold() public {
        vm.prank(alice);
        nodes.setProfile(1, profileOf(0, 1_000));
        _power(1, 1_000);
        _power(1, 1_000);
        vm.expectPartialRevert(ITelemetry.PowerWithinThreshold.selector);
        telemetry.throttle(1);
    }

    /// @notice A throttled node that is overloaded, or lapsed, stays out when it is freed.
    function test_Unthrottle_stillUnfit() public {
        report(2, 100);
        report(3, 100);
        _power(1, 301);
        _power(1, 301);
        telemetry.throttle(1);
        ITelemetry.Report memory r = reportOf(1, 9_000);
        report(r);
        telemetry.unthrottle(1);
        assertTrue(nodes.node(1).ineligible, "overloaded");
    }

    function test_Unthrottle_lapsed() public {
        _power(1, 301);
        _power(1, 301);
        telemetry.throttle(1);
        _power(1, 10);
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        telemetry.lapse(1);
        assertEq(telemetry.totals().throttledNodes, 0);
        telemetry.unthrottle(1);
        assertTrue(nodes.node(1).ineligible, "lapsed");
        report(1, 100);
        assertFalse(nodes.node(1).ineligible);
    }

    function test_Lapse_neverReported() public {
        assertFalse(telemetry.silent(1));
        vm.warp(block.timestamp + param(Param.ReportTimeout));
        assertTrue(telemetry.silent(1));
        telemetry.lapse(1);
        assertEq(nodes.node(1).listedUnits, 0);
    }

    /// @notice What reports change while a round is open reaches the listings when it is over.
    function test_FitnessWaitsForTheRound() public {
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        report(1, 0);
        report(2, 9_000);
        assertTrue(nodes.node(2).ineligible);
        assertEq(nodes.node(2).listedUnits, 4);
        fulfil(1);
        settle(optimalPost());
        supply.syncPending(9);
        assertEq(nodes.node(2).listedUnits, 0);
    }

    /// @notice A freeze's draws know each node as it was when the freeze began, for every freeze on its own.
    function test_Signs_overTwoFreezes() public {
        report(1, 1_000);
        _freeze();
        _next();
        report(1, 2_000);
        assertEq(_load(1), 1_000);
        _thaw();
        assertEq(_load(1), 2_000);
        _next();
        report(1, 3_000);
        assertEq(_load(1), 3_000);
        _freeze();
        // Not the buffer of the freeze before.
        assertEq(_load(1), 3_000);
        _next();
        report(1, 4_000);
        report(2, 5_000);
        assertEq(_load(1), 3_000);
        (uint16 load, uint16 latency, uint40 at, uint24 capacity) = telemetry.loadAndLatencyOf(2);
        assertEq(load + latency + at + capacity, 0, "a first report within a freeze");
        // Lapsing changes nothing of it either.
        _thaw();
        assertEq(_load(1), 4_000);
        assertEq(_load(2), 5_000);
    }

    function test_LapseWithinAFreeze() public {
        report(1, 1_000);
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        _freeze();
        telemetry.lapse(1);
        assertEq(_load(1), 1_000);
        assertEq(nodes.node(1).listedUnits, 4, "the listing stands");
        _thaw();
        assertEq(nodes.node(1).listedUnits, 0);
    }

    function test_OnlyTelemetryJudges() public {
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, alice));
        vm.prank(alice);
        supply.setEligible(1, false);
    }

    /// @notice The kept sums are those over the nodes, whatever was reported.
    function testFuzz_Totals(uint16[12] memory loads, uint8[12] memory ids) public {
        uint256[4] memory last;
        bool[4] memory counted;
        for (uint256 i; i < 12; ++i) {
            uint32 id = uint32(bound(ids[i], 1, 3));
            uint16 load = uint16(bound(loads[i], 0, 10_000));
            report(id, load);
            (last[id], counted[id]) = (load, true);
            if (i == 7) {
                vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
                telemetry.lapse(id);
                (last[id], counted[id]) = (0, false);
            } else {
                _next();
            }
        }
        uint256 count;
        for (uint256 i = 1; i < 4; ++i) if (counted[i]) ++count;
        (uint256 sum, uint256 n) = telemetry.averageLoad();
        assertEq(sum, 4 * (last[1] + last[2] + last[3]), "each weighs four units");
        assertEq(n, 4 * count);
        assertEq(telemetry.totals().watts, 100 * count);
    }

    function _power(uint32 nodeId, uint32 watts) private {
        ITelemetry.Report memory r = reportOf(nodeId, 100);
        r.watts = watts;
        report(r);
        _next();
    }

    function _next() private {
        vm.warp(block.timestamp + 60);
    }

    function _load(uint32 nodeId) private view returns (uint16 load) {
        (load, , , ) = telemetry.loadAndLatencyOf(nodeId);
    }

    function _freeze() private {
        vm.prank(address(rounds));
        supply.freeze(99);
    }

    function _thaw() private {
        vm.prank(address(rounds));
        supply.thaw();
        supply.syncPending(99);
    }
}
