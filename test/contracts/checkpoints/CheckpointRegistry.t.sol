// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Fixture} from "../support/Fixture.sol";
import {UnsupportedCodec} from "../../../contracts/types/Errors.sol";
import {Link} from "../../../contracts/types/Link.sol";

/// @title Checkpoints: order, progress, who may post
contract CheckpointRegistryTest is Fixture {
    uint32 private id;
    bytes32 private constant DIGEST = keccak256("digest");

    function setUp() public override {
        super.setUp();
        id = leaseOf(bob, alice, 3);
    }

    function test_Post() public {
        (ICheckpointRegistry.Checkpoint memory newest, ICheckpointRegistry.Checkpoint memory previous) = checkpoints
            .newestOf(id);
        assertEq(newest.sequence, 0);
        assertEq(previous.sequence, 0);

        vm.warp(block.timestamp + 20);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseRenewed(id, uint40(block.timestamp + 90));
        vm.expectEmit(address(checkpoints));
        emit ICheckpointRegistry.CheckpointPosted(id, DIGEST, 0x70, 1, 123, 1);
        vm.prank(operatorOf(1));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 1, 123), noReceipts());
        assertEq(leases.lease(id).due, block.timestamp + 90);
        (newest, previous) = checkpoints.newestOf(id);
        assertEq(newest.digest, DIGEST);
        assertEq(newest.codec, 0x70);
        assertEq(newest.progress, 1);
        assertEq(newest.size, 123);
        assertEq(newest.at, block.timestamp);
        assertEq(newest.sequence, 1);
        assertEq(previous.sequence, 0);
    }

    /// @notice Always the newest and the one before, in that order.
    function test_KeepsTwo() public {
        for (uint40 i = 1; i <= 7; ++i) {
            checkpoint(id, i * 4_000);
            (ICheckpointRegistry.Checkpoint memory newest, ICheckpointRegistry.Checkpoint memory previous) = checkpoints
                .newestOf(id);
            assertEq(newest.sequence, i);
            assertEq(newest.progress, i * 4_000);
            assertEq(previous.sequence, i - 1);
            assertEq(previous.progress, (i - 1) * 4_000);
        }
        uint32[] memory ids = new uint32[](3);
        (ids[0], ids[1], ids[2]) = (id, 99, id);
        ICheckpointRegistry.Checkpoint[] memory many = checkpoints.newestOfMany(ids);
        assertEq(many[0].sequence, 7);
        assertEq(many[1].sequence, 0);
        assertEq(many[2].digest, many[0].digest);
    }

    function test_Post_refusals() public {
        checkpoint(id, 500);
        vm.startPrank(operatorOf(1));
        vm.expectRevert(ICheckpointRegistry.InvalidCheckpoint.selector);
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, 0, 0x70, 600, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(UnsupportedCodec.selector, 0x71));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x71, 600, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.ProgressNotGrowing.selector, id, 500, 500));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.ProgressTooHigh.selector, id, 30_001, 30_000));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 30_001, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.StaleFence.selector, id, 0, 1));
        checkpoints.post(ICheckpointRegistry.Claim(id, 0, DIGEST, 0x70, 600, 1), noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 7));
        checkpoints.post(ICheckpointRegistry.Claim(7, 1, DIGEST, 0x70, 600, 1), noReceipts());
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 30_000, 1), noReceipts());
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.NotLeaseOperator.selector, id, alice));
        vm.prank(alice);
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 600, 1), noReceipts());
    }

    /// @notice Until somebody expires it, an overdue lease may still be renewed.
    function test_LateButNotExpired() public {
        vm.warp(block.timestamp + 1 hours);
        checkpoint(id, 1_000);
        vm.expectPartialRevert(ILeaseRegistry.LeaseNotOverdue.selector);
        leases.expire(id);
    }

    function test_AfterRelease_previousLeaseKeepsItsCheckpoints() public {
        checkpoint(id, 1_000);
        release(id);
        runRound(4);
        (ICheckpointRegistry.Checkpoint memory newest, ) = checkpoints.newestOf(leases.lease(2).parent);
        assertEq(newest.progress, 1_000);
        vm.expectPartialRevert(ILeaseRegistry.WrongLeaseStatus.selector);
        vm.prank(operatorOf(1));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 2_000, 1), noReceipts());
    }

    /// @notice A lease whose newest checkpoint is sound keeps it as it was posted, and the one before it.
    function test_RollBackToTheNewest() public {
        checkpoint(id, 1_000);
        vm.warp(block.timestamp + 20);
        checkpoint(id, 2_000);
        (ICheckpointRegistry.Checkpoint memory newest, ICheckpointRegistry.Checkpoint memory previous) = checkpoints
            .newestOf(id);
        vm.prank(address(audits));
        checkpoints.rollBack(
            id,
            Link(newest.sequence, newest.digest, 0, newest.progress, newest.at, newest.codec, newest.size)
        );
        (ICheckpointRegistry.Checkpoint memory newest_, ICheckpointRegistry.Checkpoint memory previous_) = checkpoints
            .newestOf(id);
        assertEq(abi.encode(newest_, previous_), abi.encode(newest, previous));
        assertEq(previous.sequence, 1);
    }
}
