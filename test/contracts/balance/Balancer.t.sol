// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Moves} from "../support/Moves.sol";

/// @title Which moves are allowed
contract BalancerTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        loads(9_000, 1_000, 5_000);
    }

    /// @notice After a move neither end is beyond the average by more than one unit's worth.
    function test_Crossing() public {
        // From 90 % four units reach the average of 50 %, five are one unit's worth beyond; so they are from 10 %.
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SourceCrosses.selector, 1, 6));
        move(1, 2, 6);
        loads(10_000, 2_000, 3_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TargetCrosses.selector, 2, 5));
        move(1, 2, 5);
        move(1, 2, 4);
    }

    function test_Band() public {
        loads(6_000, 3_000, 6_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SourceInBand.selector, 1, 6_000, 150_000, 30));
        move(1, 2, 1);
        loads(9_000, 4_000, 2_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TargetInBand.selector, 2, 4_000, 150_000, 30));
        move(1, 2, 1);
    }

    function test_Units() public {
        vm.expectRevert(abi.encodeWithSelector(IBalancer.UnitsOutOfRange.selector, 1, 0, 10));
        move(1, 2, 0);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.UnitsOutOfRange.selector, 1, 11, 10));
        move(1, 2, 11);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SameNode.selector, 1, 1));
        move(1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 9));
        move(9, 2, 1);
    }

    /// @notice The second of two keepers finds the lease moving, and changes nothing.
    function test_TwoKeepers() public {
        move(1, 2, 4);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.LeaseNotActive.selector, 1));
        move(1, 2, 4);
        assertEq(nodes.node(2).leased, 4);
    }

    /// @notice A plan that has one bad move changes nothing at all.
    function test_AllOrNothing() public {
        IBalancer.Move[] memory moves = new IBalancer.Move[](2);
        (moves[0], moves[1]) = (IBalancer.Move(1, 2, 1), IBalancer.Move(1, 2, 1));
        vm.expectPartialRevert(IBalancer.LeaseNotActive.selector);
        balancer.move(moves);
        assertEq(nodes.node(2).leased, 0);
    }

    /// @notice An overdue lease is not saved from its penalty by moving it.
    function test_Overdue() public {
        vm.warp(leases.lease(1).due);
        loadsNow();
        vm.warp(leases.lease(1).due + 1);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.LeaseNotActive.selector, 1));
        move(1, 2, 4);
    }

    function test_Silence() public {
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        checkpoint(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NodeNotReporting.selector, 1));
        move(1, 2, 4);
        report(1, 9_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NodeNotReporting.selector, 2));
        move(1, 2, 4);
        report(2, 1_000);
        move(1, 2, 4);
    }

    function test_Class() public {
        loads(9_000, 5_000, 1_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.ClassNotAccepted.selector, 1, CPU_US));
        move(1, 3, 1);
    }

    /// @notice The task pays the target's ask, which with its class's surcharge is no more than its maximum.
    function test_Price() public {
        vm.startPrank(alice);
        nodes.setTerms(2, termsOf(CPU_EU, 10, 21));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IBalancer.AskAboveMaximum.selector, 2, 21_000, 20_000));
        move(1, 2, 1);
        vm.startPrank(alice);
        nodes.setTerms(2, termsOf(CPU_EU, 10, 20));
        vm.stopPrank();
        move(1, 2, 1);
        assertEq(leases.targetOf(1).price, 20_000);
    }

    function test_Price_surcharge() public {
        ITaskRegistry.Submission memory s = submission(10, 20_000, list(CPU_US, GPU_EU));
        s.surcharges = new uint256[](2);
        (s.surcharges[0], s.surcharges[1]) = (1_000 * MICRO, 9_000 * MICRO);
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        runRound(1);
        assertEq(leases.lease(2).nodeId, 3);
        // 12,000 + 9,000 is more than 20,000; 10,500 + 9,000 is not.
        register(alice, GPU_EU, 10, 8);
        vm.warp(block.timestamp + 60);
        report(4, 0);
        loads(5_000, 5_000, 9_900);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.AskAboveMaximum.selector, 4, 12_000, 11_000));
        move(2, 4, 1);
        vm.startPrank(alice);
        nodes.setTerms(4, termsOf(GPU_EU, 10, 7));
        vm.stopPrank();
        move(2, 4, 1);
        assertEq(leases.targetOf(2).price, 10_500);
    }

    function test_Listed() public {
        vm.prank(alice);
        nodes.drain(2);
        vm.expectRevert(abi.encodeWithSelector(ISupply.NotEnoughListed.selector, 2, 0, 1));
        move(1, 2, 1);
    }

    function test_Frozen() public {
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        move(1, 2, 1);
    }

    function test_TooLate() public {
        uint40 deadline = tasks.task(1).deadline;
        for (uint40 i = 1; block.timestamp + 11 hours < deadline; ++i) {
            vm.warp(block.timestamp + 11 hours);
            checkpoint(1, i);
        }
        vm.warp(deadline - param(Param.MinLeaseTime) + 1);
        loadsNow();
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TaskTooLate.selector, 1, deadline));
        move(1, 2, 1);
    }

    function test_Take_onlyBalancer() public {
        vm.expectRevert(abi.encodeWithSelector(ISupply.NotModule.selector, alice));
        vm.prank(alice);
        supply.take(2, 1);
    }

    /// @notice A throttled node's work goes where a unit takes no more power, and stays within the band there.
    function test_Throttled() public {
        power(1, 5_000, 990);
        power(1, 5_000, 999);
        telemetry.throttle(1);
        // 99.9 W a unit there; node 2 is idle and would take 100 W by its declared maximum.
        power(2, 4_000, 10);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TargetLessEfficient.selector, 2, 100_000, 99_900));
        move(1, 2, 1);
        vm.prank(alice);
        nodes.setProfile(2, profileOf(0, 999));
        power(2, 4_000, 10);
        // Average 46.67 %: the band ends at 56.67 %, which two units more than 40 % are beyond.
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TargetInBand.selector, 2, 4_000, 140_000, 30));
        move(1, 2, 2);
        vm.expectEmit(address(balancer));
        emit IBalancer.Moved(1, 1, 2, 1, IBalancer.Cause.Power);
        move(1, 2, 1);
    }

    function test_ToAThrottledNode() public {
        power(2, 1_000, 301);
        power(2, 1_000, 301);
        telemetry.throttle(2);
        vm.expectRevert(abi.encodeWithSelector(ISupply.NotEnoughListed.selector, 2, 0, 1));
        move(1, 2, 1);
    }

    /// @notice Exactly what the rule says is allowed, whatever the loads.
    function testFuzz_Rule(uint16 a, uint16 b, uint16 c, uint8 units) public {
        (a, b, c) = (a % 10_001, b % 10_001, c % 10_001);
        units = 1 + (units % 10);
        loads(a, b, c);
        // In thirds of a basis point, for three nodes; a unit's worth and the half band are 1,000 each.
        int256 sum = int256(uint256(a)) + int256(uint256(b)) + int256(uint256(c));
        int256 source = 3 * int256(uint256(a)) - sum;
        int256 target = 3 * int256(uint256(b)) - sum;
        int256 part = 3_000 * int256(uint256(units));
        bool allowed = source > 3_000 && target < -3_000 && source - part >= -3_000 && target + part <= 3_000;
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        moves[0] = IBalancer.Move(1, 2, units);
        try balancer.move(moves) {
            assertTrue(allowed, "allowed");
        } catch {
            assertFalse(allowed, "refused");
        }
    }

    function loadsNow() internal {
        report(1, 9_000);
        report(2, 1_000);
        report(3, 5_000);
    }
}
