// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer claims headway, so that giving ranges back costs nothing, and takes them again
contract ClaimedHeadwayTest is Fixture {
    address private mallory = makeAddr("mallory");
    address private developer = makeAddr("developer");

    function setUp() public override {
        super.setUp();
        chargeReleases();
    }

    /// @notice Once it is free; who takes the range again and gives it up again is barred for long enough that others have it.
    function test_OnceForEachRange() public {
        register(mallory, CPU_EU, 192, 0);
        register(alice, CPU_EU, 192, 10);
        submit(developer, 192, 20_000, CPU_EU);
        uint256 stake = vault.stakeOf(1);
        _claimAndGiveBack(1);
        (uint40 until, ) = supply.barOf(mallory);
        assertEq(until, 0, "the first time nobody can tell from honest work");
        _claimAndGiveBack(2);
        (until, ) = supply.barOf(mallory);
        assertEq(until, block.timestamp + 1 hours);
        assertEq(vault.stakeOf(1), stake, "a bar, no fee");
        runRound(3);
        assertEq(leases.lease(3).nodeId, 2, "the honest node has the range");
        deliver(3);
        accept(developer, 3);

        uint256 start = block.timestamp;
        uint256 blocked;
        for (uint256 w = 4; block.timestamp < start + 1 days; w += 2) {
            vm.warp(until);
            supply.sync(ids32(1));
            submit(developer, 192, 20_000, CPU_EU);
            _claimAndGiveBack(w);
            _claimAndGiveBack(w + 1);
            (until, ) = supply.barOf(mallory);
            blocked += 2;
            uint32 task = tasks.taskCount();
            vm.prank(developer);
            tasks.cancel(task);
        }
        emit log_named_uint("rounds of 2,880 that it holds up in a day", blocked);
        (, uint8 level) = supply.barOf(mallory);
        assertEq(level, 0);
        assertLe(blocked, 48, "twice an hour, each time other ranges");
        assertBooks();
    }

    /// @notice Two owners in turn are barred alike: the range had both before.
    function test_TwoOwnersInTurn() public {
        register(mallory, CPU_EU, 10, 0);
        register(bob, CPU_EU, 10, 0);
        submit(developer, 10, 20_000, CPU_EU);
        for (uint256 w = 1; w <= 4; ++w) {
            uint32 idle = uint32(1 + (w % 2));
            vm.prank(nodes.node(idle).owner);
            nodes.drain(idle);
            _claimAndGiveBack(w);
            assertEq(leases.lease(leases.leaseCount()).nodeId, 3 - idle);
            vm.prank(nodes.node(idle).owner);
            nodes.resume(idle);
            (uint40 until, ) = supply.barOf(nodes.node(3 - idle).owner);
            assertEq(until > block.timestamp, w > 2);
        }
    }

    /// @notice An owner that has had no part of the range before pays and waits for nothing, no matter who gave it back.
    function test_OthersAreNotBarred() public {
        register(mallory, CPU_EU, 10, 0);
        register(alice, CPU_EU, 10, 5);
        submit(developer, 10, 20_000, CPU_EU);
        _claimAndGiveBack(1);
        vm.prank(mallory);
        nodes.drain(1);
        _claimAndGiveBack(2);
        assertEq(leases.lease(2).nodeId, 2);
        (uint40 until, ) = supply.barOf(alice);
        assertEq(until, 0);
    }

    /// @notice What is open without audits, in numbers: an owner that does nothing, claims at an even pace and gives the range back
    /// before its longest time is over holds it up for that long, once, and is paid for the time as far as its claim reaches. It
    /// takes nothing beyond the price of the units, keeps no one from them twice, and ties up its capacity for as long.
    function test_WhatAFirstHoldCosts() public {
        register(mallory, CPU_EU, 4, 10);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        s.maxUnitTime = 1 hours;
        submit(developer, s);
        runRound(1);
        uint256 start = block.timestamp;
        uint256 stake = vault.stakeOf(1);
        while (block.timestamp < start + 59 minutes) {
            vm.warp(block.timestamp + 60);
            checkpoint(1, uint40((40_000 * (block.timestamp - start)) / 1 hours));
        }
        assertTrue(releaseFees.isFree(1));
        release(1);
        uint256 held = block.timestamp - start;
        vm.prank(mallory);
        nodes.drain(1);
        register(alice, CPU_EU, 4, 10);
        runRound(2);
        assertEq(leases.lease(2).nodeId, 2);
        for (uint40 i = 1; i <= 10; ++i) {
            vm.warp(block.timestamp + 60);
            checkpoint(2, i * 3_900);
        }
        deliver(2);
        accept(developer, 2);
        uint256 paid = vault.claimable(mallory);
        emit log_named_uint("seconds that the range is held up, of a longest time of 3,600", held);
        emit log_named_uint("micro-VER that the claim takes, of 40,000 for work that others did", paid / MICRO);
        emit log_named_decimal_uint("VER of stake lost", stake - vault.stakeOf(1), 18);
        assertLe(held, 1 hours + 4 * (60 + param(Param.LeaseGrace)), "no lease lives longer, whatever it claims");
        assertLe(paid, 40_000 * MICRO, "never more than the price");
        assertBooks();
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
