// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IReleaseFees} from "../../../../contracts/interfaces/IReleaseFees.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title Release fees at their edges: who is remembered, what is headway, what is held
contract ReleaseFeesTest is Fixture {
    function setUp() public override {
        super.setUp();
        chargeReleases();
    }

    /// @notice Of the leases that a range had before, the last eight are looked at.
    function test_EightEarlierLeases() public {
        submit(bob, 2, 20_000, CPU_EU);
        for (uint32 i = 1; i <= 9; ++i) {
            register(_owner(i), CPU_EU, 2, 10);
            _claimAndGiveBack(i);
            assertEq(leases.lease(i).nodeId, i);
            vm.prank(_owner(i));
            nodes.drain(i);
        }
        // The ninth before it was the first owner's.
        _resume(1);
        _claimAndGiveBack(10);
        assertEq(leases.lease(10).nodeId, 1);
        (uint40 until, ) = supply.barOf(_owner(1));
        assertEq(until, 0);
        vm.prank(_owner(1));
        nodes.drain(1);
        // The eighth before this one was the third's.
        _resume(3);
        _claimAndGiveBack(11);
        assertEq(leases.lease(11).nodeId, 3);
        (until, ) = supply.barOf(_owner(3));
        assertEq(until, block.timestamp + 1 hours);
    }

    /// @notice A checkpoint that gets the range no further than the lease before had it is no headway.
    function test_HeadwayIsBeyondWhatWasInherited() public {
        register(alice, CPU_EU, 2, 10);
        submit(bob, 2, 20_000, CPU_EU);
        _claimAndGiveBack(1);
        runRound(2);
        checkpoint(2, 100);
        vm.warp(block.timestamp + 60);
        assertFalse(releaseFees.isFree(2));
        checkpoint(2, 101);
        assertTrue(releaseFees.isFree(2));
    }

    /// @notice A part of a range inherits its part of the progress, rounded down.
    function test_PartInheritsItsPart() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 3, 20_000, CPU_EU);
        _claimAndGiveBack(1);
        vm.prank(alice);
        nodes.drain(1);
        register(alice, CPU_EU, 1, 10);
        register(carol, CPU_EU, 2, 10);
        runRound(2);
        uint32 id = leases.lease(2).count == 1 ? 2 : 3;
        assertEq(leases.lease(id).count, 1);
        // A third of 100.
        checkpoint(id, 33);
        vm.warp(block.timestamp + 60);
        assertFalse(releaseFees.isFree(id));
        checkpoint(id, 34);
        assertTrue(releaseFees.isFree(id));
    }

    /// @notice The fees of the first sixteen owners are held for the task, those of others go to the pool at once.
    function test_SeventeenthOwner() public {
        uint32 task = submit(bob, 1, 20_000, CPU_EU);
        for (uint32 i = 1; i <= 17; ++i) {
            register(_owner(i), CPU_EU, 1, 10);
            runRound(i);
            uint256 pool = vault.totals().bountyPool;
            uint256 fee = releaseFees.feeFor(1);
            release(i);
            assertEq(leases.lease(i).nodeId, i);
            assertEq(vault.totals().bountyPool - pool, i <= 16 ? 0 : fee);
            assertEq(vault.feesOf(task), (i <= 16 ? i : 16) * fee);
        }
        assertEq(releaseFees.heldOf(task).owners, 16);
        assertBooks();
    }

    /// @notice Of a stake that is no whole number of micro-VER, what is beyond it is nobody's share.
    function test_OddStake() public {
        uint256 stake = parameters.get(Param.StakePerUnit);
        register(alice, CPU_EU, 1, 10);
        fund(alice, 1);
        vm.prank(alice);
        nodes.addStake(1, 1);
        uint32 task = submit(bob, 1, 20_000, CPU_EU);
        runRound(1);
        setParam(Param.StakePerUnit, uint64(2 * stake));
        setParam(Param.ReleaseFee, uint64(2 * stake - 10_000));
        release(1);
        assertEq(vault.feesOf(task), stake * MICRO + 1);
        IReleaseFees.HeldFees memory held = releaseFees.heldOf(task);
        assertEq(held.roundShare, stake);
        assertEq(held.taskShare, 0);
    }

    function _owner(uint32 number) private returns (address) {
        return makeAddr(string.concat("owner", vm.toString(number)));
    }

    function _resume(uint32 nodeId) private {
        vm.prank(_owner(nodeId));
        nodes.resume(nodeId);
    }

    /// @dev A round, a checkpoint that claims more than the range had, an interval's wait, and the release.
    function _claimAndGiveBack(uint256 word) private {
        runRound(word);
        uint32 id = leases.leaseCount();
        checkpoint(id, uint40(word * 100));
        vm.warp(block.timestamp + 60);
        assertTrue(releaseFees.isFree(id));
        release(id);
    }
}
