// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotTaskOwner} from "../../../../contracts/types/Errors.sol";

/// @title Disputed deliveries
contract DisputesTest is Fixture {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOf(bob, alice, 4);
        deliver(id);
    }

    function test_Dispute() public {
        uint256 escrow = vault.escrowOf(1);
        uint256 bond = 4_000 * MICRO;
        fund(bob, bond);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseDisputed(id, bob, bond);
        vm.prank(bob);
        leases.dispute(id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Disputed);
        assertEq(leases.result(id).bondMicroVer, 4_000);
        assertEq(vault.escrowOf(1), escrow + bond);
        assertEq(leases.lease(id).due, block.timestamp + 2 hours);
        assertEq(nodes.node(1).undecided, 4, "its stake stays bound");
        assertBooks();
    }

    /// @notice A bond is rounded up: nobody disputes for nothing.
    function test_Dispute_bondRoundsUp() public {
        setParam(Param.DisputeBondBps, 333);
        register(alice, CPU_EU, 1, 11);
        submit(bob, 1, 20_000, CPU_EU);
        runRound(2);
        deliver(2);
        // 333 basis points of 11,000 are 366.3.
        uint256 escrow = vault.escrowOf(2);
        dispute(2);
        assertEq(leases.result(2).bondMicroVer, 367);
        assertEq(vault.escrowOf(2), escrow + 367 * MICRO);
    }

    /// @notice An audit that convicts the node ends a disputed lease too, and the developer has its bond back.
    function test_Revoke_disputed() public {
        uint256 bond = dispute(id);
        vm.prank(address(audits));
        leases.revoke(id, ILeaseRegistry.EndReason.GivenBack, 0);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Rejected);
        assertEq(vault.claimable(bob), bond);
        assertBooks();
    }

    /// @notice An audit keeps a disputed lease from being paid, for longer than the arbiter has and never for less.
    function test_DeferPayment_disputed() public {
        dispute(id);
        uint32 due = leases.lease(id).due;
        vm.recordLogs();
        vm.startPrank(address(audits));
        leases.deferPayment(id, due - 1);
        leases.deferPayment(id, due);
        assertEq(vm.getRecordedLogs().length, 0, "nothing is said of what changes nothing");
        assertEq(leases.lease(id).due, due);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.PaymentDeferred(id, due + 1);
        leases.deferPayment(id, due + 1);
        assertEq(leases.lease(id).due, due + 1);
    }

    function test_Dispute_refusals() public {
        vm.expectRevert(abi.encodeWithSelector(NotTaskOwner.selector, 1, alice));
        vm.prank(alice);
        leases.dispute(id);
        uint40 due = leases.lease(id).due;
        vm.warp(due + 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.DisputeWindowClosed.selector, id, due));
        vm.prank(bob);
        leases.dispute(id);
        vm.warp(due);
        dispute(id);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Disputed));
        vm.prank(bob);
        leases.dispute(id);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
        vm.prank(bob);
        leases.rule(id, false);
    }

    function test_Rule_forNode() public {
        uint256 bond = dispute(id);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.DisputeRuled(id, true);
        vm.prank(arbiter);
        leases.rule(id, true);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Paid);
        assertEq(vault.claimable(alice), 40_000 * MICRO + bond);
        assertEq(vault.escrowOf(1), 0);
        assertUnits(1, 0, 0, 4, 0);
        vm.expectRevert(_wrong(ILeaseRegistry.LeaseStatus.Paid));
        vm.prank(arbiter);
        leases.rule(id, false);
        assertBooks();
    }

    /// @notice Its units start afresh: no checkpoint of what was refused is built on, but the fence grows.
    function test_Rule_againstNode() public {
        uint256 bond = dispute(id);
        vm.prank(arbiter);
        leases.rule(id, false);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Rejected);
        assertEq(nodes.node(1).undecided, 0);
        assertEq(vault.claimable(bob), bond);
        assertEq(nodes.node(1).stake, (stakeFor(4) * 95) / 100);
        assertUnits(1, 4, 0, 0, 0);
        ITaskRegistry.OpenRange[] memory ranges = lens.reopenedRanges(1);
        assertEq(keccak256(abi.encode(ranges[0])), keccak256(abi.encode(ITaskRegistry.OpenRange(0, 4, 0, 2, 1))));
        register(alice, CPU_EU, 4, 10);
        runRound(2);
        assertEq(leases.lease(2).fence, 2);
        assertEq(leases.lease(2).parent, 0);
        // Against it and on to the end: the books balance and nothing is left behind.
        deliver(2);
        accept(bob, 2);
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice If the arbiter is silent, the node is paid, bond included.
    function test_SilentArbiter() public {
        uint256 bond = dispute(id);
        uint40 due = leases.lease(id).due;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.ArbitrationOpen.selector, id, due));
        accept(bob, id);
        vm.warp(due + 1);
        accept(keeper, id);
        assertEq(vault.claimable(alice), 40_000 * MICRO + bond);
        assertBooks();
    }

    /// @notice A dispute in a cancelled task: the refused units are refunded.
    function test_Rule_againstNode_inClosingTask() public {
        uint256 bond = dispute(id);
        vm.prank(bob);
        tasks.cancel(1);
        vm.prank(arbiter);
        leases.rule(id, false);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.claimable(bob), bond + escrowFor(4, 20_000) - firstHalfOfFee(4, 10_000));
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }

    /// @notice Other payments of the task leave a bond alone.
    function test_BondIsApart() public {
        register(alice, CPU_EU, 2, 11);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(3);
        uint256 bond = dispute(id);
        vm.prank(bob);
        tasks.cancel(1);
        assertEq(vault.escrowOf(1), escrowFor(4, 20_000) - firstHalfOfFee(4, 10_000) + bond);
    }

    function _wrong(ILeaseRegistry.LeaseStatus status) private view returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, status);
    }
}
