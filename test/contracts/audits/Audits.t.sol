// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AuditDraw} from "../../../contracts/audits/AuditDraw.sol";
import {IAuditEpochs} from "../../../contracts/interfaces/IAuditEpochs.sol";
import {IAudits} from "../../../contracts/interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {NotModule} from "../../../contracts/types/Errors.sol";
import {AuditActions} from "../support/AuditActions.sol";

/// @title Audits from the draw to the end
contract AuditsTest is AuditActions {
    function setUp() public override {
        super.setUp();
        prepare(12);
        vm.warp(block.timestamp + 30);
        trace(2_000, true);
        vm.warp(block.timestamp + 30);
        trace(6_000, true);
        vm.warp(block.timestamp + 30);
        trace(9_000, true);
    }

    /// @notice Equal answers end it; the verifier gets one and a half times the price, of which the node that is new pays its part.
    function test_Passed() public {
        bytes32 salt = openAudit(2);
        uint32 verifier = verifierOf(2);
        (address owner, ) = nodes.keysOf(verifier);
        uint256 probe = AuditDraw.probeAt(salt, 0, uint32(LEAVES));
        bytes32 answer = answerOf(2, probe, true);
        commit(2, answer);
        bytes32 opened = openTrace(2, salt, true);
        assertEq(opened, answer);
        uint256 stake = vault.stakeOf(leases.lease(id).nodeId);
        uint256 pool = vault.totals().bountyPool;
        reveal(2, answer, opened);
        assertAudit(2, IAudits.AuditStatus.Passed);
        // 4,000 basis points of a unit at 10,000 micro-VER.
        uint256 pay = 6_000 * MICRO;
        assertEq(vault.claimable(owner), pay);
        uint256 chance = audits.auditOf(id, 2).chance;
        assertEq(chance, 1_000);
        assertEq(pool - vault.totals().bountyPool, pay / 10);
        assertEq(stake - vault.stakeOf(leases.lease(id).nodeId), pay - pay / 10);
        assertEq(audits.standingOf(leases.lease(id).nodeId).passed, 1);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
    }

    /// @notice A verifier that finds what was posted opens it itself: the audit is over, and pays as any that has passed.
    function test_Confirmed() public {
        bytes32 salt = openAudit(2);
        (address owner, ) = nodes.keysOf(verifierOf(2));
        uint32 producer = leases.lease(id).nodeId;
        IVault.Totals memory totals = vault.totals();
        uint256 stake = vault.stakeOf(producer);
        confirm(2, salt);
        assertAudit(2, IAudits.AuditStatus.Passed);
        uint256 pay = 6_000 * MICRO;
        assertEq(vault.claimable(owner), pay);
        assertEq(totals.bountyPool - vault.totals().bountyPool, pay / 10);
        assertEq(stake - vault.stakeOf(producer), pay - pay / 10);
        assertEq(totals.stake - vault.totals().stake, pay - pay / 10);
        assertEq(vault.totals().claimable - totals.claimable, pay);
        assertEq(vault.feesOf(1), 0);
        assertEq(audits.standingOf(producer).passed, 1);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
    }

    /// @notice Five audits that verifiers confirmed make a node one that is no longer new as well.
    function test_ConfirmedUntilProven() public {
        uint32 producer = leases.lease(id).nodeId;
        for (uint32 sequence = 4; sequence < 9; ++sequence) {
            assertEq(audits.standingOf(producer).provenAt, 0);
            vm.warp(block.timestamp + 30);
            trace(9_000 + 100 * uint40(sequence), true);
            confirm(sequence, openAudit(sequence));
        }
        assertEq(audits.standingOf(producer).provenAt, block.timestamp);
    }

    /// @notice Where five owners beside producer and verifier can be drawn there is a panel; one fewer, and nothing is decided, whatever
    /// nodes they have.
    function test_SmallestPanel() public {
        for (uint32 nodeId = 8; nodeId <= 12; ++nodeId) {
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, false);
        }
        (uint32 epochId, bytes32 salt) = drawSegment(2);
        uint32 producer = leases.lease(id).nodeId;
        (uint32[] memory drawn, uint16 next) = auditEpochs.drawPanel(epochId, salt, 0, CPU_EU, producer, 1);
        assertEq(drawn.length, 5);
        assertGe(next, 5);
        IAuditEpochs.Terms memory t = auditEpochs.terms();
        // There are six others.
        t.panelOwners = 6;
        auditEpochs.setTerms(t);
        (drawn, ) = auditEpochs.drawPanel(epochId, salt, 0, CPU_EU, producer, 1);
        assertEq(drawn.length, 5);
        t.panelOwners = 7;
        auditEpochs.setTerms(t);
        (drawn, ) = auditEpochs.drawPanel(epochId, salt, 0, CPU_EU, producer, 1);
        assertEq(drawn.length, 0);
    }

    /// @notice What a trace root adds to a checkpoint.
    /// hardhat-config: isolate = true
    function test_TraceGas() public {
        uint32 plain = leaseOf(bob, alice, UNITS);
        for (uint40 i = 1; i <= 3; ++i) {
            vm.warp(block.timestamp + 30);
            checkpoint(plain, i * 2_000);
        }
        uint256 without = vm.lastCallGas().gasTotalUsed;
        trace(12_000, true);
        uint256 with_ = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas of a checkpoint", without);
        emit log_named_uint("gas of a trace root", with_ - without);
        assertLe(with_ - without, 10_000);
    }

    /// @notice A developer buys a higher chance: its fee pays for it, and no node does.
    function test_HigherChance() public {
        vm.warp(block.timestamp + 30);
        delete links;
        id = auditedLease(bob, alice, 2_000);
        vm.warp(block.timestamp + 30);
        trace(4_000, true);
        assertEq(audits.chanceOf(segmentOf(1)), 2_000);
        uint256 pool = vault.totals().bountyPool;
        uint256 stake = vault.stakeOf(leases.lease(id).nodeId);
        verify(1, true, true);
        assertAudit(1, IAudits.AuditStatus.Passed);
        assertEq(pool - vault.totals().bountyPool, 6_000 * MICRO);
        assertEq(vault.stakeOf(leases.lease(id).nodeId), stake);
    }

    /// @notice A cheat loses its stake under the lease, the market, and the pay; its units go on from the state before.
    function test_Fraud() public {
        trace(12_000, false);
        uint32 node = leases.lease(id).nodeId;
        uint256 stake = vault.stakeOf(node);
        bytes32 salt = verify(4, false, true);
        assertAudit(4, IAudits.AuditStatus.Voting);
        (address verifier, ) = nodes.keysOf(verifierOf(4));
        IAudits.Answer memory none;
        for (uint256 round; round < 3; ++round) {
            assertAudit(4, IAudits.AuditStatus.Voting);
            vote(4, salt, 0, none);
        }
        assertAudit(4, IAudits.AuditStatus.Fraud);
        assertEq(stake - vault.stakeOf(node), 4 * 10 ether);
        assertEq(vault.claimable(verifier), (4 * 10 ether) / uint256(3));
        assertGe(vault.claimable(bob), (4 * 10 ether) / uint256(3));
        assertStatus(id, ILeaseRegistry.LeaseStatus.Rejected);
        assertEq(uint8(supply.stateOf(node).status), uint8(ISupply.NodeStatus.Draining));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.Expelled.selector, node));
        vm.prank(operatorOf(node));
        nodes.resume(node);
        (ICheckpointRegistry.Checkpoint memory newest, ) = checkpoints.newestOf(id);
        assertEq(newest.digest, links[2].digest);
        assertEq(newest.sequence, 3);
        assertEq(lens.reopenedRanges(1)[0].parent, id);
        // Every member is paid what a verifier is, once.
        IAudits.PanelView memory p = audits.panelOf(id, 4);
        (address member, ) = nodes.keysOf(p.members[0].nodeId);
        uint256 before = vault.claimable(member);
        audits.collect(segmentOf(4), 0);
        assertEq(vault.claimable(member) - before, 4_500 * MICRO);
        vm.expectRevert(abi.encodeWithSelector(IAudits.NoSuchMember.selector, 0));
        audits.collect(segmentOf(4), 0);
    }

    /// @notice A verifier that was wrong pays the panel by its bond, and the producer loses nothing.
    function test_WrongVerifier() public {
        uint256 stake = vault.stakeOf(leases.lease(id).nodeId);
        bytes32 salt = verify(2, true, false);
        uint32 verifier = verifierOf(2);
        uint256 bond = vault.stakeOf(verifier);
        IAudits.Answer memory none;
        vote(2, salt, 0, none);
        assertAudit(2, IAudits.AuditStatus.Passed);
        assertEq(bond - vault.stakeOf(verifier), 16 * 6_000 * MICRO);
        assertEq(vault.stakeOf(leases.lease(id).nodeId), stake);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
        audits.collect(segmentOf(2), 4);
        (address member, ) = nodes.keysOf(audits.panelOf(id, 2).members[4].nodeId);
        assertEq(vault.claimable(member), 6_000 * MICRO);
    }

    /// @notice A third of colluding nodes in every round delays a conviction and does not prevent it.
    function test_Fraud_againstColluders() public {
        trace(12_000, false);
        bytes32 salt = verify(4, false, true);
        uint256 probe = AuditDraw.probeAt(salt, 0, uint32(LEAVES));
        for (uint256 round; audits.auditOf(id, 4).status == IAudits.AuditStatus.Voting; ++round) {
            // They get the cheat's states from the cheat, the leaf that the round asks for as well.
            bytes32 fresh = leafAt(4, AuditDraw.probeAt(salt, uint16(256 + round), 16), false);
            vote(4, salt, 1 + (round % 2), IAudits.Answer(answerOf(4, probe, false), fresh, true, keccak256("s")));
        }
        assertAudit(4, IAudits.AuditStatus.Fraud);
        // Who lied loses its bond.
        IAudits.PanelView memory p = audits.panelOf(id, 4);
        uint256 stake = vault.stakeOf(p.members[0].nodeId);
        audits.collect(segmentOf(4), 0);
        assertLt(vault.stakeOf(p.members[0].nodeId), stake);
    }

    /// @notice Who does not open its trace loses half of its stake under the lease: nobody but it can open it.
    function test_Refused() public {
        trace(12_000, false);
        uint32 node = leases.lease(id).nodeId;
        uint256 stake = vault.stakeOf(node);
        openAudit(4);
        commit(4, keccak256("answer"));
        IAudits.Segment memory s = segmentOf(4);
        uint40 due = audits.auditOf(id, 4).due;
        vm.expectRevert(abi.encodeWithSelector(IAudits.OutOfTime.selector, due));
        audits.close(s);
        vm.warp(due + 1);
        audits.close(s);
        assertAudit(4, IAudits.AuditStatus.Refused);
        assertEq(stake - vault.stakeOf(node), 2 * 10 ether);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Rejected);
        assertEq(uint8(supply.stateOf(node).status), uint8(ISupply.NodeStatus.Active));
    }

    /// @notice Where the panel cannot get the states either, they are unavailable: never the full slash.
    function test_Unavailable() public {
        bytes32 salt = openAudit(2);
        commit(2, UNAVAILABLE);
        reveal(2, UNAVAILABLE, openTrace(2, salt, true));
        for (uint256 round; round < 3; ++round) {
            vote(2, salt, 5, IAudits.Answer(UNAVAILABLE, 0, true, keccak256("s")));
        }
        assertAudit(2, IAudits.AuditStatus.Unavailable);
        assertEq(vault.stakeOf(leases.lease(id).nodeId), 2 * 10 ether);
    }

    /// @notice An image that only its developer vouches for: the pay stops, no stake is lost.
    function test_Mismatch() public {
        trace(12_000, false);
        uint32 node = leases.lease(id).nodeId;
        uint256 stake = vault.stakeOf(node);
        bytes32 salt = verify(4, false, true);
        uint256 probe = AuditDraw.probeAt(salt, 0, uint32(LEAVES));
        for (uint16 round; round < 3; ++round) {
            bytes32 fresh = leafAt(4, AuditDraw.probeAt(salt, 256 + round, 16), true);
            vote(4, salt, 5, IAudits.Answer(answerOf(4, probe, true), fresh, false, keccak256("s")));
        }
        assertAudit(4, IAudits.AuditStatus.Mismatch);
        assertEq(vault.stakeOf(node), stake);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Rejected);
    }

    /// @notice No two alike: the program is not reproducible, and its task has no audits any longer.
    function test_Undecided() public {
        verify(2, true, false);
        IAudits.PanelView memory p = audits.panelOf(id, 2);
        for (uint16 k; k < 5; ++k) {
            bytes32 word = commitmentOf(2, 256, p.members[k].nodeId, plain(keccak256(abi.encode(k))));
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.commitVote(id, 2, k, word);
        }
        for (uint16 k; k < 5; ++k) {
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.revealVote(segmentOf(2), k, plain(keccak256(abi.encode(k))));
        }
        assertAudit(2, IAudits.AuditStatus.Undecided);
        assertTrue(audits.isExcluded(1));
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
        vm.warp(block.timestamp + 30);
        trace(12_000, true);
        (uint32 epochId, ) = drawSegment(4);
        IAudits.SegmentProof memory proof = proofOf(4);
        vm.expectRevert(abi.encodeWithSelector(IAudits.TaskExcluded.selector, 1));
        audits.open(proof, epochId);
    }

    /// @notice Silent verifiers stall nothing: others are drawn, and after four the audit ends.
    function test_Silence() public {
        openAudit(2);
        for (uint256 i; i < 4; ++i) {
            assertAudit(2, IAudits.AuditStatus.Verifying);
            vm.warp(audits.auditOf(id, 2).due + 1);
            audits.close(segmentOf(2));
        }
        assertAudit(2, IAudits.AuditStatus.Unverified);
        trace(10_000, true);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Active);
    }

    /// @notice A silent panel ends as well, round by round, and costs its members nothing.
    function test_SilentPanel() public {
        verify(2, true, false);
        uint256 steps;
        while (audits.auditOf(id, 2).status < IAudits.AuditStatus.Passed) {
            vm.warp(audits.auditOf(id, 2).due + 1);
            audits.close(segmentOf(2));
            assertLt(++steps, 60);
        }
        assertAudit(2, IAudits.AuditStatus.Unverified);
        assertFalse(audits.isExcluded(1));
        audits.collect(segmentOf(2), 0);
        assertEq(vault.stakeOf(audits.panelOf(id, 2).members[0].nodeId), stakeFor(4));
    }

    /// @notice Where all are silent after a round that agreed, nothing is decided, and the task keeps its audits: a cheat gains no
    /// more by an outage than that one segment.
    function test_NobodyLeftToDraw() public {
        trace(12_000, false);
        bytes32 salt = verify(4, false, true);
        // Drawn in time, they vote; by the count of the last vote their reports are overdue.
        vm.warp(audits.auditOf(id, 4).due - 1);
        setParam(Param.ReportTimeout, 120);
        IAudits.Answer memory none;
        vote(4, salt, 0, none);
        assertAudit(4, IAudits.AuditStatus.Unverified);
        assertFalse(audits.isExcluded(1));
    }

    /// @notice In a class in which nobody verifies an audit is over the moment it is opened: no payment waits, and nobody loses by it.
    function test_NobodyVerifies() public {
        for (uint32 nodeId = 1; nodeId <= nodes.nodeCount(); ++nodeId) {
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, false);
        }
        vm.warp(block.timestamp + 1);
        trace(10_000, true);
        deliver(id);
        (uint40 due, uint256 stake) = (leases.lease(id).due, vault.stakeOf(leases.lease(id).nodeId));
        openAudit(4);
        assertAudit(4, IAudits.AuditStatus.Unverified);
        assertEq(leases.lease(id).due, due);
        assertFalse(audits.isExcluded(1));
        accept(bob, id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Paid);
        assertGe(vault.stakeOf(leases.lease(id).nodeId), stake);
    }

    /// @notice A delivery under audit is paid when it has ended, and no later than it can last; the developer's word is enough before.
    function test_PaymentWaits() public {
        openAudit(3);
        deliver(id);
        uint40 window = leases.lease(id).due;
        vm.warp(window - 60);
        audits.holdPayment(id, 3);
        // The audit's step was over long before: nothing waits longer than for those who move it on.
        assertEq(leases.lease(id).due, window);
        audits.close(segmentOf(3));
        assertGt(leases.lease(id).due, window);
        vm.warp(window + 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.DisputeWindowOpen.selector, id, leases.lease(id).due));
        accept(keeper, id);
        accept(bob, id);
        assertStatus(id, ILeaseRegistry.LeaseStatus.Paid);
    }

    /// @notice Who enlists once an epoch was opened verifies nothing of it, and nobody enlists another's node.
    function test_Enlisting() public {
        uint32 nodeId = register(alice, CPU_EU, 4, 4_000);
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.NotNodeOperator.selector, nodeId, alice));
        vm.prank(alice);
        auditEpochs.enlist(nodeId, true);
        (uint32 epochId, bytes32 salt) = drawSegment(2);
        for (uint32 i = 1; i <= 12; ++i) {
            vm.startPrank(operatorOf(i));
            auditEpochs.enlist(i, false);
            auditEpochs.enlist(i, true);
            vm.stopPrank();
        }
        uint32 producer = leases.lease(id).nodeId;
        (uint32 drawn, ) = auditEpochs.draw(epochId, salt, 0, 500, CPU_EU, producer);
        assertEq(drawn, 0);
        vm.warp(block.timestamp + 30);
        trace(12_000, true);
        (epochId, salt) = drawSegment(4);
        (drawn, ) = auditEpochs.draw(epochId, salt, 0, 500, CPU_EU, producer);
        assertNotEq(drawn, 0);
        assertNotEq(drawn, producer);
        (drawn, ) = auditEpochs.draw(epochId, salt, 0, 500, GPU_EU, producer);
        assertEq(drawn, 0);
    }

    function test_Terms() public {
        IAuditEpochs.Terms memory t = auditEpochs.terms();
        vm.expectRevert();
        vm.prank(alice);
        auditEpochs.setTerms(t);
        t.loss = 4_999;
        vm.expectRevert(IAuditEpochs.TermsOutOfBounds.selector);
        auditEpochs.setTerms(t);
        t.loss = 6_000;
        (t.chance, t.newChance) = (133, 10_001);
        vm.expectRevert(IAuditEpochs.TermsOutOfBounds.selector);
        auditEpochs.setTerms(t);
        // Every segment of a new node.
        t.newChance = 10_000;
        t.chance = 134;
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.ChanceNotPaid.selector, 134, 200));
        auditEpochs.setTerms(t);
        t.chance = 133;
        t.panelOwners = 1;
        vm.expectRevert(IAuditEpochs.TermsOutOfBounds.selector);
        auditEpochs.setTerms(t);
        t.panelOwners = 16;
        vm.expectRevert(IAuditEpochs.TermsOutOfBounds.selector);
        auditEpochs.setTerms(t);
        t.panelOwners = 5;
        t.openTime = 1 hours;
        vm.expectRevert(abi.encodeWithSelector(IAuditEpochs.WindowTooShort.selector, 4_260, 3_600));
        auditEpochs.setTerms(t);
        t.openTime = 30 minutes;
        auditEpochs.setTerms(t);
        assertEq(auditEpochs.terms().loss, 6_000);
    }

    function test_OnlyAudits() public {
        vm.expectRevert();
        leases.revoke(id, ILeaseRegistry.EndReason.Fraud, id);
        vm.expectRevert();
        leases.deferPayment(id, 1);
        vm.expectRevert();
        nodes.expel(1);
        vm.expectRevert();
        checkpoints.rollBack(id, links[0]);
        vm.expectRevert();
        seeds.request();
        vm.expectRevert(abi.encodeWithSelector(NotModule.selector, address(this)));
        vault.payVerifier(1, alice, 1, 1);
    }

    /// @notice Whatever the price and the segment, cheating in it is a loss although a third of the verifiers collude.
    function testFuzz_CheatingDoesNotPay(uint40 price, uint40 progress, uint40 before) public {
        price = uint40(bound(price, 1, type(uint40).max));
        progress = uint40(bound(progress, 1, UNITS * 10_000));
        before = uint40(bound(before, 0, progress - 1));
        ILeaseRegistry.Lease memory held = leases.lease(id);
        held.priceMicroVer = price;
        vm.mockCall(address(leases), abi.encodeCall(leases.lease, (id)), abi.encode(held));
        IAudits.Segment memory s = segmentOf(2);
        (s.before.progress, s.end.progress) = (before, progress);
        uint256 chance = audits.chanceOf(s);
        uint256 gain = (uint256(progress - before) * price) / 10_000;
        uint256 stake = price > 10_000_000 ? price : 10_000_000;
        uint256 loss = (UNITS * stake) / 2;
        // (1 - 2/3 chance) x gain <= 2/3 chance x loss, in parts of 30,000.
        assertLe((30_000 - 2 * chance) * gain, 2 * chance * loss);
        assertLe(chance, 10_000);
    }
}
