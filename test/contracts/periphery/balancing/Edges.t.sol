// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../../contracts/interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../../../contracts/interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {ClassSet} from "../../../../contracts/types/ClassSet.sol";
import {Moves} from "../../support/Moves.sol";

/// @title Moves at the last second and of the last unit that the rule allows
contract BalancerEdgesTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        loads(9_000, 1_000, 5_000);
    }

    function test_WhenTheLeaseIsDue() public {
        vm.warp(leases.lease(1).due);
        _reportHot();
        move(1, 1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Moving);
    }

    function test_WhenTheRangeHasCooled() public {
        move(1, 1);
        release(1);
        uint256 cool = balancer.coolingUntil(2);
        vm.warp(cool - 1);
        _reportHot();
        vm.expectRevert(abi.encodeWithSelector(IBalancer.RangeCooling.selector, 2, cool));
        move(2, 1);
        vm.warp(cool);
        move(2, 1);
    }

    function test_WhenTheTaskHasJustTimeForALease() public {
        uint40 deadline = tasks.task(1).deadline;
        for (uint40 i = 1; block.timestamp + 11 hours < deadline; ++i) {
            vm.warp(block.timestamp + 11 hours);
            checkpoint(1, 900 * i);
        }
        vm.warp(deadline - param(Param.MinLeaseTime));
        _reportHot();
        move(1, 1);
    }

    function test_WhenTheReportIsAsOldAsItMayBe() public {
        uint256 last = telemetry.reportStateOf(1).at + param(Param.ReportTimeout);
        vm.warp(last - 1);
        checkpoint(1, 1);
        vm.warp(last);
        move(1, 1);
    }

    /// @notice What has left since the last report no longer heats the node, whichever of its leases it was of.
    function test_WhatHasLeftCounts() public {
        register(alice, CPU_EU, 3, 1);
        submit(bob, 1, 20_000, CPU_EU);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        assertEq(leases.lease(2).nodeId, 4);
        assertEq(leases.lease(3).nodeId, 4);
        loads(9_000, 1_000, 5_000);
        report(4, 9_000);
        move(2, 1);
        // Two thirds of 17,000: 5,666.7 basis points are left, of a band that reaches to 6,363.
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SourceInBand.selector, 4, 5_666, 177_000, 33));
        move(3, 1);
    }

    /// @notice A report of the second in which the grace ends is still one of the time before.
    function test_ReportAtTheEndOfTheGrace() public {
        move(1, 4);
        uint256 until = block.timestamp + param(Param.MoveGrace);
        vm.warp(until);
        report(1, 5_000);
        assertEq(balancer.shiftOf(1).outgoing, 4);
        vm.warp(until + 1);
        report(1, 5_000);
        assertEq(balancer.shiftOf(1).outgoing, 0);
    }

    function test_AsManyListedAsMove() public {
        vm.prank(carol);
        nodes.drain(2);
        register(carol, CPU_EU, 2, 12);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NotEnoughSupply.selector, 1, 3));
        move(1, 3);
        move(1, 2);
    }

    /// @notice A class whose surcharge is all that the task pays still has what is offered for nothing.
    function test_SurchargeOfTheWholePrice() public {
        ITaskRegistry.Submission memory s = submission(10, 20_000, list(CPU_US, GPU_EU));
        s.surcharges = new uint256[](2);
        s.surcharges[1] = s.maxPrice;
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        runRound(1);
        assertEq(leases.lease(2).nodeId, 3);
        loads(5_000, 5_000, 9_900);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NotEnoughSupply.selector, 2, 1));
        move(2, 1);
        register(alice, GPU_EU, 1, 0);
        move(2, 1);
    }

    /// @notice A throttled node's work may go to every class that is as efficient as its own and lists just enough.
    function test_Throttled_equallyEfficient() public {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](2);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(9_000, 0));
        settings[1] = IEnergyLedger.ClassSetting(CPU_US, IEnergyLedger.ClassEnergy(9_000, 0));
        ledger.setClassEnergies(settings);
        register(alice, CPU_EU, 3, 1);
        submit(bob, submission(3, 20_000, list(CPU_EU, CPU_US)));
        runRound(1);
        assertEq(leases.lease(2).nodeId, 4);
        vm.startPrank(carol);
        nodes.drain(3);
        vm.stopPrank();
        register(carol, CPU_US, 2, 12);
        checkpoint(2, 1);
        power(4, 5_000, 301);
        power(4, 5_000, 302);
        telemetry.throttle(4);
        checkpoint(2, 2);
        move(2, 2);
        (, , ClassSet classes) = leases.orphanOf(2);
        assertEq(ClassSet.unwrap(classes), (1 << CPU_EU) | (1 << CPU_US));
    }

    function _reportHot() private {
        report(1, 9_000);
        report(2, 1_000);
        report(3, 5_000);
    }
}
