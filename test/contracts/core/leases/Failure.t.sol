// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../../support/Failures.sol";

/// @title Who counts as failed, and what becomes of the range
contract FailureTest is Failures {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
    }

    function test_Health() public {
        uint256 due = leases.lease(id).due;
        _assertHealth(ILeaseRegistry.Health.InTime);
        vm.warp(due - 30);
        _assertHealth(ILeaseRegistry.Health.InTime);
        vm.warp(due - 29);
        _assertHealth(ILeaseRegistry.Health.Suspect);
        vm.warp(due);
        _assertHealth(ILeaseRegistry.Health.Suspect);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, due));
        leases.expire(id);
        vm.warp(due + 1);
        _assertHealth(ILeaseRegistry.Health.Overdue);
        leases.expire(id);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, ILeaseRegistry.LeaseStatus.Expired)
        );
        leases.healthOf(id);
    }

    /// @notice A node that posts in time can never be expired, whatever the time.
    function testFuzz_InTime(uint16 wait) public {
        uint256 due = leases.lease(id).due;
        vm.warp(bound(uint256(wait), block.timestamp, due));
        checkpoint(id, 100);
        vm.warp(leases.lease(id).due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, leases.lease(id).due));
        leases.expire(id);
    }

    function test_Silent() public {
        setParam(Param.ReportInterval, 10);
        setParam(Param.ReportTimeout, 20);
        vm.warp(block.timestamp + 21);
        _assertHealth(ILeaseRegistry.Health.Overdue);
        leases.expire(id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Expired);
    }

    /// @notice While the sequencer is down, and for a grace after it, nobody fails by what was due meanwhile.
    function test_Outage() public {
        vm.warp(uint256(leases.lease(id).due) + 1);
        sequencer(false);
        assertEq(leases.outageUntil(), _longest());
        _assertHealth(ILeaseRegistry.Health.Suspect);
        uint256 longest = _longest();
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, longest));
        leases.expire(id);
        vm.warp(block.timestamp + 5 hours);
        sequencer(true);
        uint256 until = block.timestamp + 1 hours;
        assertEq(leases.outageUntil(), until);
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, until));
        leases.expire(id);
        // Whoever comes back in the grace keeps its lease.
        checkpoint(id, 2_000);
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, leases.lease(id).due));
        leases.expire(id);
        vm.warp(uint256(leases.lease(id).due) + 1);
        leases.expire(id);
    }

    /// @notice Reports could not be posted either.
    function test_OutageExcusesSilence() public {
        setParam(Param.ReportInterval, 10);
        setParam(Param.ReportTimeout, 20);
        sequencer(false);
        uint256 until = _longest();
        vm.warp(block.timestamp + 21);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, until));
        leases.expire(id);
    }

    /// @notice A feed that stays "down" excuses for three days and the grace, and no longer.
    function test_FeedStaysDown() public {
        sequencer(false);
        uint256 until = _longest();
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, until));
        leases.expire(id);
        vm.warp(until + 1);
        leases.expire(id);
        assertLt(vault.stakeOf(1), stakeFor(4));
    }

    /// @notice A feed that no longer answers, answers something else, or has no code excuses nobody and stops nothing.
    function test_DeadFeed() public {
        bytes[4] memory codes = [bytes(hex"fe"), hex"", hex"00", hex"60206000f3"];
        for (uint256 i; i < codes.length; ++i) {
            vm.etch(address(feed), codes[i]);
            assertEq(leases.outageUntil(), 0);
        }
        // Five words of ones: down since the end of time.
        vm.etch(address(feed), hex"5f1960005260005160205260005160405260005160605260005160805260a06000f3");
        assertEq(leases.outageUntil(), type(uint40).max);
        vm.etch(address(feed), hex"");
        expire(id);
    }

    /// @dev Until when an outage that begins now can excuse.
    function _longest() private view returns (uint256) {
        return block.timestamp + leases.MAX_OUTAGE() + param(Param.OutageGrace);
    }

    /// @notice Past the deadline a lease ends even in an outage, at nobody's cost.
    function test_DeadlineInOutage() public {
        (, , , uint40 deadline) = tasks.termsOf(1);
        vm.warp(uint256(deadline) + 1);
        sequencer(false);
        leases.expire(id);
        assertEq(nodes.node(1).stake, stakeFor(4));
        assertEq(nodes.node(1).cooldownUntil, 0);
        assertEq(reassignment.orphanCount(), 0);
        assertUnits(1, 4, 0, 0, 0);
    }

    function test_Orphaned() public {
        expire(id);
        assertEq(reassignment.orphanPage(0, 9).length, 1);
        assertEq(reassignment.orphanPage(0, 9)[0], id);
        // Its units stay in the books as leased; nobody runs them.
        assertUnits(1, 0, 4, 0, 0);
        assertEq(nodes.node(1).leased, 0);
    }

    function test_ClosedTaskIsRefunded() public {
        vm.prank(bob);
        tasks.cancel(1);
        expire(id);
        assertEq(reassignment.orphanCount(), 0);
        assertUnits(1, 0, 0, 0, 4);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.escrowOf(1), 0);
    }

    /// @notice A range goes round between owners at most MaxReassignments times, by failing or by releasing; then the
    /// developer gets its money.
    function test_MaxReassignments() public {
        setParam(Param.MaxReassignments, 3);
        register(alice, CPU_EU, 4, 1);
        expire(id);
        runBatch(7);
        uint32 second = leases.leaseCount();
        assertEq(fenceOf(second), 2);
        release(second);
        // Of a third owner.
        vm.prank(alice);
        nodes.drain(2);
        register(makeAddr("dave"), CPU_EU, 4, 1);
        runRound(9);
        uint32 third = leases.leaseCount();
        assertEq(fenceOf(third), 3);
        assertUnits(1, 0, 4, 0, 0);
        uint256 before = vault.claimable(bob);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.RangeGivenUp(third, 1, 0, 4);
        release(third);
        assertUnits(1, 0, 0, 0, 4);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.escrowOf(1), 0);
        // The first lease was for nothing, so no fee was due with it: all of the escrow comes back.
        assertEq(vault.claimable(bob) - before, escrowFor(4, 20_000));
        assertBooks();
    }

    /// @notice The last hands' failing is no different, and no orphan comes of it.
    function test_MaxReassignments_byFailing() public {
        setParam(Param.MaxReassignments, 2);
        register(alice, CPU_EU, 4, 1);
        expire(id);
        runBatch(7);
        uint32 second = leases.leaseCount();
        expire(second);
        assertEq(reassignment.orphanCount(), 0);
        assertUnits(1, 0, 0, 0, 4);
        assertBooks();
    }

    /// @notice A stake that is used up is slashed to zero and no further, and never stands in the way.
    function test_SlashSaturates() public {
        setParam(Param.SlashBps, 10_000);
        register(alice, CPU_EU, 8, 1);
        submit(bob, 4, 20_000, CPU_EU);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(2);
        assertEq(leases.lease(2).nodeId, 2);
        assertEq(leases.lease(3).nodeId, 2);
        // Fees have taken the half of its stake.
        uint256 fees = vault.stakeOf(2) / 2 + 1;
        vm.prank(address(supply));
        vault.slash(2, fees);
        uint256 pool = vault.totals().bountyPool;
        expire(2);
        assertEq(nodes.node(2).stake, 0);
        assertGt(vault.totals().bountyPool, pool);
        pool = vault.totals().bountyPool;
        leases.expire(3);
        assertEq(nodes.node(2).stake, 0);
        // Nothing was taken, so nothing is paid.
        assertEq(vault.totals().bountyPool, pool);
        assertBooks();
    }

    /// @notice A node that left can be slashed for what it delivered until its stake is out.
    function test_SlashableUntilWithdrawn() public {
        deliver(id);
        vm.startPrank(carol);
        nodes.drain(1);
        nodes.exit(1);
        vm.stopPrank();
        assertEq(uint8(nodes.node(1).status), uint8(ISupply.NodeStatus.Unbonding));
        dispute(id);
        vm.prank(arbiter);
        leases.rule(id, false);
        assertEq(nodes.node(1).stake, stakeFor(4) - (stakeFor(4) * 500) / 10_000);
    }

    function test_Cooldown() public {
        expire(id);
        assertEq(nodes.node(1).listedUnits, 0);
        uint256 until = nodes.node(1).cooldownUntil;
        assertEq(until, block.timestamp + 10 minutes);
        vm.warp(until - 1);
        supply.sync(ids32(1));
        assertEq(nodes.node(1).listedUnits, 0);
        vm.warp(until);
        supply.sync(ids32(1));
        // Less what its slashed stake does not cover any more.
        assertEq(nodes.node(1).listedUnits, 3);
    }

    function _assertHealth(ILeaseRegistry.Health health) private view {
        assertEq(uint8(leases.healthOf(id)), uint8(health), "health");
    }
}
