// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MAX_LINE} from "../../../../contracts/types/Units.sol";
import {ICheckpointRegistry} from "../../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title Those who did the work are paid for it: how a price is shared along a line of leases
contract SharesTest is Fixture {
    uint256 private constant MILLI = 1e15;

    ITaskRegistry.Submission private terms;

    function setUp() public override {
        super.setUp();
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        s.checkpointInterval = 1 hours;
        s.maxUnitTime = 10 hours;
        terms = s;
    }

    /// @notice A node that fails half way loses the penalty, not the work; each is paid its own price.
    function test_Failed() public {
        address carol = makeAddr("carol");
        register(alice, CPU_EU, 4, 10);
        submit(bob, terms);
        runRound(1);
        vm.warp(block.timestamp + 1 hours);
        checkpoint(1, 20_000);
        register(carol, CPU_EU, 4, 15);
        expire(1);
        runBatch(2);
        assertEq(leases.lease(2).parent, 1);
        vm.warp(block.timestamp + 1 hours);
        deliver(2);
        uint256 escrow = vault.escrowOf(1);
        ICheckpointRegistry.Share[] memory shares = checkpoints.sharesOf(2);
        assertEq(shares.length, 1);
        assertEq(shares[0].leaseId, 1);
        assertEq(shares[0].nodeId, 1);
        assertEq(shares[0].price, 10_000);
        assertEq(shares[0].work, 20_000);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.WorkPaid(1, 2, 1, 20_000, 20 * MILLI);
        vm.expectEmit(address(leases));
        // 2 units at 10,000 and 2 at 15,000 micro-VER; half of 2 % of both.
        emit ILeaseRegistry.LeasePaid(2, 1, 2, 30 * MILLI, (50 * MILLI) / 100);
        accept(bob, 2);
        assertEq(vault.claimable(alice), 20 * MILLI);
        assertEq(vault.claimable(carol), 30 * MILLI);
        assertLt(vault.stakeOf(1), stakeFor(4));
        assertGt(escrow, 50 * MILLI);
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice Nothing is shared with a lease that left no checkpoint, nor beyond one that did all.
    function test_NothingToShare() public {
        register(alice, CPU_EU, 4, 10);
        submit(bob, terms);
        runRound(1);
        release(1);
        runRound(2);
        vm.warp(block.timestamp + 1 hours);
        deliver(2);
        assertEq(checkpoints.sharesOf(2).length, 0);
        accept(bob, 2);
        assertEq(vault.claimable(alice), 40 * MILLI);
    }

    /// @notice A part of a range has its part of what was done before; together they pay for no more than that.
    function test_Split() public {
        register(alice, CPU_EU, 4, 10);
        submit(bob, terms);
        runRound(1);
        vm.warp(block.timestamp + 1 hours);
        // An odd number, so that there is something to round.
        checkpoint(1, 20_001);
        release(1);
        vm.prank(alice);
        nodes.drain(1);
        register(makeAddr("carol"), CPU_EU, 1, 10);
        register(makeAddr("dave"), CPU_EU, 3, 10);
        runRound(2);
        vm.warp(block.timestamp + 1 hours);
        deliver(2);
        deliver(3);
        uint256 one = checkpoints.sharesOf(2)[0].work;
        uint256 three = checkpoints.sharesOf(3)[0].work;
        if (leases.lease(2).count == 3) (one, three) = (three, one);
        assertEq(one, 5_000);
        assertEq(three, 15_000);
        accept(bob, 2);
        accept(bob, 3);
        assertEq(vault.claimable(alice), 20 * MILLI);
        assertBooks();
    }

    /// @notice A node that began again is paid for what went further than those before.
    function test_BeganAnew() public {
        (uint32 first, uint32 second, uint32 third) = _three(20_000, 1 hours, 10_000, 1 hours, 2 hours);
        ICheckpointRegistry.Share[] memory shares = checkpoints.sharesOf(third);
        // A quarter of four hours.
        assertEq(shares.length, 1);
        assertEq(shares[0].leaseId, first);
        assertEq(shares[0].work, 10_000);
        (, second, third) = _three(20_000, 1 hours, 30_000, 1 hours, 1 hours);
        shares = checkpoints.sharesOf(third);
        assertEq(shares.length, 2);
        // A third of the time each; what the first claimed beyond it counts for the second.
        assertEq(shares[0].work, 13_333);
        assertEq(shares[1].leaseId, second);
        assertEq(shares[1].work, 13_333);
    }

    /// @notice Whatever is claimed, and however long everybody takes: never more than the whole, none more than its
    /// progress or its part of the time.
    function testFuzz_Bounds(uint40 a, uint40 b, uint32 ta, uint32 tb, uint32 tc) public {
        a = uint40(bound(a, 1, 40_000));
        b = uint40(bound(b, 1, 40_000));
        (ta, tb, tc) = (uint32(bound(ta, 1, 3_630)), uint32(bound(tb, 1, 3_630)), uint32(bound(tc, 0, 20 hours)));
        (uint32 first, , uint32 third) = _three(a, ta, b, tb, tc);
        uint256 whole = uint256(ta) + tb + tc;
        if (whole > 10 hours) whole = 10 hours;
        ICheckpointRegistry.Share[] memory shares = checkpoints.sharesOf(third);
        uint256 sum;
        for (uint256 i; i < shares.length; ++i) {
            bool isFirst = shares[i].leaseId == first;
            sum += shares[i].work;
            assertLe(shares[i].work, isFirst ? a : b, "progress");
            assertLe(shares[i].work, (40_000 * uint256(isFirst ? ta : tb)) / whole, "time");
        }
        assertLe(sum, 40_000, "whole");
        assertLe(sum, a > b ? a : b, "what was reached");
        uint256 fund = vault.escrowOf(1);
        accept(bob, third);
        assertEq(vault.claimable(alice), 40 * MILLI, "all three are hers");
        assertLe(vault.escrowOf(1), fund);
        assertBooks();
    }

    /// @notice The longest line of all fits a transaction many times over.
    /// hardhat-config: isolate = true
    function test_LongestLine() public {
        terms.units = 1;
        terms.maxUnitTime = 10 days;
        setParam(Param.MaxReassignments, 64);
        submit(bob, terms);
        uint32 last;
        for (uint256 i; i < MAX_LINE; ++i) {
            address owner = makeAddr(vm.toString(i));
            register(owner, CPU_EU, 1, 10);
            runRound(i + 1);
            last = leases.leaseCount();
            vm.warp(block.timestamp + 60);
            if (i + 1 == MAX_LINE) break;
            checkpoint(last, uint40(150 * (i + 1)));
            release(last);
            vm.prank(owner);
            nodes.drain(uint32(i + 1));
        }
        deliver(last);
        vm.prank(bob);
        leases.accept{gas: 4_000_000}(ids32(last));
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas to accept the longest line", gas);
        assertStatus(last, ILeaseRegistry.LeaseStatus.Paid);
        assertEq(leases.lease(last).fence, MAX_LINE);
        for (uint256 i; i < MAX_LINE; ++i) assertGt(vault.claimable(makeAddr(vm.toString(i))), 0);
        assertBooks();
    }

    /// @dev Alice's node runs all four units under three leases, one after another; the third is delivered.
    function _three(
        uint40 a,
        uint256 ta,
        uint40 b,
        uint256 tb,
        uint256 tc
    ) private returns (uint32 first, uint32 second, uint32 third) {
        if (nodes.nodeCount() == 0) register(alice, CPU_EU, 8, 10);
        submit(bob, terms);
        runRound(1);
        first = leases.leaseCount();
        vm.warp(block.timestamp + ta);
        checkpoint(first, a);
        release(first);
        runRound(2);
        second = leases.leaseCount();
        vm.warp(block.timestamp + tb);
        checkpoint(second, b);
        release(second);
        runRound(3);
        third = leases.leaseCount();
        vm.warp(block.timestamp + tc);
        deliver(third);
    }
}
