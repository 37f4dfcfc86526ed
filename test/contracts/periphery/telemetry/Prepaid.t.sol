// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title Who posts reports for others is paid for it by those
contract PrepaidTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
        register(bob, CPU_EU, 4, 10);
        vm.warp(block.timestamp + 1 hours);
        fund(alice, 600 * MICRO);
        _prepay(alice, 1, 2, 300);
    }

    function test_PosterIsPaid() public {
        assertEq(vault.claimable(address(telemetry)), 600 * MICRO);
        // Node 2 has prepaid nothing, and pays nothing.
        bytes memory batch = bytes.concat(signed(reportOf(1, 1)), signed(reportOf(2, 1)));
        vm.expectEmit(address(telemetry));
        emit ITelemetry.Reported(keeper, 300 * MICRO, bytes.concat(fieldsOf(reportOf(1, 1)), fieldsOf(reportOf(2, 1))));
        assertEq(post(batch), 2);
        assertEq(vault.claimable(keeper), 300 * MICRO);
        assertEq(telemetry.reportStateOf(1).prepaid, 1);
        for (uint256 i; i < 2; ++i) {
            vm.warp(block.timestamp + 60);
            report(1, 1);
        }
        assertEq(vault.claimable(keeper), 600 * MICRO, "two were prepaid");
        assertEq(vault.claimable(address(telemetry)), 0);
    }

    /// @notice Nobody earns by posting more often than the market asks for, nor does a refused report pay.
    function test_NotFarmed() public {
        bytes memory first = signed(reportOf(1, 1));
        assertEq(post(bytes.concat(first, first)), 1);
        uint256 half = param(Param.ReportInterval) / 2;
        vm.warp(block.timestamp + half - 1);
        report(1, 1);
        assertEq(vault.claimable(keeper), 300 * MICRO, "two in half an interval pay once");
        vm.warp(block.timestamp + half);
        report(1, 1);
        assertEq(vault.claimable(keeper), 600 * MICRO);
    }

    function test_OwnOperatorIsNotPaid() public {
        bytes memory packed = signed(reportOf(1, 1));
        vm.prank(operatorOf(1));
        telemetry.post(packed);
        assertEq(telemetry.reportStateOf(1).prepaid, 2);
        assertEq(vault.claimable(operatorOf(1)), 0);
    }

    /// @notice What is left of a payment comes back, also after the node has left.
    function test_Change() public {
        _prepay(alice, 1, 1, 100);
        assertEq(vault.claimable(alice), 500 * MICRO);
        assertEq(vault.claimable(address(telemetry)), 100 * MICRO);
        vm.startPrank(alice);
        nodes.drain(1);
        nodes.exit(1);
        vm.stopPrank();
        _prepay(alice, 1, 0, 0);
        assertEq(vault.claimable(alice), 600 * MICRO);
        assertEq(vault.claimable(address(telemetry)), 0);
    }

    function test_OwnerOnly() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, 1, bob));
        vm.prank(bob);
        telemetry.prepay(1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, 3, bob));
        vm.prank(bob);
        telemetry.prepay(3, 1, 1);
    }

    function test_OnlyModules() public {
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, bob));
        telemetry.exclude(1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, bob));
        vault.depositPrepaid(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, bob));
        vault.passPrepaid(bob, 1);
    }

    function _prepay(address owner, uint32 nodeId, uint24 reports, uint16 fee) private {
        vm.prank(owner);
        telemetry.prepay(nodeId, reports, fee);
    }
}
