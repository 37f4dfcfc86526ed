// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../../support/Moves.sol";

/// @title Moves wait for one another, and rounds for them once that time is over
contract TurnOfMovesTest is Moves {
    function test_TurnOfMoves() public {
        setParam(Param.RoundInterval, 20 minutes);
        setParam(Param.MoveCooldown, 2 minutes);
        _market();
        vm.warp(block.timestamp + 1 minutes);
        loads(10_000, 2_000, 3_000);
        moveAndDraw(1, 2, 7);
        uint256 turn = supply.lastFreeze().batchAt + param(Param.RoundInterval);
        submit(bob, 1, 20_000, CPU_EU);
        runRound(1);
        loads(8_000, 1_000, 3_000);
        move(2, 1);
        release(2);
        submit(bob, 1, 20_000, CPU_EU);
        assertLt(block.timestamp, turn);
        vm.warp(turn - 1);
        assertFalse(reassignment.hasTurn());
        vm.warp(turn);
        assertTrue(reassignment.hasTurn());
        vm.warp(rounds.nextOpening());
        vm.expectRevert(IRoundManager.BatchPending.selector);
        rounds.open();
        runBatch(7);
        assertFalse(reassignment.hasTurn());
        runRound(1);
    }
}
