// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../support/Moves.sol";

/// @title Work is not moved back and forth by any plan
contract OscillationTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        loads(9_000, 1_000, 5_000);
        moveAndDraw(1, 4, 1);
        assertEq(leases.lease(3).nodeId, 2);
    }

    /// @notice The reverse of a plan is refused: the node is not where it would have to be, and the range cools.
    function test_Reverse() public {
        vm.expectPartialRevert(IBalancer.RangeCooling.selector);
        move(3, 4);
        vm.warp(block.timestamp + param(Param.MoveCooldown));
        loads(5_000, 5_000, 5_000);
        vm.expectPartialRevert(IBalancer.SourceInBand.selector);
        move(3, 4);
    }

    /// @notice Not even nodes that lie about their loads move a range sooner than its cooldown ends.
    function test_LyingNodes() public {
        uint256 until = balancer.coolingUntil(2);
        assertGt(until, block.timestamp);
        assertEq(balancer.coolingUntil(3), until);
        loads(1_000, 9_000, 5_000);
        for (uint32 lease = 2; lease <= 3; ++lease) {
            vm.expectRevert(abi.encodeWithSelector(IBalancer.RangeCooling.selector, lease, until));
            move(lease, 1);
        }
        vm.warp(until);
        loads(1_000, 9_000, 5_000);
        move(3, 1);
    }

    /// @notice What found no taker cools all the same: it came from a move.
    function test_LeftOver() public {
        uint32 other = _busy();
        loads(9_000, 8_000, 5_000);
        report(4, 10_000);
        moveAndDraw(other, 2, 1);
        assertUnits(2, 2, 7, 0, 0);
        loads(9_000, 5_000, 5_000);
        runRound(2);
        assertEq(leases.lease(leases.leaseCount()).parent, other);
        assertGt(balancer.coolingUntil(leases.leaseCount()), block.timestamp);
    }

    /// @notice Reports that do not show yet what has come allow no second helping.
    function test_StaleReports() public {
        uint32 extra = _busy();
        vm.warp(block.timestamp + 60);
        report(4, 7_000);
        // Node 2 was at 10 % and got four units, which no report shows yet.
        uint256 before = vm.snapshotState();
        moveAndDraw(extra, 1, 1);
        assertUnits(2, 1, 8, 0, 0);
        vm.revertToState(before);
        // Nor does one count that comes within the grace, still at 10 %.
        report(2, 1_000);
        before = vm.snapshotState();
        moveAndDraw(extra, 1, 1);
        assertUnits(2, 1, 8, 0, 0);
        vm.revertToState(before);
        vm.warp(block.timestamp + param(Param.MoveGrace));
        checkpoint(extra, 1);
        report(2, 1_000);
        assertEq(reassignment.arrivalOf(2).units, 0);
        report(4, 7_000);
        moveAndDraw(extra, 1, 1);
        assertUnits(2, 0, 9, 0, 0);
        assertEq(leases.lease(leases.leaseCount()).nodeId, 2);
    }

    /// @notice Reports that do not show yet what has left allow no second plan.
    function test_StaleSource() public {
        uint32 extra = _busy();
        vm.warp(block.timestamp + 60);
        report(4, 8_000);
        moveAndDraw(extra, 3, 1);
        assertEq(balancer.shiftOf(4).outgoing, 3);
        submit(bob, submission(1, 20_000, list(CPU_EU)));
        vm.expectPartialRevert(IBalancer.RangeCooling.selector);
        move(extra + 1, 1);
    }

    /// @dev Node 4 (alice) runs nine units of task 2 under one lease.
    function _busy() private returns (uint32 lease) {
        register(alice, CPU_EU, 10, 10);
        submit(bob, submission(9, 20_000, list(CPU_EU)));
        runRound(1);
        lease = leases.leaseCount();
        assertEq(leases.lease(lease).nodeId, 4);
        assertEq(leases.lease(lease).count, 9);
    }
}
