// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../../contracts/interfaces/IReassignment.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../../support/Failures.sol";
import {NotModule, SeedPending} from "../../../../contracts/types/Errors.sol";

/// @title The life of a batch, and whose turn it is
contract ReassignmentTest is Failures {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
    }

    function test_Drawn() public {
        checkpoint(id, 500);
        uint32 next = register(alice, CPU_EU, 9, 3);
        expire(id);
        openBatch();
        assertTrue(supply.frozen());
        assertBatch(IReassignment.BatchStatus.Seeding);
        assertEq(orphanCount(), 0);
        vm.expectRevert(abi.encodeWithSelector(SeedPending.selector, 1));
        reassignment.draw(1);
        fulfilBatch(3);
        assertBatch(IReassignment.BatchStatus.Drawing);
        vm.expectEmit(address(reassignment));
        emit IReassignment.RangeDrawn(1, id, id + 1, next, 0, 4);
        assertEq(reassignment.draw(5), 0);
        assertBatch(IReassignment.BatchStatus.Done);
        assertFalse(supply.frozen());
        ILeaseRegistry.Lease memory held = leases.lease(id + 1);
        assertEq(held.parent, id);
        assertEq(held.fence, 2);
        assertEq(held.priceMicroVer, 3_000);
        assertEq(held.nodeId, next);
        assertEq(held.due, block.timestamp + 90);
        assertStatus(id + 1, ILeaseRegistry.LeaseStatus.Active);
        assertUnits(1, 0, 4, 0, 0);
        INodeRegistry.NodeView memory n = nodes.node(next);
        assertEq(n.leased, 4);
        assertEq(n.listedUnits, 5);
        // It runs on to the end like any lease.
        deliver(id + 1);
        accept(bob, id + 1);
        assertUnits(1, 0, 0, 4, 0);
        assertBooks();
    }

    function test_Split() public {
        for (uint256 i; i < 5; ++i) register(alice, CPU_EU, 1, 3);
        expire(id);
        runBatch(3);
        uint256 covered;
        for (uint32 n = id + 1; n <= leases.leaseCount(); ++n) {
            ILeaseRegistry.Lease memory held = leases.lease(n);
            assertEq(held.count, 1);
            assertEq(held.parent, id);
            covered |= 1 << held.start;
        }
        assertEq(covered, 15);
        assertUnits(1, 0, 4, 0, 0);
    }

    /// @notice What finds no room goes back to the queue, and keeps its checkpoint and its fence.
    function test_RestIsReturned() public {
        register(alice, CPU_EU, 3, 3);
        expire(id);
        runBatch(3);
        assertUnits(1, 1, 3, 0, 0);
        ITaskRegistry.OpenRange memory rest = lens.reopenedRanges(1)[0];
        assertEq(rest.start, 3);
        assertEq(rest.count, 1);
        assertEq(rest.parent, id);
        assertEq(rest.fence, 2);
        assertTrue(tasks.task(1).queued);
    }

    function test_NobodyEligible() public {
        // Another class, too dear, draining, and the failed node itself.
        register(alice, CPU_US, 4, 3);
        register(alice, CPU_EU, 4, 21);
        uint32 drained = register(alice, CPU_EU, 4, 3);
        vm.prank(alice);
        nodes.drain(drained);
        expire(id);
        runBatch(3);
        assertUnits(1, 4, 0, 0, 0);
        assertEq(leases.leaseCount(), id);
    }

    /// @notice In a network of four, where all that is listed is of nodes that may not have the range, a draw ends once it has met
    /// them all, and not after 64 tries, which took 1.2 million gas.
    /// hardhat-config: isolate = true
    function test_NobodyFitIsFoundSoon() public {
        address owner = nodes.node(leases.lease(id).nodeId).owner;
        for (uint256 i; i < 3; ++i) register(owner, CPU_EU, uint32(4 + i), 3 + i);
        expire(id);
        openBatch();
        fulfilBatch(3);
        reassignment.draw(type(uint256).max);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas of a draw for which nobody is fit", used);
        assertUnits(1, 4, 0, 0, 0);
        assertLt(used, 500_000);
    }

    /// @notice Until each of several unfit nodes was met, those that are fit are drawn as ever.
    function testFuzz_OneIsFit(uint64 word) public {
        address owner = nodes.node(leases.lease(id).nodeId).owner;
        for (uint256 i; i < 3; ++i) register(owner, CPU_EU, 4, 3);
        uint32 fit = register(alice, CPU_EU, 4, 3);
        expire(id);
        runBatch(word);
        assertEq(leases.lease(id + 1).nodeId, fit);
        assertEq(leases.lease(id + 1).count, 4);
    }

    /// @notice A surcharge counts against what the task pays, and is not paid.
    function test_Surcharge() public {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU, CPU_US));
        s.surcharges = new uint256[](2);
        s.surcharges[1] = 15_000 * MICRO;
        uint32 second = leaseOn(1, s);
        register(alice, CPU_US, 4, 6);
        expire(second);
        runBatch(1);
        assertUnits(2, 1, 0, 0, 0);
    }

    /// @notice A surcharge may be all that the task pays: then a node that asks for nothing may have the range.
    function test_Surcharge_whole() public {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU, CPU_US));
        s.surcharges = new uint256[](2);
        s.surcharges[1] = 20_000 * MICRO;
        uint32 second = leaseOn(1, s);
        uint32 free = register(alice, CPU_US, 4, 0);
        expire(second);
        runBatch(1);
        assertUnits(2, 0, 1, 0, 0);
        assertEq(leases.lease(leases.leaseCount()).nodeId, free);
    }

    /// @notice Half of the highest latency, in whole milliseconds.
    function test_LatencyMin() public {
        setParam(Param.MaxLatency, 201);
        expire(id);
        openBatch();
        assertEq(reassignment.current().rule.latencyMin, 100);
    }

    function test_Empty() public {
        vm.expectRevert(IReassignment.NoOrphans.selector);
        reassignment.open();
        vm.expectRevert(IReassignment.NoBatchOpen.selector);
        reassignment.draw(1);
        vm.expectRevert(IReassignment.NoBatchOpen.selector);
        reassignment.abort();
        assertEq(reassignment.current().id, 0);
    }

    function test_ModulesOnly() public {
        bytes memory refusal = abi.encodeWithSelector(NotModule.selector, address(this));
        vm.expectRevert(refusal);
        reassignment.add(1, false);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        supply.freeze(1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        supply.reserve(1, 1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        tasks.refund(1, 1);
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        leases.grant(new ILeaseRegistry.Grant[](0), 0);
    }

    /// @notice Orphans of tasks that were cancelled meanwhile are refunded and need no seed.
    function test_OnlyLapsed() public {
        expire(id);
        vm.prank(bob);
        tasks.cancel(1);
        assertEq(reassignment.open(), 0);
        assertFalse(supply.frozen());
        assertEq(orphanCount(), 0);
        assertEq(reassignment.current().id, 0);
        assertUnits(1, 0, 0, 0, 4);
    }

    /// @notice A task cancelled after its batch was opened changes no draw: its leased units still run.
    function test_CancelledAmidBatch() public {
        register(alice, CPU_EU, 4, 3);
        expire(id);
        openBatch();
        vm.prank(bob);
        tasks.cancel(1);
        assertUnits(1, 0, 4, 0, 0);
        fulfilBatch(3);
        reassignment.draw(1);
        assertUnits(1, 0, 4, 0, 0);
        release(id + 1);
        assertUnits(1, 0, 0, 0, 4);
        assertBooks();
    }

    /// @notice A silent oracle leads to the queue, not to a stuck range; a late seed is never used.
    function test_Abort() public {
        register(alice, CPU_EU, 4, 3);
        expire(id);
        openBatch();
        uint256 until = block.timestamp + 60;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IReassignment.BatchNotTimedOut.selector, 1, until));
        reassignment.abort();
        vm.warp(until + 1);
        reassignment.abort();
        assertBatch(IReassignment.BatchStatus.Aborted);
        assertFalse(supply.frozen());
        assertUnits(1, 4, 0, 0, 0);
        fulfilBatch(5);
        assertBatch(IReassignment.BatchStatus.Aborted);
        vm.expectRevert(IReassignment.NoBatchOpen.selector);
        reassignment.draw(1);
        runRound(6);
        assertEq(leases.lease(id + 1).parent, id);
        assertEq(fenceOf(id + 1), 2);
    }

    /// @notice Who draws also has time; what is drawn by then stands.
    function test_AbortUndrawn() public {
        uint32 second = leaseOn(2);
        register(alice, CPU_EU, 9, 3);
        expire(id);
        expire(second);
        openBatch();
        fulfilBatch(3);
        assertEq(reassignment.draw(1), 1);
        vm.warp(block.timestamp + 180);
        vm.expectPartialRevert(IReassignment.BatchNotTimedOut.selector);
        reassignment.abort();
        vm.warp(block.timestamp + 1);
        reassignment.abort();
        assertUnits(1, 0, 4, 0, 0);
        assertUnits(2, 2, 0, 0, 0);
        assertFalse(supply.frozen());
    }

    /// @notice Rounds and batches exclude one another and take turns where both wait.
    function test_Turns() public {
        register(alice, CPU_EU, 9, 3);
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        expire(id);
        // A batch cannot open amid a round.
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        reassignment.open();
        fulfil(1);
        settle(optimalPost());
        submit(bob, 1, 20_000, CPU_EU);
        assertTrue(reassignment.hasTurn());
        vm.warp(rounds.nextOpening());
        vm.expectRevert(IRoundManager.BatchPending.selector);
        rounds.open();
        uint32 later = leases.leaseCount();
        openBatch();
        assertFalse(reassignment.hasTurn());
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        rounds.open();
        vm.expectRevert(abi.encodeWithSelector(IReassignment.BatchOpen.selector, 1));
        reassignment.open();
        fulfilBatch(1);
        reassignment.draw(1);
        // Now another orphan waits, and a task: the round may go first, but the batch does not wait for ever.
        expire(later);
        assertFalse(reassignment.hasTurn());
        uint256 closedAt = reassignment.current().closedAt;
        vm.warp(closedAt + 9);
        vm.expectRevert(abi.encodeWithSelector(IReassignment.RoundHasPriority.selector, closedAt + 10));
        reassignment.open();
        uint256 before = vm.snapshotState();
        vm.warp(closedAt + 10);
        reassignment.open();
        vm.revertToState(before);
        register(alice, CPU_EU, 9, 4);
        openRound();
        assertTrue(reassignment.hasTurn());
    }

    function test_PauseOfIntakeStopsNoBatch() public {
        register(alice, CPU_EU, 4, 3);
        expire(id);
        vm.prank(guardian);
        parameters.setIntakePaused(true);
        runBatch(1);
        assertUnits(1, 0, 4, 0, 0);
    }

    /// @notice Whatever the seed: no unit twice, nobody overbooked, and what is drawn adds up.
    function testFuzz_Draw(uint256 word, uint8 a, uint8 b, uint8 c) public {
        uint32 second = leaseOn(1 + (a % 9));
        uint32 third = leaseOn(1 + (b % 9));
        uint32 before = third;
        register(alice, CPU_EU, 1 + (b % 5), 3);
        register(alice, CPU_EU, 1 + (c % 5), 4);
        vm.warp(uint256(leases.lease(third).due) + 1);
        leases.expire(id);
        leases.expire(second);
        leases.expire(third);
        runBatch(word);
        uint256 drawn;
        for (uint32 n = before + 1; n <= leases.leaseCount(); ++n) drawn += leases.lease(n).count;
        uint256 leased;
        uint256 open;
        for (uint32 t = 1; t <= 3; ++t) {
            leased += tasks.task(t).leasedUnits;
            open += tasks.task(t).openUnits;
        }
        assertEq(leased, drawn);
        assertEq(leased + open, 4 + 1 + (a % 9) + 1 + (b % 9));
        for (uint32 n = 1; n <= nodes.nodeCount(); ++n) {
            INodeRegistry.NodeView memory v = nodes.node(n);
            assertLe(v.leased + v.listedUnits, v.capacity);
        }
    }
}
