// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AuditDraw} from "../../../contracts/audits/AuditDraw.sol";
import {TraceTree} from "../../../contracts/audits/TraceTree.sol";
import {IAudits} from "../../../contracts/interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Link} from "../../../contracts/types/Link.sol";
import {CODEC_DAG_PB} from "../../../contracts/types/Units.sol";
import {Fixture} from "./Fixture.sol";

/// @title A producer, verifiers of other owners, and the steps of an audit
abstract contract AuditActions is Fixture {
    uint256 internal constant LEAVES = 16;
    uint32 internal constant UNITS = 4;
    bytes32 internal constant UNAVAILABLE = bytes32(uint256(1));

    /// @dev The lease whose work is audited, and its checkpoints.
    uint32 internal id;
    Link[] internal links;
    /// @dev What the draws of a segment follow from, once a seed has drawn it.
    mapping(uint32 sequence => bytes32 salt) internal salts;

    /// @dev Verifiers ask more than the task pays, so that they get none of its units.
    function prepare(uint256 verifiers) internal {
        for (uint256 i; i < verifiers; ++i) {
            address owner = address(uint160(0xA0D1_0000 + i));
            uint32 nodeId = register(owner, CPU_EU, 4, 4_000);
            vm.prank(operatorOf(nodeId));
            auditEpochs.enlist(nodeId, true);
        }
        id = auditedLease(bob, carol, 1);
    }

    /// @dev A lease of a task that asks for audits.
    function auditedLease(address developer, address owner, uint16 auditChance) internal returns (uint32) {
        register(owner, CPU_EU, UNITS, 10);
        ITaskRegistry.Submission memory s = submission(UNITS, 20_000, list(CPU_EU));
        s.auditChance = auditChance;
        submit(developer, s);
        runRound(1);
        return leases.leaseCount();
    }

    /// @dev State of the program at a leaf of a segment; a cheat's differ.
    function stateAt(uint32 sequence, uint256 place, bool honest) internal pure returns (bytes32) {
        return keccak256(abi.encode("state", sequence, place, honest));
    }

    function leafAt(uint32 sequence, uint256 place, bool honest) internal pure returns (bytes32) {
        return TraceTree.leaf(0, uint64(10 * (place + 1)), stateAt(sequence, place, honest));
    }

    function leavesOf(uint32 sequence, bool honest) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](LEAVES);
        for (uint256 i; i < LEAVES; ++i) leaves[i] = leafAt(sequence, i, honest);
    }

    /// @dev A tree written once more, for a power of two of leaves.
    function topAndPath(bytes32[] memory level, uint256 at) internal pure returns (bytes32, bytes32[] memory path) {
        path = new bytes32[](4);
        for (uint256 height; level.length > 1; (++height, at >>= 1)) {
            path[height] = level[at ^ 1];
            bytes32[] memory above = new bytes32[](level.length / 2);
            for (uint256 i; i < above.length; ++i) {
                above[i] = keccak256(abi.encodePacked(uint8(3), level[2 * i], level[2 * i + 1]));
            }
            level = above;
        }
        return (level[0], path);
    }

    function rootOf(uint32 sequence, bool honest) internal pure returns (bytes32) {
        (bytes32 top, ) = topAndPath(leavesOf(sequence, honest), 0);
        top = keccak256(abi.encodePacked(uint8(1), uint24(0), uint32(LEAVES), top));
        return keccak256(abi.encodePacked(uint8(2), uint32(1), top));
    }

    function openingOf(
        uint32 sequence,
        uint256 probe,
        bool honest
    ) internal pure returns (TraceTree.Opening memory o, TraceTree.Paths memory paths) {
        o = TraceTree.Opening({
            units: 1,
            place: 0,
            unit: 0,
            count: uint32(LEAVES),
            probeStep: uint64(10 * (probe + 1)),
            probeDigest: stateAt(sequence, probe, honest),
            endStep: uint64(10 * LEAVES),
            endDigest: stateAt(sequence, LEAVES - 1, honest)
        });
        (, paths.probe) = topAndPath(leavesOf(sequence, honest), probe);
        (, paths.end) = topAndPath(leavesOf(sequence, honest), LEAVES - 1);
        paths.unit = new bytes32[](0);
    }

    /// @dev The producer posts its next checkpoint.
    function trace(uint40 progress, bool honest) internal {
        uint32 sequence = uint32(links.length + 1);
        Link memory link = Link({
            sequence: sequence,
            digest: keccak256(abi.encode(id, progress, honest)),
            traceRoot: rootOf(sequence, honest),
            progress: progress,
            at: uint40(block.timestamp),
            codec: CODEC_DAG_PB,
            size: 1_000
        });
        links.push(link);
        uint24 fence = fenceOf(id);
        vm.prank(operatorOfLease(id));
        checkpoints.postTraced(
            ICheckpointRegistry.Claim(id, fence, link.digest, link.codec, link.progress, link.size),
            link.traceRoot,
            noReceipts()
        );
    }

    function segmentOf(uint32 sequence) internal view returns (IAudits.Segment memory s) {
        (s.leaseId, s.salt) = (id, salts[sequence]);
        s.end = links[sequence - 1];
        if (sequence > 1) s.before = links[sequence - 2];
    }

    function proofOf(uint32 sequence) internal view returns (IAudits.SegmentProof memory p) {
        p.segment = segmentOf(sequence);
        for (uint256 i; i + 2 < sequence; ++i) p.head = links[i].headAfter(p.head);
        p.later = new bytes32[](links.length - sequence);
        for (uint256 i; i < p.later.length; ++i) p.later[i] = links[sequence + i].hash();
    }

    /// @dev Opens an epoch whose seed draws a segment.
    function drawSegment(uint32 sequence) internal returns (uint32 epochId, bytes32 salt) {
        uint256 from = uint256(auditEpochs.epoch(auditEpochs.epochCount()).to) + 5 minutes;
        if (block.timestamp < from) vm.warp(from);
        epochId = auditEpochs.openEpoch(id);
        uint256 chance = audits.chanceOf(segmentOf(sequence));
        uint256 word;
        do {
            salt = AuditDraw.salt(keccak256(abi.encode(++word)), id, sequence);
        } while (!AuditDraw.isDrawn(salt, chance));
        salts[sequence] = salt;
        answerOracle(epochId, word);
    }

    function answerOracle(uint32 epochId, uint256 word) internal {
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        coordinator.fulfillRandomWordsWithOverride(auditEpochs.epoch(epochId).requestId, address(seeds), words);
    }

    function openAudit(uint32 sequence) internal returns (bytes32 salt) {
        uint32 epochId;
        (epochId, salt) = drawSegment(sequence);
        audits.open(proofOf(sequence), epochId);
    }

    function answerOf(uint32 sequence, uint256 probe, bool honest) internal pure returns (bytes32) {
        (TraceTree.Opening memory o, ) = openingOf(sequence, probe, honest);
        return TraceTree.answer(o);
    }

    function commitmentOf(
        uint32 sequence,
        uint16 question,
        uint32 nodeId,
        IAudits.Answer memory given
    ) internal view returns (bytes32) {
        return
            keccak256(abi.encode(id, sequence, question, nodeId, given.answer, given.fresh, given.vouched, given.salt));
    }

    function plain(bytes32 answer) internal pure returns (IAudits.Answer memory) {
        return IAudits.Answer(answer, 0, true, keccak256("salt"));
    }

    function verifierOf(uint32 sequence) internal view returns (uint32) {
        return audits.auditOf(id, sequence).verifierId;
    }

    function commit(uint32 sequence, bytes32 answer) internal {
        IAudits.Audit memory a = audits.auditOf(id, sequence);
        bytes32 word = commitmentOf(sequence, a.tries - 1, a.verifierId, plain(answer));
        vm.prank(operatorOf(a.verifierId));
        audits.commit(id, sequence, word);
    }

    /// @dev The producer opens what it posted.
    function openTrace(uint32 sequence, bytes32 salt, bool honest) internal returns (bytes32 answer) {
        uint256 probe = AuditDraw.probeAt(salt, audits.auditOf(id, sequence).tries - 1, uint32(LEAVES));
        (TraceTree.Opening memory o, TraceTree.Paths memory paths) = openingOf(sequence, probe, honest);
        answer = TraceTree.answer(o);
        address operator = operatorOfLease(id);
        vm.prank(operator);
        audits.openTrace(segmentOf(sequence), o, paths);
    }

    /// @dev The verifier has found what was posted, and opens it itself.
    function confirm(uint32 sequence, bytes32 salt) internal {
        uint256 probe = AuditDraw.probeAt(salt, audits.auditOf(id, sequence).tries - 1, uint32(LEAVES));
        (TraceTree.Opening memory o, TraceTree.Paths memory paths) = openingOf(sequence, probe, true);
        vm.prank(operatorOf(verifierOf(sequence)));
        audits.confirm(segmentOf(sequence), o, paths);
    }

    function reveal(uint32 sequence, bytes32 answer, bytes32 producerAnswer) internal {
        vm.prank(operatorOf(verifierOf(sequence)));
        audits.reveal(segmentOf(sequence), plain(answer), producerAnswer);
    }

    /// @dev All steps up to the reveal, by a verifier that did the work.
    function verify(uint32 sequence, bool honestProducer, bool honestVerifier) internal returns (bytes32 salt) {
        salt = openAudit(sequence);
        uint256 probe = AuditDraw.probeAt(salt, 0, uint32(LEAVES));
        bytes32 answer = answerOf(sequence, probe, honestVerifier);
        commit(sequence, answer);
        bytes32 producerAnswer = openTrace(sequence, salt, honestProducer);
        reveal(sequence, answer, producerAnswer);
    }

    /// @dev A round in which members answer in turn: the first `lying` ones what they are told, the others by the work.
    function vote(uint32 sequence, bytes32 salt, uint256 lying, IAudits.Answer memory lie) internal {
        IAudits.PanelView memory p = audits.panelOf(id, sequence);
        uint16 question = AuditDraw.PANEL + p.round;
        bytes32 truth = answerOf(sequence, AuditDraw.probeAt(salt, audits.auditOf(id, sequence).tries - 1, 16), true);
        bytes32 fresh = leafAt(sequence, AuditDraw.probeAt(salt, question, uint32(LEAVES)), true);
        for (uint16 k = p.first; k < p.members.length; ++k) {
            IAudits.Answer memory given = IAudits.Answer(truth, fresh, true, keccak256("salt"));
            if (k < p.first + lying) given = lie;
            bytes32 word = commitmentOf(sequence, question, p.members[k].nodeId, given);
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.commitVote(id, sequence, k, word);
        }
        for (uint16 k = p.first; k < p.members.length; ++k) {
            IAudits.Answer memory given = IAudits.Answer(truth, fresh, true, keccak256("salt"));
            if (k < p.first + lying) given = lie;
            vm.prank(operatorOf(p.members[k].nodeId));
            audits.revealVote(segmentOf(sequence), k, given);
        }
    }

    function assertAudit(uint32 sequence, IAudits.AuditStatus status) internal view {
        assertEq(uint8(audits.auditOf(id, sequence).status), uint8(status), "audit status");
    }
}
