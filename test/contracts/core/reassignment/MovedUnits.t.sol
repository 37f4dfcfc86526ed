// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../../support/Moves.sol";

/// @title How much of what moves a node is given
contract MovedUnitsTest is Moves {
    function setUp() public override {
        super.setUp();
        _market();
    }

    /// @notice A taker comes above the average by a part of one unit's worth, even where the band would let it have more.
    function test_WithinAWideBand() public {
        setParam(Param.BalanceBand, 2_000);
        // The average is 55 %: from 20 % it is three units and a half.
        loads(10_000, 2_000, 4_500);
        moveAndDraw(1, 5, 7);
        assertEq(leases.lease(3).nodeId, 2);
        assertEq(leases.lease(3).count, 4);
        assertUnits(1, 1, 9, 0, 0);
    }

    function test_AverageIsCut() public {
        // 15,001 of three nodes.
        loads(10_000, 2_000, 3_001);
        move(1, 5);
        release(1);
        openBatch();
        assertEq(reassignment.current().rule.averageLoad, 5_000);
    }

    /// @notice What came is counted on top of what the node reports until the time is over in which it starts it.
    function test_ArrivalCountsUntilItsTimeIsOver() public {
        loads(10_000, 2_000, 3_000);
        moveAndDraw(1, 4, 7);
        uint40 until = reassignment.arrivalOf(2).until;
        assertEq(until, block.timestamp + 2 minutes);
        vm.warp(until);
        report(2, 2_000);
        assertEq(reassignment.arrivalOf(2).units, 4);
        vm.warp(until + param(Param.ReportInterval));
        report(2, 6_000);
        assertEq(reassignment.arrivalOf(2).units, 0);
    }
}
