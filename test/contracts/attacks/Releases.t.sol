// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReleaseFees} from "../../../contracts/interfaces/IReleaseFees.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../support/Fixture.sol";
import {NotModule} from "../../../contracts/types/Errors.sol";

/// @title A griefer takes leases only to give them back
contract ReleasesTest is Fixture {
    address private mallory = makeAddr("mallory");
    address private developer = makeAddr("developer");

    function setUp() public override {
        super.setUp();
        chargeReleases();
    }

    /// @notice One node of 192 units at ask 0 takes every unit and gives it back at once. It does so once an hour, then once every
    /// two hours and so on, for more than the round cost; the round after it serves everybody.
    function test_OneNodeCannotHoldTheMarketUp() public {
        register(alice, CPU_EU, 200, 10);
        register(mallory, CPU_EU, 192, 0);
        uint32 a = submit(developer, 100, 20_000, CPU_EU);
        uint32 b = submit(developer, 92, 20_000, CPU_EU);
        uint256 stake = vault.stakeOf(2);
        _takeAndGiveBack(1);
        uint256 cost = stake - vault.stakeOf(2);
        assertGe(cost, param(Param.RoundBounty) * MICRO, "more than the settlement cost the pool");
        assertEq(cost, releaseFees.feeFor(100) + releaseFees.feeFor(92));
        (uint40 until, uint8 level) = supply.barOf(mallory);
        assertEq(until, block.timestamp + 1 hours);
        assertEq(level, 1, "leases of one round count once");
        assertEq(nodes.node(2).listedUnits, 0);

        uint32 first = leases.leaseCount() + 1;
        runRound(2);
        for (uint32 i = first; i <= leases.leaseCount(); ++i) {
            assertEq(leases.lease(i).nodeId, 1, "the next round is the honest node's");
            deliver(i);
            accept(developer, i);
        }
        assertUnits(a, 0, 0, 100, 0);
        assertUnits(b, 0, 0, 92, 0);
        _settleFees(a);
        _settleFees(b);
        assertEq(vault.feesOf(a) + vault.feesOf(b), 0);
        assertBooks();
        emit log_named_decimal_uint("VER that one round held up costs the griefer", cost, 18);
        emit log_named_decimal_uint("VER of these to the developer", 192 * param(Param.ReleaseUnitFee) * MICRO, 18);

        // A day of griefing, come what may.
        uint256 start = block.timestamp;
        uint256 blocked;
        for (uint256 w = 3; block.timestamp < start + 1 days; ++w) {
            vm.warp(until);
            supply.sync(ids32(2));
            submit(developer, 192, 20_000, CPU_EU);
            _takeAndGiveBack(w);
            (until, ) = supply.barOf(mallory);
            ++blocked;
        }
        emit log_named_uint("rounds of 2,880 that it holds up in a day", blocked);
        emit log_named_decimal_uint("VER that this costs", stake - vault.stakeOf(2), 18);
        assertLe(blocked, 5);
        assertBooks();
    }

    /// @notice A barred owner's other nodes do not take the next round.
    function test_TheOwnerIsBarredNotTheNode() public {
        register(mallory, CPU_EU, 10, 0);
        register(mallory, CPU_EU, 10, 0);
        register(alice, CPU_EU, 10, 5);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        release(leases.leaseCount());
        assertEq(nodes.node(1).listedUnits + nodes.node(2).listedUnits, 0);
        assertGt(nodes.node(2).cooldownUntil, block.timestamp, "clients see it");
        runRound(2);
        assertEq(leases.lease(leases.leaseCount()).nodeId, 3);
        vm.warp(block.timestamp + 1 hours);
        uint32[] memory both = new uint32[](2);
        (both[0], both[1]) = (1, 2);
        supply.sync(both);
        assertEq(nodes.node(1).listedUnits + nodes.node(2).listedUnits, 19, "the fee took part of the stake");
    }

    /// @notice However many nodes an owner has, no round opens while one of them is still listed; upkeep takes them out in steps.
    function test_AllNodesOfTheOwnerAreBarred() public {
        for (uint256 i; i < 40; ++i) register(mallory, CPU_EU, 10, 0);
        register(alice, CPU_EU, 10, 5);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        release(1);
        assertEq(_listed(40), 24, "the newest 16 are out at once");
        vm.warp(rounds.nextOpening());
        vm.expectRevert(abi.encodeWithSelector(ISupply.ListingsPending.selector, 1));
        rounds.open();
        assertEq(supply.syncPending(10), 1);
        assertEq(_listed(40), 14);
        assertEq(supply.syncPending(100), 0);
        assertEq(_listed(40), 0);
        runRound(2);
        assertEq(leases.lease(2).nodeId, 41, "the next round is the honest node's");
    }

    /// @notice Also where the lease is given back during a freeze: the listings stand until it is over.
    function test_AllNodesOfTheOwnerAreBarred_duringAFreeze() public {
        for (uint256 i; i < 40; ++i) register(mallory, CPU_EU, 10, 0);
        register(alice, CPU_EU, 10, 5);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        submit(developer, 10, 20_000, CPU_EU);
        openRound();
        release(1);
        fulfil(2);
        settle(optimalPost());
        uint32 second = leases.leaseCount();
        assertLe(leases.lease(second).nodeId, 40, "what was frozen counts");
        // The bar's walk, and the node that gave the lease back.
        assertEq(supply.pendingCount(), 2);
        assertEq(supply.syncPending(100), 0);
        assertEq(_listed(40), 0);
    }

    /// @notice Later nodes of a barred owner are not listed either, nor a walk lost that another bar finds unfinished.
    function test_NodesThatComeDuringABar() public {
        for (uint256 i; i < 20; ++i) register(mallory, CPU_EU, 10, 0);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        release(1);
        register(mallory, CPU_EU, 10, 0);
        assertEq(nodes.node(21).listedUnits, 0);
        (uint40 until, ) = supply.barOf(mallory);
        vm.warp(until);
        // Nobody did the upkeep: the rest of the walk finds the bar over, and leaves the listings as they are.
        assertEq(_listed(21), 4);
        assertEq(supply.syncPending(100), 0);
        assertEq(_listed(21), 4);
    }

    /// @notice The bar doubles, and is forgotten with time.
    function test_BarDoublesAndIsForgotten() public {
        register(mallory, CPU_EU, 10, 0);
        uint256 time = 1 hours;
        for (uint256 i; i < 4; ++i) {
            submit(developer, 10, 20_000, CPU_EU);
            supply.sync(ids32(1));
            _takeAndGiveBack(i + 1);
            (uint40 until, ) = supply.barOf(mallory);
            assertEq(until, block.timestamp + time);
            vm.warp(until);
            time *= 2;
        }
        vm.warp(block.timestamp + 4 days);
        (, uint8 level) = supply.barOf(mallory);
        assertEq(level, 0);
    }

    /// @notice Progress that is only claimed does not make a release free, and real headway does.
    function test_HeadwayTakesTime() public {
        register(alice, CPU_EU, 10, 0);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        uint256 stake = vault.stakeOf(1);
        vm.warp(block.timestamp + 60);
        checkpoint(1, 5_000);
        release(1);
        assertEq(vault.stakeOf(1), stake, "an interval of work is headway");
        runRound(2);
        uint32 second = leases.leaseCount();
        vm.warp(block.timestamp + 59);
        checkpoint(second, 6_000);
        release(second);
        assertEq(vault.stakeOf(1), stake - releaseFees.feeFor(10), "a claim is not");
    }

    /// @notice What nobody can run costs those who tried nothing, once the task has ended.
    function test_UnusableTask() public {
        address[3] memory owners = [alice, bob, carol];
        for (uint256 i; i < 3; ++i) register(owners[i], CPU_EU, 10, i);
        uint32 task = submit(developer, 10, 20_000, CPU_EU);
        for (uint256 w = 1; w <= 3; ++w) _takeAndGiveBack(w);
        assertEq(releaseFees.heldOf(task).owners, 3);
        uint256 fee = releaseFees.feeFor(10);
        assertEq(vault.feesOf(task), 3 * fee);
        vm.expectRevert(abi.encodeWithSelector(IReleaseFees.TaskNotEnded.selector, task));
        releaseFees.distribute(task);
        uint256 refund = vault.escrowOf(task);
        vm.prank(developer);
        tasks.cancel(task);
        assertEq(vault.claimable(developer), refund, "no fee is part of what the developer gets back");
        vm.expectEmit(address(releaseFees));
        emit IReleaseFees.ReleaseFeesDistributed(task, 0, 0, 3 * fee);
        releaseFees.distribute(task);
        for (uint256 i; i < 3; ++i) assertEq(vault.claimable(owners[i]), fee);
        vm.expectRevert(abi.encodeWithSelector(IReleaseFees.NoFees.selector, task));
        releaseFees.distribute(task);
        assertBooks();
    }

    /// @notice Too little evidence: neither side earns, so neither a griefer nor a developer of unusable tasks does.
    function test_NobodyEarnsByATaskThatNobodyRan() public {
        register(alice, CPU_EU, 10, 0);
        uint32 task = submit(developer, 10, 20_000, CPU_EU);
        _takeAndGiveBack(1);
        vm.prank(developer);
        tasks.cancel(task);
        uint256 pool = vault.totals().bountyPool;
        releaseFees.distribute(task);
        assertEq(vault.totals().bountyPool, pool + releaseFees.feeFor(10));
        assertEq(vault.claimable(alice), 0);
        assertBooks();
    }

    /// @notice Keepers find the tasks whose fees are held without history.
    function test_TasksWithFees() public {
        register(alice, CPU_EU, 10, 0);
        register(bob, CPU_EU, 10, 1);
        register(carol, CPU_EU, 10, 2);
        uint32[3] memory each;
        for (uint256 w; w < 3; ++w) {
            each[w] = submit(developer, 10, 20_000, CPU_EU);
            runRound(w + 1);
            release(leases.leaseCount());
            vm.prank(developer);
            tasks.cancel(each[w]);
        }
        assertEq(releaseFees.heldCount(), 3);
        assertEq(releaseFees.heldPage(0, 10).length, 3);
        releaseFees.distribute(each[0]);
        uint32[] memory left = releaseFees.heldPage(0, 10);
        assertEq(left.length, 2);
        assertEq(left[0], each[2], "the last takes its place");
        assertEq(left[1], each[1]);
        assertEq(releaseFees.heldPage(1, 1)[0], each[1]);
        assertEq(releaseFees.heldPage(2, 1).length, 0);
        releaseFees.distribute(each[2]);
        releaseFees.distribute(each[1]);
        assertEq(releaseFees.heldCount(), 0);
        assertBooks();
    }

    /// @notice A task that was cancelled, or is late, is given back for nothing.
    function test_ClosedTasksAreGivenBackForNothing() public {
        register(alice, CPU_EU, 10, 0);
        uint32 task = submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        vm.prank(developer);
        tasks.cancel(task);
        uint256 stake = vault.stakeOf(1);
        release(1);
        assertEq(vault.stakeOf(1), stake);
        (uint40 until, ) = supply.barOf(alice);
        assertEq(until, 0);
    }

    function test_OnlyModules() public {
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        releaseFees.charge(1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        supply.bar(alice, true);
    }

    function _listed(uint32 count) private view returns (uint256 listed) {
        for (uint32 i = 1; i <= count; ++i) if (nodes.node(i).listedUnits != 0) ++listed;
    }

    function _takeAndGiveBack(uint256 word) private {
        uint32 first = leases.leaseCount() + 1;
        runRound(word);
        for (uint32 i = first; i <= leases.leaseCount(); ++i) release(i);
    }

    function _settleFees(uint32 task) private {
        assertEq(uint8(tasks.task(task).status), uint8(ITaskRegistry.TaskStatus.Ended));
        IReleaseFees.HeldFees memory held = releaseFees.heldOf(task);
        uint256 before = vault.claimable(developer);
        releaseFees.distribute(task);
        assertEq(vault.claimable(developer) - before, uint256(held.taskShare) * MICRO);
    }
}
