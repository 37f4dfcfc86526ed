// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../support/Moves.sol";

/// @title Work is not moved to and fro, whoever plans
contract OscillationTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
        loads(9_000, 1_000, 5_000);
        move(1, 2, 4);
        release(1);
    }

    /// @notice The reverse of a plan is refused: neither end is where it would have to be, and the range cools.
    function test_Reverse() public {
        vm.expectPartialRevert(IBalancer.RangeCooling.selector);
        move(3, 1, 4);
        vm.warp(block.timestamp + param(Param.MoveCooldown));
        loads(5_000, 5_000, 5_000);
        vm.expectPartialRevert(IBalancer.SourceInBand.selector);
        move(3, 1, 4);
    }

    /// @notice Not even nodes that lie about their loads move a range sooner than its cooldown ends.
    function test_LyingNodes() public {
        uint256 until = block.timestamp + param(Param.MoveCooldown);
        assertEq(balancer.coolingUntil(2), until);
        assertEq(balancer.coolingUntil(3), until);
        loads(1_000, 9_000, 5_000);
        for (uint32 lease = 2; lease <= 3; ++lease) {
            vm.expectRevert(abi.encodeWithSelector(IBalancer.RangeCooling.selector, lease, until));
            move(lease, lease == 2 ? 2 : 1, 1);
        }
        vm.warp(until);
        loads(1_000, 9_000, 5_000);
        move(3, 1, 1);
    }

    /// @notice Reports that do not show yet what is on its way allow no second helping.
    function test_StaleReports() public {
        register(alice, CPU_EU, 10, 10);
        submit(bob, submission(9, 20_000, list(CPU_EU)));
        runRound(1);
        uint32 extra = leases.leaseCount();
        uint32 holder = leases.lease(extra).nodeId;
        assertEq(holder, 4);
        vm.warp(block.timestamp + 60);
        report(4, 7_000);
        // Node 2 was at 10 % and got four units, which no report shows yet.
        vm.expectRevert(abi.encodeWithSelector(IBalancer.TargetInBand.selector, 2, 5_000, 220_000, 40));
        move(extra, 2, 1);
        // Nor does one count that comes within the grace, still at 10 %.
        report(2, 1_000);
        vm.expectPartialRevert(IBalancer.TargetInBand.selector);
        move(extra, 2, 1);
        vm.warp(block.timestamp + param(Param.MoveGrace));
        checkpoint(extra, 1);
        report(2, 1_000);
        assertEq(balancer.shiftOf(2).incoming, 0);
        report(4, 7_000);
        move(extra, 2, 1);
    }
}
