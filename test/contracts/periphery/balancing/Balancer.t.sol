// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../../contracts/interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../../../contracts/interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Moves} from "../../support/Moves.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";
import {ClassSet} from "../../../../contracts/types/ClassSet.sol";

/// @title Which moves are allowed, and who may be drawn for them
contract BalancerTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        loads(9_000, 1_000, 5_000);
    }

    /// @notice A source does not go below the average by more than one unit's worth.
    function test_SourceCrosses() public {
        // From 90 % four units reach the average of 50 %, five are one unit's worth beyond.
        vm.expectRevert(abi.encodeWithSelector(IBalancer.MoveOvershootsSource.selector, 1, 6));
        move(1, 6);
        move(1, 5);
    }

    /// @notice A taker does not go above the average by more than one unit's worth: what is too much for it is left over.
    function test_TakerCrosses() public {
        loads(10_000, 2_000, 3_000);
        moveAndDraw(1, 5, 7);
        assertEq(leases.lease(3).nodeId, 2);
        assertEq(leases.lease(3).count, 4);
        assertUnits(1, 1, 9, 0, 0);
        ITaskRegistry.OpenRange memory rest = lens.reopenedRanges(1)[0];
        assertEq(abi.encode(rest.start, rest.count, rest.parent, rest.fence), abi.encode(9, 1, 1, 2));
        assertEq(reassignment.arrivalOf(2).units, 4);
    }

    function test_Band() public {
        loads(6_000, 3_000, 6_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SourceInBand.selector, 1, 6_000, 150_000, 30));
        move(1, 1);
    }

    /// @notice A node that is hardly busy is not too hot, however idle the others say they are.
    function test_LoadFloor() public {
        setParam(Param.LoadFloor, 9_000);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.SourceInBand.selector, 1, 9_000, 150_000, 30));
        move(1, 1);
        setParam(Param.LoadFloor, 8_999);
        move(1, 1);
    }

    /// @notice A node within the band takes nothing that moves: it goes to the next round instead.
    function test_TakerInBand() public {
        loads(9_000, 4_000, 2_000);
        moveAndDraw(1, 1, 7);
        assertUnits(1, 1, 9, 0, 0);
        runRound(3);
        ILeaseRegistry.Lease memory again = leases.lease(leases.leaseCount());
        assertEq(abi.encode(again.start, again.count, again.parent, again.fence), abi.encode(9, 1, 1, 2));
    }

    function test_Units() public {
        vm.expectRevert(abi.encodeWithSelector(IBalancer.UnitsOutOfRange.selector, 1, 0, 10));
        move(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.UnitsOutOfRange.selector, 1, 11, 10));
        move(1, 11);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 9));
        move(9, 1);
    }

    /// @notice The second of two keepers finds the lease moving, and changes nothing.
    function test_TwoKeepers() public {
        move(1, 4);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.LeaseNotActive.selector, 1));
        move(1, 4);
        assertEq(leases.departureOf(1).units, 4);
    }

    /// @notice A plan that has one bad move changes nothing at all.
    function test_AllOrNothing() public {
        IBalancer.Move[] memory moves = new IBalancer.Move[](2);
        (moves[0], moves[1]) = (IBalancer.Move(1, 1), IBalancer.Move(1, 1));
        vm.expectPartialRevert(IBalancer.LeaseNotActive.selector);
        balancer.move(moves);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Active);
    }

    /// @notice An overdue lease is not saved from its penalty by moving it.
    function test_Overdue() public {
        vm.warp(leases.lease(1).due);
        loadsNow();
        vm.warp(leases.lease(1).due + 1);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.LeaseNotActive.selector, 1));
        move(1, 4);
    }

    function test_SilentSource() public {
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        checkpoint(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NodeNotReporting.selector, 1));
        move(1, 4);
        report(1, 9_000);
        move(1, 4);
    }

    /// @notice Who missed its reports, or never reported, is drawn for nothing that moves.
    function test_SilentTaker() public {
        move(1, 4);
        vm.warp(block.timestamp + param(Param.ReportTimeout) + 1);
        register(carol, CPU_EU, 10, 11);
        leases.handOver(1);
        runBatch(1);
        assertUnits(1, 4, 6, 0, 0);
    }

    /// @notice Nobody loses work that the market has no room for: not at that price, not in those classes.
    function test_NotEnoughSupply() public {
        vm.startPrank(carol);
        nodes.setTerms(2, termsOf(CPU_EU, 10, 21));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NotEnoughSupply.selector, 1, 1));
        move(1, 1);
        vm.startPrank(carol);
        nodes.setTerms(2, termsOf(CPU_EU, 10, 20));
        vm.stopPrank();
        moveAndDraw(1, 1, 5);
        assertEq(leases.lease(3).priceMicroVer, 20_000);
    }

    function test_NotEnoughSupply_drained() public {
        vm.prank(carol);
        nodes.drain(2);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NotEnoughSupply.selector, 1, 1));
        move(1, 1);
    }

    function test_NotEnoughSupply_surcharge() public {
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
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NotEnoughSupply.selector, 2, 1));
        move(2, 1);
        vm.startPrank(alice);
        nodes.setTerms(4, termsOf(GPU_EU, 10, 7));
        vm.stopPrank();
        moveAndDraw(2, 1, 5);
        assertEq(leases.lease(4).nodeId, 4);
        assertEq(leases.lease(4).priceMicroVer, 10_500);
    }

    /// @notice A move takes nobody's units, so that it may be started while a round or a batch holds the listings.
    function test_Frozen() public {
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        move(1, 1);
        release(1);
        assertEq(orphanCount(), 1);
        assertEq(nodes.node(2).listedUnits, 10);
    }

    function test_TooLate() public {
        uint40 deadline = tasks.task(1).deadline;
        for (uint40 i = 1; block.timestamp + 11 hours < deadline; ++i) {
            vm.warp(block.timestamp + 11 hours);
            checkpoint(1, 900 * i);
        }
        vm.warp(deadline - param(Param.MinLeaseTime) + 1);
        loadsNow();
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TaskTooLate.selector, 1, deadline));
        move(1, 1);
    }

    /// @notice A throttled node's work goes to the most efficient class by governance's figures, within the band, and only at
    /// what all of the task's classes together make the market's price.
    function test_Throttled() public {
        _efficient();
        uint32 id = _throttledLease();
        vm.expectEmit(address(balancer));
        emit IBalancer.Moved(id, 4, 2, IBalancer.Cause.Power);
        move(id, 2);
        (, bool moved, ClassSet classes) = leases.orphanOf(id);
        assertTrue(moved);
        assertEq(ClassSet.unwrap(classes), 1 << CPU_US);
        release(id);
        runBatch(3);
        // Node 2 would be as cheap; node 3 is of the more efficient class.
        assertEq(leases.lease(leases.leaseCount()).nodeId, 3);
        assertEq(leases.lease(leases.leaseCount()).count, 2);
    }

    /// @notice An efficient class that is dearer than the market gets nothing by it: the round decides.
    function test_Throttled_dear() public {
        _efficient();
        uint32 id = _throttledLease();
        vm.startPrank(carol);
        nodes.setTerms(3, termsOf(CPU_US, 10, 20));
        vm.stopPrank();
        move(id, 2);
        release(id);
        runBatch(3);
        assertUnits(2, 2, 1, 0, 0);
    }

    /// @notice A throttled node's own report of its power for a unit decides nothing; a taker stays within the band.
    function test_Throttled_band() public {
        _efficient();
        uint32 id = _throttledLease();
        // Fit, but one more unit is above the band.
        report(3, 5_000);
        move(id, 2);
        release(id);
        runBatch(3);
        assertUnits(2, 2, 1, 0, 0);
    }

    /// @notice Exactly what the rule says is allowed, whatever the loads, and no taker is given more than it says.
    function testFuzz_Rule(uint16 a, uint16 b, uint16 c, uint8 units, uint64 word) public {
        (a, b, c) = (a % 10_001, b % 10_001, c % 10_001);
        units = 1 + (units % 10);
        loads(a, b, c);
        // In thirds of a basis point, for three nodes; a unit's worth and the half band are 1,000 each.
        int256 sum = int256(uint256(a)) + int256(uint256(b)) + int256(uint256(c));
        int256 source = 3 * int256(uint256(a)) - sum;
        int256 target = 3 * int256(uint256(b)) - sum;
        bool allowed = source > 3_000 && source - 3_000 * int256(uint256(units)) >= -3_000;
        // The one node that has room, if its reports let it have new work.
        if (nodes.node(2).listedUnits < units) allowed = false;
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        moves[0] = IBalancer.Move(1, units);
        try balancer.move(moves) {
            assertTrue(allowed, "allowed");
        } catch {
            assertFalse(allowed, "refused");
            return;
        }
        release(1);
        runBatch(word);
        uint256 taken = nodes.node(2).leased;
        if (taken == 0) return;
        assertLt(target, -3_000, "below the band");
        assertLe(target + 3_000 * int256(taken), 3_000, "above by one unit's worth at most");
    }

    /// @notice Who is too hot for what it has gets nothing new until it reports again.
    function test_SourceIsUnfit() public {
        loads(9_000, 1_000, 5_000);
        move(1, 1);
        assertTrue(nodes.node(1).ineligible);
        release(1);
        assertEq(nodes.node(1).listedUnits, 0);
        loads(5_000, 5_000, 5_000);
        loads(5_000, 5_000, 5_000);
        assertFalse(nodes.node(1).ineligible);
        assertEq(nodes.node(1).listedUnits, 1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(balancer)));
        vm.prank(address(balancer));
        supply.setEligible(1, true);
    }

    /// @notice What an idle node below the band has room for it gets.
    function test_IdleTakes(uint64 word) public {
        moveAndDraw(1, 4, word);
        assertEq(nodes.node(2).leased, 4);
    }

    function loadsNow() internal {
        report(1, 9_000);
        report(2, 1_000);
        report(3, 5_000);
    }

    function _efficient() private {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](3);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(12_600, 0));
        settings[1] = IEnergyLedger.ClassSetting(CPU_US, IEnergyLedger.ClassEnergy(9_000, 0));
        settings[2] = IEnergyLedger.ClassSetting(GPU_EU, IEnergyLedger.ClassEnergy(3_488_400, 0));
        ledger.setClassEnergies(settings);
    }

    /// @dev Node 4 (alice, CPU_EU) runs three units of a task that three classes serve, and is throttled.
    function _throttledLease() private returns (uint32 id) {
        register(alice, CPU_EU, 3, 1);
        uint8[] memory ids = new uint8[](3);
        (ids[0], ids[1], ids[2]) = (CPU_EU, CPU_US, GPU_EU);
        ITaskRegistry.Submission memory s = submission(3, 20_000, ids);
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        runRound(1);
        id = leases.leaseCount();
        assertEq(leases.lease(id).nodeId, 4);
        loads(5_000, 3_000, 1_000);
        power(4, 5_000, 301);
        power(4, 5_000, 301);
        telemetry.throttle(4);
    }
}
