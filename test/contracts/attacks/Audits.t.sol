// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AuditDraw} from "../../../contracts/audits/AuditDraw.sol";
import {TraceTree} from "../../../contracts/audits/TraceTree.sol";
import {IAuditEpochs} from "../../../contracts/interfaces/IAuditEpochs.sol";
import {IAudits} from "../../../contracts/interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {AuditActions} from "../support/AuditActions.sol";

/// @title Attacks on audits
contract AuditAttacksTest is AuditActions {
    function setUp() public override {
        super.setUp();
        prepare(12);
        vm.warp(block.timestamp + 30);
        trace(2_000, true);
        vm.warp(block.timestamp + 30);
        trace(6_000, true);
    }

    /// @notice A lazy verifier knows the posted state, but not the probe: what it commits to is wrong, and costs it its bond.
    function test_LazyVerifier() public {
        bytes32 salt = openAudit(2);
        (TraceTree.Opening memory o, ) = openingOf(2, AuditDraw.probeAt(salt, 0, 16), true);
        // All of it is known but the probe's state.
        o.probeDigest = o.endDigest;
        bytes32 guess = TraceTree.answer(o);
        commit(2, guess);
        bytes32 opened = openTrace(2, salt, true);
        uint32 verifier = verifierOf(2);
        // It cannot take the answer that it now knows: that is not what it committed to.
        IAudits.Segment memory s = segmentOf(2);
        address operator = operatorOf(verifier);
        vm.expectRevert(abi.encodeWithSelector(IAudits.NotCommitted.selector, verifier));
        vm.prank(operator);
        audits.reveal(s, plain(opened), opened);
        // Nor be silent: that costs the bond as well, and another is drawn, with a question of its own.
        uint256 stake = vault.stakeOf(verifier);
        vm.warp(audits.auditOf(id, 2).due + 1);
        audits.close(segmentOf(2));
        assertEq(stake - vault.stakeOf(verifier), 16 * 6_000 * MICRO);
        assertAudit(2, IAudits.AuditStatus.Verifying);
        assertEq(audits.auditOf(id, 2).tries, 2);
    }

    /// @notice Nobody confirms a segment without the work: what is public, all leaves but one included, does not lead to its trace root.
    function test_ConfirmedWithoutWork() public {
        bytes32 salt = openAudit(2);
        uint256 probe = AuditDraw.probeAt(salt, 0, 16);
        IAudits.Segment memory s = segmentOf(2);
        address operator = operatorOf(verifierOf(2));
        (TraceTree.Opening memory o, TraceTree.Paths memory paths) = openingOf(2, probe, true);
        bytes memory refused = abi.encodeWithSelector(IAudits.NotOfTrace.selector, id, 2);
        // Its probe is a guess.
        bytes32 right = o.probeDigest;
        o.probeDigest = o.endDigest;
        vm.expectRevert(refused);
        vm.prank(operator);
        audits.confirm(s, o, paths);
        o.probeDigest = right;
        // One state of those between is a guess.
        bytes32 beside = paths.end[2];
        paths.end[2] = keccak256("a guess");
        vm.expectRevert(refused);
        vm.prank(operator);
        audits.confirm(s, o, paths);
        paths.end[2] = beside;
        // It knows another leaf than the one that was drawn.
        (TraceTree.Opening memory other, TraceTree.Paths memory otherPaths) = openingOf(2, probe - 1, true);
        vm.expectRevert(refused);
        vm.prank(operator);
        audits.confirm(s, other, otherPaths);
        // It is right, and somebody else's to show, or another segment's.
        address producer = operatorOfLease(id);
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.NotNodeOperator.selector, verifierOf(2), producer));
        vm.prank(producer);
        audits.confirm(s, o, paths);
        s.salt = keccak256("another salt");
        vm.expectRevert(abi.encodeWithSelector(IAudits.WrongSegment.selector, id, 2));
        vm.prank(operator);
        audits.confirm(s, o, paths);
        s.salt = salt;
        uint40 due = audits.auditOf(id, 2).due;
        vm.warp(due + 1);
        vm.expectRevert(abi.encodeWithSelector(IAudits.OutOfTime.selector, due));
        vm.prank(operator);
        audits.confirm(s, o, paths);
    }

    /// @notice Who has committed to an answer reveals it: it cannot take what the producer opened and confirm.
    function test_ConfirmedAfterOpening() public {
        bytes32 salt = openAudit(2);
        commit(2, keccak256("a guess"));
        openTrace(2, salt, true);
        IAudits.Segment memory s = segmentOf(2);
        (TraceTree.Opening memory o, TraceTree.Paths memory paths) = openingOf(2, AuditDraw.probeAt(salt, 0, 16), true);
        address operator = operatorOf(verifierOf(2));
        vm.expectPartialRevert(IAudits.WrongAuditStatus.selector);
        vm.prank(operator);
        audits.confirm(s, o, paths);
        // Nor does the next verifier gain by it: its question has a leaf of its own.
        vm.warp(audits.auditOf(id, 2).due + 1);
        audits.close(s);
        operator = operatorOf(verifierOf(2));
        if (AuditDraw.probeAt(salt, 1, 16) == AuditDraw.probeAt(salt, 0, 16)) return;
        vm.expectRevert(abi.encodeWithSelector(IAudits.NotOfTrace.selector, id, 2));
        vm.prank(operator);
        audits.confirm(s, o, paths);
    }

    /// @notice In a class of few owners nobody is convicted: two that collude beside an honest node call a panel that they would fill, and
    /// nothing is decided. Nor do nodes without owners of their own make a class large.
    function test_CapturedClass() public {
        for (uint32 nodeId = 3; nodeId <= 12; ++nodeId) {
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, false);
        }
        (address friend, ) = nodes.keysOf(1);
        for (uint256 i; i < 6; ++i) {
            uint32 nodeId = register(friend, CPU_EU, 4, 4_000);
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, true);
        }
        vm.warp(block.timestamp + 30);
        // The pool as it is frozen with the next round.
        register(alice, CPU_EU, UNITS, 5);
        submit(alice, submission(1, 20_000, list(CPU_EU)));
        runRound(5);
        trace(9_000, true);
        uint32 producer = leases.lease(id).nodeId;
        uint256 stake = vault.stakeOf(producer);
        verify(3, true, false);
        uint256 bond = vault.stakeOf(verifierOf(3));
        assertAudit(3, IAudits.AuditStatus.Unverified);
        assertEq(audits.panelOf(id, 3).members.length, 0);
        assertEq(vault.stakeOf(producer), stake);
        assertGe(bond, stakeFor(4));
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
        assertFalse(audits.isExcluded(1));
    }

    /// @notice A panel that called itself large enough and loses owners on the way decides nothing either.
    function test_ShrinkingClass() public {
        bytes32 salt = verify(2, true, false);
        assertAudit(2, IAudits.AuditStatus.Voting);
        uint256 stake = vault.stakeOf(leases.lease(id).nodeId);
        for (uint32 nodeId = 1; nodeId <= 12; ++nodeId) {
            if (audits.panelOf(id, 2).members[nodeId % 5].nodeId == nodeId) continue;
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, nodeId < 4);
        }
        bytes32 lie = keccak256("a lie");
        vote(2, salt, 5, IAudits.Answer(lie, keccak256("fresh"), true, keccak256("s")));
        assertAudit(2, IAudits.AuditStatus.Unverified);
        assertEq(vault.stakeOf(leases.lease(id).nodeId), stake);
    }

    /// @notice A commitment names its node: who copies another's can reveal nothing.
    function test_CopiedCommitment() public {
        bytes32 salt = verify(2, true, false);
        IAudits.PanelView memory p = audits.panelOf(id, 2);
        bytes32 truth = answerOf(2, AuditDraw.probeAt(salt, 0, 16), true);
        IAudits.Answer memory given = IAudits.Answer(
            truth,
            leafAt(2, AuditDraw.probeAt(salt, 256, 16), true),
            true,
            keccak256("salt")
        );
        bytes32 word = commitmentOf(2, 256, p.members[0].nodeId, given);
        for (uint16 k; k < 5; ++k) {
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.commitVote(id, 2, k, word);
        }
        vm.prank(operatorOf(p.members[0].nodeId));
        audits.revealVote(segmentOf(2), 0, given);
        vm.expectRevert(abi.encodeWithSelector(IAudits.NotCommitted.selector, p.members[1].nodeId));
        vm.prank(operatorOf(p.members[1].nodeId));
        audits.revealVote(segmentOf(2), 1, given);
    }

    /// @notice Panel members that only copy what was opened agree with the producer, but not with each other nor with those
    /// who did the work: at most one of them counts.
    function test_LazyPanel() public {
        bytes32 salt = verify(2, true, false);
        bytes32 truth = answerOf(2, AuditDraw.probeAt(salt, 0, 16), true);
        IAudits.PanelView memory p = audits.panelOf(id, 2);
        for (uint16 k; k < 5; ++k) {
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.commitVote(id, 2, k, commitmentOf(2, 256, p.members[k].nodeId, _lazy(truth, k)));
        }
        for (uint16 k; k < 5; ++k) {
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.revealVote(segmentOf(2), k, _lazy(truth, k));
        }
        assertEq(audits.panelOf(id, 2).rival, 0);
        assertAudit(2, IAudits.AuditStatus.Undecided);
    }

    /// @notice There is no second seed for an epoch: neither at once, nor by waiting until the oracle is late.
    function test_RerolledSeed() public {
        (uint32 epochId, ) = drawSegment(2);
        uint40 to = auditEpochs.epoch(epochId).to;
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.EpochTooSoon.selector, to + 5 minutes));
        auditEpochs.openEpoch(id);
        vm.warp(to + 5 minutes);
        trace(9_000, true);
        uint32 next = auditEpochs.openEpoch(id);
        assertEq(auditEpochs.epoch(next).from, to);
        IAudits.SegmentProof memory proof = proofOf(2);
        answerOracle(next, 7);
        vm.expectRevert(
            abi.encodeWithSelector(IAuditEpochs.NotOfEpoch.selector, proof.segment.end.at, to, to + 5 minutes)
        );
        audits.open(proof, next);
    }

    /// @notice An epoch that was abandoned draws nothing, whatever the oracle says later; its segments belong to the next.
    function test_LateOracle() public {
        vm.warp(block.timestamp + 5 minutes);
        uint32 epochId = auditEpochs.openEpoch(id);
        uint40 to = auditEpochs.epoch(epochId).to;
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.EpochTooSoon.selector, to + 61));
        auditEpochs.openEpoch(id);
        vm.warp(to + 61);
        uint32 next = auditEpochs.openEpoch(id);
        answerOracle(epochId, 1);
        IAudits.SegmentProof memory proof = proofOf(2);
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.EpochWithoutSeed.selector, epochId));
        audits.open(proof, epochId);
        assertLt(auditEpochs.epoch(next).from, proof.segment.end.at);
        assertGe(auditEpochs.epoch(next).to, proof.segment.end.at);
    }

    /// @notice Nobody spends seeds where nothing waits to be drawn: nothing was posted since the last one, or no audits are asked for.
    function test_IdleSeeds() public {
        drawSegment(2);
        vm.warp(block.timestamp + 5 minutes);
        uint40 since = auditEpochs.epoch(auditEpochs.epochCount()).to;
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.NothingToAudit.selector, id, since));
        auditEpochs.openEpoch(id);
        uint32 other = leaseOf(bob, alice, 2);
        checkpoint(other, 100);
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.NothingToAudit.selector, other, since));
        auditEpochs.openEpoch(other);
        trace(9_000, true);
        auditEpochs.openEpoch(id);
    }

    /// @notice A node cannot keep what it did out of audits, nor have others pay for audits that no developer asked for.
    function test_UntracedCheckpoint() public {
        ICheckpointRegistry.Claim memory claim = ICheckpointRegistry.Claim(id, fenceOf(id), "d", 0x70, 9_000, 1);
        address operator = operatorOfLease(id);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.WrongTrace.selector, id, true));
        vm.prank(operator);
        checkpoints.post(claim, noReceipts());
        uint32 other = leaseOf(bob, alice, 2);
        claim = ICheckpointRegistry.Claim(other, fenceOf(other), "d", 0x70, 9_000, 1);
        operator = operatorOfLease(other);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.WrongTrace.selector, other, false));
        vm.prank(operator);
        checkpoints.postTraced(claim, keccak256("root"), noReceipts());
    }

    /// @notice A segment that was never posted, or posted otherwise, is not opened; nor one twice, nor too late.
    function test_ForgedAndReplayed() public {
        (uint32 epochId, ) = drawSegment(2);
        IAudits.SegmentProof memory proof = proofOf(2);
        bytes memory notPosted = abi.encodeWithSelector(IAudits.NotPosted.selector, id);
        proof.segment.end.traceRoot = keccak256("forged");
        vm.expectRevert(notPosted);
        audits.open(proof, epochId);
        proof = proofOf(2);
        proof.segment.before.digest = keccak256("forged");
        vm.expectRevert(notPosted);
        audits.open(proof, epochId);
        proof = proofOf(1);
        proof.segment.before.digest = keccak256("forged");
        vm.expectRevert(notPosted);
        audits.open(proof, epochId);
        proof = proofOf(2);
        uint256 snapshot = vm.snapshotState();
        vm.warp(auditEpochs.epoch(epochId).to + 60 + 30 minutes + 1);
        vm.expectPartialRevert(IAuditEpochs.EpochOver.selector);
        audits.open(proof, epochId);
        vm.revertToState(snapshot);
        audits.open(proof, epochId);
        vm.expectPartialRevert(IAudits.WrongAuditStatus.selector);
        audits.open(proof, epochId);
    }

    /// @notice What is posted after the seed is known changes nothing for the segments before it.
    function test_PostedLater() public {
        (uint32 epochId, ) = drawSegment(2);
        for (uint40 i; i < 5; ++i) trace(7_000 + i, true);
        audits.open(proofOf(2), epochId);
        assertAudit(2, IAudits.AuditStatus.Verifying);
    }

    /// @notice The producer opens no other leaf than the one that was drawn, nor another trace.
    function test_OtherLeaf() public {
        bytes32 salt = openAudit(2);
        commit(2, keccak256("answer"));
        uint256 probe = AuditDraw.probeAt(salt, 0, 16);
        IAudits.Segment memory s = segmentOf(2);
        address operator = operatorOfLease(id);
        for (uint256 i; i < 2; ++i) {
            (TraceTree.Opening memory o, TraceTree.Paths memory paths) = openingOf(2, probe, i == 0);
            if (i == 0) (o, paths) = openingOf(2, probe - 1, true);
            else (o, paths) = openingOf(2, probe, false);
            vm.expectRevert(abi.encodeWithSelector(IAudits.NotOfTrace.selector, id, 2));
            vm.prank(operator);
            audits.openTrace(s, o, paths);
        }
    }

    /// @notice An empty pool pays short, and changes no verdict: a cheat pays for its own conviction.
    function test_DrainedPool() public {
        vm.warp(block.timestamp + 30);
        trace(12_000, false);
        bytes32 salt = verify(3, false, true);
        IVault.Totals memory totals = vault.totals();
        vm.prank(address(rounds));
        vault.payBounty(keeper, totals.bountyPool);
        IAudits.Answer memory none;
        for (uint256 round; round < 3; ++round) vote(3, salt, 0, none);
        assertAudit(3, IAudits.AuditStatus.Fraud);
        (address verifier, ) = nodes.keysOf(verifierOf(3));
        assertEq(vault.claimable(verifier), (4 * 10 ether) / uint256(3));
    }

    /// @notice Audits that are more likely than the fee pays for, since a segment is large, are paid by the node that made it so.
    function test_LargeSegments() public {
        vm.warp(block.timestamp + 30);
        setParam(Param.StakePerUnit, 1_000_000);
        trace(40_000, true);
        uint256 pool = vault.totals().bountyPool;
        verify(3, true, true);
        uint256 chance = audits.auditOf(id, 3).chance;
        uint256 pay = (3 * 34_000 * MICRO) / 2;
        assertEq(pool - vault.totals().bountyPool, (pay * 100) / chance);
    }

    /// @notice A successor that went on from forged work is ended without a penalty; what is granted after the conviction is not.
    function test_ForgedParent() public {
        vm.warp(block.timestamp + 30);
        trace(12_000, false);
        release(id);
        register(alice, CPU_EU, UNITS, 5);
        vm.warp(block.timestamp + 10);
        runRound(77);
        uint32 successor = leases.leaseCount();
        assertEq(leases.lease(successor).parent, id);
        bytes32 salt = verify(3, false, true);
        IAudits.Answer memory none;
        for (uint256 round; round < 3; ++round) vote(3, salt, 0, none);
        assertAudit(3, IAudits.AuditStatus.Fraud);
        uint256 stake = vault.stakeOf(leases.lease(successor).nodeId);
        vm.expectRevert(abi.encodeWithSelector(IAudits.NotSuccessor.selector, id, id));
        audits.revokeSuccessor(segmentOf(3), id);
        audits.revokeSuccessor(segmentOf(3), successor);
        assertStatus(successor, ILeaseRegistry.LeaseStatus.Rejected);
        assertEq(vault.stakeOf(leases.lease(successor).nodeId), stake);
        vm.warp(block.timestamp + 10);
        runRound(78);
        uint32 fresh = leases.leaseCount();
        assertEq(leases.lease(fresh).parent, id);
        vm.expectRevert(abi.encodeWithSelector(IAudits.NotSuccessor.selector, fresh, id));
        audits.revokeSuccessor(segmentOf(3), fresh);
        (ICheckpointRegistry.Checkpoint memory from, ) = checkpoints.newestOf(id);
        assertEq(from.digest, links[1].digest);
    }

    function _lazy(bytes32 truth, uint16 k) private pure returns (IAudits.Answer memory) {
        return IAudits.Answer(truth, keccak256(abi.encode("a guess", k)), true, keccak256("salt"));
    }
}
