// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {SeedDraw} from "../../../../contracts/core/seeds/SeedDraw.sol";
import {Fixture} from "../../support/Fixture.sol";
import {IntakePaused, SeedPending} from "../../../../contracts/types/Errors.sol";
import {ClassSet} from "../../../../contracts/types/ClassSet.sol";

/// @title The life of rounds: opening, seeding, settling, aborting, bounties
contract RoundManagerTest is Fixture {
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
    }

    function test_OpenAndSettle() public {
        submit(bob, 6, 20_000, CPU_EU);
        IRoundManager.Demand[] memory demands = new IRoundManager.Demand[](1);
        // Four of the six units: no more are listed.
        demands[0] = IRoundManager.Demand(1, 4);
        vm.expectEmit(address(rounds));
        emit IRoundManager.RoundOpened(1, keeper, 1, demands, ClassSet.wrap(1));
        openRound();
        assertStatus(1, IRoundManager.RoundStatus.Seeding);
        assertTrue(supply.frozen());
        assertTrue(tasks.task(1).inRound);
        assertFalse(tasks.task(1).queued);
        assertEq(rounds.current().opener, keeper);
        assertEq(rounds.nextOpening(), block.timestamp + 4);

        bytes32 seed = fulfil(9);
        assertStatus(1, IRoundManager.RoundStatus.Settling);
        assertEq(rounds.current().seed, seed);
        bytes memory post = optimalPost();
        vm.expectEmit(true, true, false, false, address(rounds));
        emit IRoundManager.ClassCleared(1, CPU_EU, 0, 4);
        vm.expectEmit(address(rounds));
        emit IRoundManager.RoundSettled(1, keeper, 1, 4, 0);
        settle(post);

        IRoundManager.RoundView memory r = rounds.round(1);
        assertEq(uint8(r.status), uint8(IRoundManager.RoundStatus.Settled));
        assertEq(r.closedAt, block.timestamp);
        assertEq(r.leases, 1);
        assertEq(r.unitsOpen, 0);
        assertFalse(supply.frozen());
        assertTrue(tasks.task(1).queued);
        assertUnits(1, 2, 4, 0, 0);
        assertEq(nodes.node(1).leased, 4);
        assertEq(nodes.node(1).listedUnits, 0);

        vm.expectRevert(IRoundManager.NoRoundOpen.selector);
        rounds.settle(1, post);
        assertStatus(2, IRoundManager.RoundStatus.None);
    }

    function test_Open_refusals() public {
        vm.expectRevert(ITaskRegistry.NothingToAllocate.selector);
        rounds.open();
        submit(bob, 6, 20_000, CPU_EU);
        submit(bob, 6, 9_999, CPU_EU);
        openRound();
        assertEq(rounds.current().demands.length, 1, "what nothing serves stays out");
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.RoundOpen.selector, 1));
        rounds.open();
        fulfil(1);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.RoundOpen.selector, 1));
        rounds.open();
        settle(optimalPost());
        uint256 earliest = rounds.nextOpening();
        vm.warp(earliest - 1);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.RoundTooSoon.selector, earliest));
        rounds.open();
    }

    function test_Settle_refusals() public {
        vm.expectRevert(IRoundManager.NoRoundOpen.selector);
        rounds.settle(0, "");
        submit(bob, 6, 20_000, CPU_EU);
        openRound();
        vm.expectRevert(abi.encodeWithSelector(SeedPending.selector, 1));
        rounds.settle(1, "");
        fulfil(1);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.WrongRound.selector, 2, 1));
        rounds.settle(2, "");
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.MalformedPost.selector, 0));
        rounds.settle(1, "");
    }

    function test_Abort_silentOracle() public {
        submit(bob, 1, 20_000, CPU_EU);
        submit(bob, 2, 20_000, CPU_EU);
        setParam(Param.RoundMaxTasks, 2);
        submit(bob, 3, 20_000, CPU_EU);
        vm.expectRevert(IRoundManager.NoRoundOpen.selector);
        rounds.abort();
        openRound();
        uint256 requestId = rounds.current().requestId;
        uint256 until = block.timestamp + 60;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.RoundNotTimedOut.selector, 1, until));
        rounds.abort();
        vm.warp(until + 1);
        vm.expectEmit(address(rounds));
        emit IRoundManager.RoundAborted(1, IRoundManager.RoundStatus.Seeding);
        rounds.abort();
        assertStatus(1, IRoundManager.RoundStatus.Aborted);
        assertFalse(supply.frozen());
        uint32[] memory queue = lens.queuePage(0, 9);
        for (uint32 i; i < 3; ++i) assertEq(queue[i], i + 1, "the queue is as it was");
        vm.expectRevert(IRoundManager.NoRoundOpen.selector);
        rounds.abort();

        // The next round asks again; the late seed of the first has no effect on it.
        openRound();
        uint256[] memory words = new uint256[](1);
        words[0] = 5;
        coordinator.fulfillRandomWordsWithOverride(requestId, address(seeds), words);
        assertStatus(1, IRoundManager.RoundStatus.Aborted);
        assertStatus(2, IRoundManager.RoundStatus.Seeding);
        vm.expectRevert(abi.encodeWithSelector(SeedPending.selector, 2));
        rounds.settle(2, "");
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.WrongRound.selector, 1, 2));
        rounds.settle(1, "");
    }

    function test_Abort_silentKeepers() public {
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        uint256 until = block.timestamp + 180;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IRoundManager.RoundNotTimedOut.selector, 1, until));
        rounds.abort();
        vm.warp(until + 1);
        vm.expectEmit(address(rounds));
        emit IRoundManager.RoundAborted(1, IRoundManager.RoundStatus.Settling);
        rounds.abort();
        // A seed is drawn once: the next round has its own.
        openRound();
        assertEq(rounds.current().seed, bytes32(0));
    }

    /// @notice Late, but not aborted: the post still counts.
    function test_Settle_lateButNotAborted() public {
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        vm.warp(block.timestamp + 10 days);
        settle(optimalPost());
        assertStatus(1, IRoundManager.RoundStatus.Settled);
    }

    /// @notice Opener and settler share half of the fees that the round brings in for good.
    function test_Bounty_isShared() public {
        submit(bob, 3, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        bytes memory post = optimalPost();
        uint256 pool = vault.totals().bountyPool;
        vm.prank(alice);
        rounds.settle(1, post);
        uint256 fees = firstHalfOfFee(3, 10_000);
        assertEq(vault.claimable(keeper), fees / 4);
        assertEq(vault.claimable(alice), fees / 4);
        assertEq(vault.totals().bountyPool, pool + fees / 2);
        assertBooks();
    }

    /// @notice Rounds of much work pay what the parameter allows, and no more.
    function test_Bounty_isCapped() public {
        setParam(Param.RoundBounty, 100);
        submit(bob, 3, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        bytes memory post = optimalPost();
        vm.prank(alice);
        rounds.settle(1, post);
        assertEq(vault.claimable(keeper), 50 * MICRO);
        assertEq(vault.claimable(alice), 50 * MICRO);
    }

    /// @notice Half of an odd fee is rounded against the keepers, whatever the split.
    function testFuzz_Bounty_roundsAgainstKeepers(uint16 feeBps, uint64 cap, uint8 units) public {
        setParam(Param.FeeBps, uint64(bound(feeBps, 0, 1_000)));
        setParam(Param.RoundBounty, uint64(bound(cap, 0, 1e8)));
        uint256 count = bound(units, 1, 4);
        submit(bob, uint32(count), 20_000, CPU_EU);
        uint256 pool = vault.totals().bountyPool;
        runRound(1);
        uint256 fees = firstHalfOfFee(count, 10_000);
        uint256 paid = vault.claimable(keeper);
        assertLe(2 * paid, fees);
        assertLe(paid, param(Param.RoundBounty) * MICRO);
        assertEq(vault.totals().bountyPool, pool + fees - paid);
    }

    /// @notice An ask that is exactly the maximum price serves the task, and is paid in full.
    function test_AskAtTheMaximumPrice() public {
        submit(bob, 4, 10_000, CPU_EU);
        runRound(1);
        deliver(1);
        accept(bob, 1);
        assertEq(vault.claimable(alice), 40_000 * MICRO);
        assertEq(vault.claimable(bob), 0);
        assertEq(vault.escrowOf(1), 0);
    }

    /// @notice Nothing was allocated, nothing is paid.
    function test_Bounty_notForNothing() public {
        submit(bob, 1, 10_000, CPU_EU);
        openRound();
        // With the highest dither, leasing at the maximum price costs as much as leaving the unit open.
        uint256 word;
        while (SeedDraw.dither(keccak256(abi.encode(word)), 1, CPU_EU) != 1023) ++word;
        fulfil(word);
        settle(optimalPost());
        assertEq(leases.leaseCount(), 0);
        assertEq(vault.claimable(keeper), 0);
        assertUnits(1, 1, 0, 0, 0);
    }

    function test_Bounty_emptyPool() public {
        setParam(Param.SubmissionFee, 0);
        vm.prank(address(rounds));
        vault.payBounty(alice, type(uint256).max);
        assertEq(vault.totals().bountyPool, 0);
        submit(bob, 1, 20_000, CPU_EU);
        runRound(1);
        // The pool has what the round brought in, and it pays no more than half of that.
        assertEq(vault.claimable(keeper), firstHalfOfFee(1, 10_000) / 2);
        assertEq(leases.leaseCount(), 1);
    }

    /// @notice Pausing stops new tasks and new rounds, and nothing else.
    function test_Pause_isForIntakeOnly() public {
        uint32 first = leaseOf(bob, alice, 2);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(2);
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        vm.prank(guardian);
        parameters.setIntakePaused(true);

        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        vm.expectRevert(IntakePaused.selector);
        tasks.submit(s);
        fulfil(3);
        settle(optimalPost());
        vm.warp(rounds.nextOpening());
        vm.expectRevert(IntakePaused.selector);
        rounds.open();

        checkpoint(first, 1);
        deliver(first);
        accept(bob, first);
        vm.prank(alice);
        vault.claim(alice);
        expire(first + 1);
        vm.prank(bob);
        tasks.cancel(2);
        vm.startPrank(alice);
        nodes.drain(2);
        vm.stopPrank();
        uint256 stake = stakeFor(1);
        fund(bob, stake);
        ISupply.Terms memory terms = termsOf(CPU_EU, 1, 1);
        vm.prank(bob);
        nodes.register(INodeRegistry.Consent(bob, 0, ""), terms, profile(), stake);
        assertBooks();
    }
}
