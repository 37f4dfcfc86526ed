// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotModule, UnsupportedCodec} from "../../../../contracts/types/Errors.sol";
import {ICheckpointRegistry} from "../../../../contracts/interfaces/ICheckpointRegistry.sol";

/// @title Leases: renewing, delivering, releasing, expiring, paying
contract LeaseRegistryTest is Fixture {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOf(bob, alice, 4);
    }

    /// @notice What failing costs at least is rounded up.
    function test_MinPenalty_roundsUp() public {
        setParam(Param.StakePerUnit, 1_000_001);
        setParam(Param.SlashBps, 1);
        (ILeaseRegistry.Draw memory draw, , ) = leases.drawOf(leaseOf(bob, alice, 1));
        // A basis point of 1,000,001 is 100.0001.
        assertEq(draw.minPenalty, 101);
    }

    function test_Granted() public view {
        ILeaseRegistry.Lease memory held = leases.lease(id);
        assertEq(held.taskId, 1);
        assertEq(held.nodeId, 1);
        assertEq(held.start, 0);
        assertEq(held.count, 4);
        assertEq(held.priceMicroVer, 10_000);
        assertEq(held.fence, 1);
        assertEq(held.parent, 0);
        assertEq(held.due, block.timestamp + 60 + 30);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
    }

    function test_Deliver() public {
        uint40 due = uint40(block.timestamp + 1 hours);
        address operator = operatorOf(1);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.ResultDelivered(id, 1, 1, RESULT, 0x55, 12);
        vm.prank(operator);
        leases.deliver(id, 1, RESULT, 0x55, 12);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Delivered);
        assertEq(leases.lease(id).due, due);
        ILeaseRegistry.Result memory r = leases.result(id);
        assertEq(r.digest, RESULT);
        assertEq(r.codec, 0x55);
        assertEq(r.size, 12);
        assertEq(r.deliveredAt, block.timestamp);
        // Its capacity is free again at once; its stake stays bound until the delivery is decided.
        assertEq(nodes.node(1).leased, 0);
        assertEq(nodes.node(1).undecided, 4);
        assertEq(nodes.node(1).listedUnits, 0);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Delivered));
        vm.prank(operator);
        leases.deliver(id, 1, RESULT, 0x55, 12);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Delivered));
        vm.prank(operator);
        leases.release(id, 1, ILeaseRegistry.EndReason.GivenBack);
        vm.warp(block.timestamp + 30 days);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Delivered));
        leases.expire(id);
    }

    function test_Deliver_refusals() public {
        vm.startPrank(operatorOf(1));
        vm.expectRevert(ILeaseRegistry.InvalidResult.selector);
        leases.deliver(id, 1, 0, 0x55, 1);
        vm.expectRevert(abi.encodeWithSelector(UnsupportedCodec.selector, 0x12));
        leases.deliver(id, 1, RESULT, 0x12, 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.StaleFence.selector, id, 2, 1));
        leases.deliver(id, 2, RESULT, 0x55, 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 9));
        leases.deliver(9, 1, RESULT, 0x55, 1);
        vm.stopPrank();
        // Not even the owner, only the operator.
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.NotLeaseOperator.selector, id, alice));
        vm.prank(alice);
        leases.deliver(id, 1, RESULT, 0x55, 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.NotLeaseOperator.selector, id, alice));
        vm.prank(alice);
        leases.release(id, 1, ILeaseRegistry.EndReason.GivenBack);
    }

    function test_Release() public {
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseReleased(id, 1, 1, ILeaseRegistry.EndReason.GivenBack);
        release(id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Released);
        assertEq(nodes.node(1).stake, stakeFor(4));
        assertUnits(1, 4, 0, 0, 0);
        assertTrue(tasks.task(1).queued);
    }

    /// @notice The zombie's end: its range has gone to another lease, whatever it still sends reverts.
    function test_Zombie() public {
        checkpoint(id, 100);
        expire(id);
        register(carol, CPU_EU, 4, 10);
        runBatch(2);
        assertEq(leases.lease(2).fence, 2);
        assertEq(leases.lease(2).parent, id);
        vm.startPrank(operatorOf(1));
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Expired));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, RESULT, 0x55, 200, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.StaleFence.selector, 2, 1, 2));
        checkpoints.post(ICheckpointRegistry.Claim(2, 1, RESULT, 0x55, 200, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.NotLeaseOperator.selector, 2, operatorOf(1)));
        leases.deliver(2, 2, RESULT, 0x55, 1);
        vm.stopPrank();
    }

    function test_Expire() public {
        uint40 due = leases.lease(id).due;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.LeaseNotOverdue.selector, id, due));
        leases.expire(id);
        vm.warp(due + 1);
        uint256 pool = vault.totals().bountyPool;
        uint256 before = vault.claimable(keeper);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseExpired(id, 1, 1, keeper, ILeaseRegistry.EndReason.Overdue);
        vm.prank(keeper);
        leases.expire(id);
        uint256 slice = stakeFor(4) / 20;
        uint256 bounty = 500_000 * MICRO;
        assertEq(nodes.node(1).stake, stakeFor(4) - slice);
        assertEq(vault.claimable(keeper) - before, bounty);
        assertEq(vault.totals().bountyPool, pool + slice - bounty);
        assertUnits(1, 0, 4, 0, 0);
        assertEq(orphanCount(), 1);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Expired));
        leases.expire(id);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 0));
        leases.expire(0);
        assertBooks();
    }

    function test_Accept_byDeveloper() public {
        deliver(id);
        uint256 amount = 40_000 * MICRO;
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeasePaid(id, 1, 1, amount, amount / 100);
        accept(bob, id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Paid);
        assertEq(vault.claimable(alice), amount);
        assertEq(vault.escrowOf(1), 0, "an ended task holds nothing");
        assertUnits(1, 0, 0, 4, 0);
        assertEq(nodes.node(1).undecided, 0);
        assertEq(nodes.node(1).listedUnits, 4);
        assertBooks();
    }

    /// @notice Who comes second pays nobody twice, and the rest of the batch is paid all the same.
    function test_Accept_passesOverWhatIsPaid() public {
        register(alice, CPU_EU, 2, 15);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(3);
        deliver(id);
        deliver(2);
        accept(bob, id);
        uint32[] memory batch = new uint32[](3);
        (batch[0], batch[1], batch[2]) = (id, 2, 2);
        vm.prank(bob);
        leases.accept(batch);
        assertStatus(2, ILeaseRegistry.LeaseStatus.Paid);
        assertEq(vault.claimable(alice), 70_000 * MICRO, "each once");
        accept(alice, id);
        assertEq(vault.claimable(alice), 70_000 * MICRO);
        // Only what is paid is passed over.
        register(alice, CPU_EU, 1, 15);
        submit(bob, 1, 20_000, CPU_EU);
        runRound(4);
        batch[2] = 3;
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, 3, ILeaseRegistry.LeaseStatus.Active)
        );
        leases.accept(batch);
        assertBooks();
    }

    function test_Accept_byAnyoneAfterTheWindow() public {
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Active));
        accept(bob, id);
        deliver(id);
        uint40 due = leases.lease(id).due;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.DisputeWindowOpen.selector, id, due));
        accept(keeper, id);
        vm.warp(due + 1);
        accept(keeper, id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Paid);
    }

    function test_Accept_several() public {
        register(alice, CPU_EU, 2, 15);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(3);
        deliver(id);
        deliver(2);
        uint32[] memory both = new uint32[](2);
        (both[0], both[1]) = (id, 2);
        vm.prank(bob);
        leases.accept(both);
        assertEq(vault.claimable(alice), 70_000 * MICRO);
    }

    /// @notice Whatever the price and the fee: both halves of the fee are covered to the wei.
    function testFuzz_EscrowCoversEveryPayment(uint64 maxPrice, uint64 tick, uint16 feeBps, uint8 units) public {
        setParam(Param.FeeBps, uint64(bound(feeBps, 0, 1_000)));
        uint256 ask = bound(tick, 0, 4_095);
        uint32 count = uint32(bound(units, 1, 150));
        uint256 price = bound(maxPrice, ask * 7 + 1, type(uint40).max);
        register(alice, GPU_US, count, ask);
        submit(bob, count, price, GPU_US);
        runRound(maxPrice);
        if (leases.leaseCount() == id) return;
        deliver(id + 1);
        accept(bob, id + 1);
        assertEq(vault.escrowOf(2), 0);
        assertEq(vault.claimable(alice), count * ask * 7 * MICRO);
        assertBooks();
    }

    function test_OnlyModules() public {
        ILeaseRegistry.Grant[] memory none = new ILeaseRegistry.Grant[](0);
        bytes memory notModule = abi.encodeWithSelector(NotModule.selector, address(this));
        vm.expectRevert(notModule);
        leases.grant(none, 0);
        vm.expectRevert(notModule);
        leases.renew(id, 1, operatorOf(1), ILeaseRegistry.Headway(1, 0, 0));
    }

    function test_Unknown() public {
        assertEq(leases.leaseCount(), 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 2));
        leases.lease(2);
    }

    /// @notice A change of parameters during a lease has effect from its next renewal on.
    function test_GraceIsTakenAtRenewal() public {
        uint40 due = leases.lease(id).due;
        setParam(Param.LeaseGrace, 100);
        assertEq(leases.lease(id).due, due);
        checkpoint(id, 1);
        assertEq(leases.lease(id).due, block.timestamp + 160);
        vm.expectRevert(
            abi.encodeWithSelector(IParameters.ParameterOutOfBounds.selector, Param.LeaseGrace, 9, 10, 1 days)
        );
        setParam(Param.LeaseGrace, 9);
    }

    function _wrong(ILeaseRegistry.LeaseStatus status) private view returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, status);
    }
}
