// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAuditEpochs} from "../interfaces/IAuditEpochs.sol";
import {IAudits} from "../interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {IVault} from "../interfaces/IVault.sol";
import {BASIS, PRICE_UNIT} from "../types/Units.sol";
import {AuditDraw} from "./AuditDraw.sol";
import {TraceTree} from "./TraceTree.sol";

/// @title Audits: drawn segments of work are done again by drawn nodes, and a wrong one costs the stake
/// @notice See {IAudits}.
contract Audits is IAudits {
    /// @dev The contracts that audits stand on.
    struct Contracts {
        IVault vault;
        INodeRegistry nodes;
        ITaskRegistry tasks;
        ILeaseRegistry leases;
        ICheckpointRegistry checkpoints;
        IAuditEpochs epochs;
    }

    /// @dev A panel, as far as it is.
    struct Panel {
        // One slot.
        uint8 round;
        /// First member of the round.
        uint16 first;
        /// Votes against the producer less those for it.
        int16 lead;
        /// Members of the round that have committed, and that have revealed.
        uint8 committed;
        uint8 revealed;
        /// Whether the rival says that the program is vouched for.
        bool vouched;
        /// Members that revealed so far, in all rounds.
        uint16 votes;
        /// What each member that was right is paid, micro-VER; known when it is over.
        uint64 share;
        /// Leases that there were when the producer was convicted.
        uint32 leases;
        bytes32 producerAnswer;
        bytes32 verifierAnswer;
        /// The other answer that the panel decides on: the most common one in its first round.
        bytes32 rival;
        Member[] members;
    }

    /// @notice Segments' links after it at most, in an opening.
    uint256 public constant MAX_LINKS = 512;
    /// @notice Candidates that are looked at for an audit and its panel, at most.
    uint16 public constant CANDIDATES = AuditDraw.CANDIDATES;
    /// @notice Candidates that are looked at for one that may verify, at most.
    uint16 public constant LOOKS = AuditDraw.LOOKS;
    /// @notice Verifiers that are drawn one after another if none answers, at most.
    uint8 public constant TRIES = 4;
    /// @notice Members of a round of a panel.
    uint256 public constant PANEL = AuditDraw.MEMBERS;
    /// @notice Rounds of a panel at most.
    uint8 public constant ROUNDS = 24;
    /// @notice Lead of votes against the producer that convicts it.
    int16 public constant CONVICT = 15;
    /// @notice Lead of votes for the producer that acquits it.
    int16 public constant ACQUIT = 5;
    /// @notice Audits of a node that must have passed before it is no longer new: what {IAuditEpochs.Terms}.newChance of 10 % finds in 50 segments.
    uint32 public constant PROVEN = 5;
    /// @notice What a verifier that was wrong loses, in pays of a verifier: a panel that acquits costs less.
    uint256 public constant BOND = 16;
    /// @notice Answer of a verifier that could not get the states from anybody.
    bytes32 public constant UNAVAILABLE = bytes32(uint256(1));
    /// @dev A segment, encoded.
    uint256 private constant SEGMENT_BYTES = 512;
    /// @dev Share of what a convicted producer loses that goes to the verifier; as much goes to the developer.
    uint256 private constant THIRD = 3;

    /// @notice Pays and slashes.
    IVault public immutable VAULT;
    /// @notice Keys; a node that cheated leaves the market.
    INodeRegistry public immutable NODES;
    /// @notice Developers.
    ITaskRegistry public immutable TASKS;
    /// @notice Whose work is audited.
    ILeaseRegistry public immutable LEASES;
    /// @notice Keeps the chains of checkpoints.
    ICheckpointRegistry public immutable CHECKPOINTS;
    /// @notice Seeds, verifiers, and what audits go by.
    IAuditEpochs public immutable EPOCHS;

    mapping(uint32 nodeId => Standing) private _standings;
    mapping(uint64 key => Audit) private _audits;
    mapping(uint64 key => Panel) private _panels;
    mapping(uint32 taskId => bool) private _excluded;

    constructor(Contracts memory c) {
        VAULT = c.vault;
        NODES = c.nodes;
        TASKS = c.tasks;
        LEASES = c.leases;
        CHECKPOINTS = c.checkpoints;
        EPOCHS = c.epochs;
    }

    /// @inheritdoc IAudits
    function open(SegmentProof calldata proof, uint32 epochId) external {
        Segment calldata segment = proof.segment;
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        Audit storage a = _at(leaseId, sequence, AuditStatus.None);
        require(proof.later.length <= MAX_LINKS, TooManyLinks(proof.later.length));
        bool posted = CHECKPOINTS.isPosted(leaseId, proof.head, segment.before, segment.end, proof.later);
        require(posted, NotPosted(leaseId));
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        require(!_excluded[lease.taskId], TaskExcluded(lease.taskId));
        uint256 chance = EPOCHS.judge(epochId, segment, _standings[lease.nodeId].provenAt);
        (a.epochId, a.chance, a.tag) = (epochId, uint16(chance), _tagOf(segment));
        emit AuditOpened(leaseId, sequence, epochId, segment);
        _drawVerifier(a, segment, lease);
    }

    /// @inheritdoc IAudits
    function confirm(
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external {
        Audit storage a = _of(segment, AuditStatus.Verifying);
        uint32 nodeId = _requireVerifier(a);
        bytes32 answer = _opened(a, segment, opening, paths);
        emit AnswerRevealed(segment.leaseId, segment.end.sequence, nodeId, answer);
        _passAndPay(a, segment, nodeId);
    }

    /// @inheritdoc IAudits
    function commit(uint32 leaseId, uint32 sequence, bytes32 commitment) external {
        Audit storage a = _at(leaseId, sequence, AuditStatus.Verifying);
        uint32 nodeId = _requireVerifier(a);
        a.verifierWord = commitment;
        _step(a, AuditStatus.Opening, _stepTime());
        emit AnswerCommitted(leaseId, sequence, nodeId, a.due);
    }

    /// @inheritdoc IAudits
    function openTrace(
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external {
        Audit storage a = _of(segment, AuditStatus.Opening);
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        _requireOperator(LEASES.lease(leaseId).nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
        bytes32 answer = _opened(a, segment, opening, paths);
        // One word for both: what the verifier committed to is now bound to this answer as well.
        a.verifierWord = keccak256(abi.encodePacked(a.verifierWord, answer));
        _step(a, AuditStatus.Revealing, _stepTime());
        emit TraceOpened(leaseId, sequence, answer, a.due);
    }

    /// @inheritdoc IAudits
    function reveal(Segment calldata segment, Answer calldata given, bytes32 producerAnswer) external {
        Audit storage a = _of(segment, AuditStatus.Revealing);
        uint32 nodeId = _requireVerifier(a);
        bytes32 word = _commitment(segment, _question(a), nodeId, given);
        require(a.verifierWord == keccak256(abi.encodePacked(word, producerAnswer)), NotCommitted(nodeId));
        emit AnswerRevealed(segment.leaseId, segment.end.sequence, nodeId, given.answer);
        if (given.answer == producerAnswer) {
            a.verifierWord = 0;
            _passAndPay(a, segment, nodeId);
            return;
        }
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        p.producerAnswer = producerAnswer;
        p.verifierAnswer = given.answer;
        _drawPanel(a, p, segment, LEASES.lease(segment.leaseId));
    }

    /// @inheritdoc IAudits
    function commitVote(uint32 leaseId, uint32 sequence, uint16 place, bytes32 commitment) external {
        Audit storage a = _at(leaseId, sequence, AuditStatus.Voting);
        Panel storage p = _panels[_key(leaseId, sequence)];
        Member storage m = _memberAt(p, place);
        _requireOperator(m.nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
        if (m.word == 0) ++p.committed;
        m.word = commitment;
        emit AnswerCommitted(leaseId, sequence, m.nodeId, a.due);
        if (p.committed == p.members.length - p.first) _step(a, AuditStatus.Counting, _stepTime());
    }

    /// @inheritdoc IAudits
    function revealVote(Segment calldata segment, uint16 place, Answer calldata given) external {
        Audit storage a = _of(segment, AuditStatus.Counting);
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        Member storage m = _memberAt(p, place);
        _requireOperator(m.nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
        bytes32 word = _commitment(segment, AuditDraw.PANEL + p.round, m.nodeId, given);
        require(m.group == 0 && m.word == word, NotCommitted(m.nodeId));
        m.word = given.answer;
        m.vouched = given.vouched;
        m.group = keccak256(abi.encode(given.answer, given.fresh, given.vouched));
        ++p.revealed;
        emit AnswerRevealed(segment.leaseId, segment.end.sequence, m.nodeId, given.answer);
        if (p.revealed == p.committed) _count(a, p, segment, LEASES.lease(segment.leaseId));
    }

    /// @inheritdoc IAudits
    function close(Segment calldata segment) external {
        Audit storage a = _audits[_key(segment.leaseId, segment.end.sequence)];
        AuditStatus status = a.status;
        require(_isRunning(status), WrongAuditStatus(segment.leaseId, segment.end.sequence, status));
        _requireSegment(a, segment);
        require(block.timestamp > a.due, OutOfTime(a.due));
        ILeaseRegistry.Lease memory lease = LEASES.lease(segment.leaseId);
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        if (status == AuditStatus.Opening) {
            // Nobody but the producer can open it.
            _convict(a, p, segment, lease, AuditStatus.Refused);
        } else if (status == AuditStatus.Voting) {
            _step(a, AuditStatus.Counting, _stepTime());
        } else if (status == AuditStatus.Counting) {
            _count(a, p, segment, lease);
        } else {
            // Who has committed has to reveal.
            if (status == AuditStatus.Revealing) _takeBond(a.verifierId, segment, lease.taskId);
            _drawVerifier(a, segment, lease);
        }
    }

    /// @inheritdoc IAudits
    function holdPayment(uint32 leaseId, uint32 sequence) external {
        Audit storage a = _audits[_key(leaseId, sequence)];
        require(_isRunning(a.status), WrongAuditStatus(leaseId, sequence, a.status));
        LEASES.deferPayment(leaseId, _until(a, _stepTime()));
    }

    /// @inheritdoc IAudits
    function collect(Segment calldata segment, uint16 place) external {
        Audit storage a = _audits[_key(segment.leaseId, segment.end.sequence)];
        require(a.status >= AuditStatus.Passed, WrongAuditStatus(segment.leaseId, segment.end.sequence, a.status));
        _requireSegment(a, segment);
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        require(place < p.members.length, NoSuchMember(place));
        Member storage m = p.members[place];
        require(!m.settled, NoSuchMember(place));
        m.settled = true;
        if (m.word == 0) return;
        bool undecided = a.status == AuditStatus.Undecided || a.status == AuditStatus.Unverified;
        int8 right = a.status == AuditStatus.Passed ? int8(-1) : int8(1);
        // Nobody answers for what was not decided, but for what it never revealed.
        bool isRight = undecided ? m.group != 0 : m.side == right;
        if (isRight) _pay(segment, m.nodeId, uint256(p.share) * PRICE_UNIT);
        else _takeBond(m.nodeId, segment, LEASES.lease(segment.leaseId).taskId);
    }

    /// @inheritdoc IAudits
    function revokeSuccessor(Segment calldata segment, uint32 leaseId) external {
        Audit storage a = _audits[_key(segment.leaseId, segment.end.sequence)];
        _requireSegment(a, segment);
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        uint32 child = leaseId;
        uint32 parent = LEASES.lease(leaseId).parent;
        while (parent != segment.leaseId) {
            require(parent != 0, NotSuccessor(leaseId, segment.leaseId));
            (child, parent) = (parent, LEASES.lease(parent).parent);
        }
        // What was granted after the conviction goes on from the state before.
        require(child <= p.leases, NotSuccessor(leaseId, segment.leaseId));
        LEASES.revoke(leaseId, ILeaseRegistry.EndReason.Revoked, segment.leaseId);
    }

    /// @inheritdoc IAudits
    function auditOf(uint32 leaseId, uint32 sequence) external view returns (Audit memory) {
        return _audits[_key(leaseId, sequence)];
    }

    /// @inheritdoc IAudits
    function panelOf(uint32 leaseId, uint32 sequence) external view returns (PanelView memory v) {
        Panel storage p = _panels[_key(leaseId, sequence)];
        return PanelView(p.round, p.first, p.lead, p.producerAnswer, p.verifierAnswer, p.rival, p.members);
    }

    /// @inheritdoc IAudits
    function standingOf(uint32 nodeId) external view returns (Standing memory) {
        return _standings[nodeId];
    }

    /// @inheritdoc IAudits
    function isExcluded(uint32 taskId) external view returns (bool) {
        return _excluded[taskId];
    }

    /// @inheritdoc IAudits
    function chanceOf(Segment calldata segment) external view returns (uint256) {
        return EPOCHS.chanceOf(segment, _standings[LEASES.lease(segment.leaseId).nodeId].provenAt);
    }

    /// @dev Draws the next verifier, or ends the audit if too many did not answer or no candidate is left.
    function _drawVerifier(Audit storage a, Segment calldata segment, ILeaseRegistry.Lease memory lease) private {
        uint32 nodeId;
        (uint8 tries, uint16 k) = (a.tries, a.nextCandidate);
        if (tries != TRIES && k < CANDIDATES) {
            (nodeId, k) = EPOCHS.draw(a.epochId, segment.salt, k, LOOKS, lease.classId, lease.nodeId);
        }
        if (nodeId == 0) {
            _end(a, segment, lease.nodeId, AuditStatus.Unverified);
            return;
        }
        (a.tries, a.nextCandidate, a.verifierId) = (tries + 1, k, nodeId);
        uint40 due = _run(a, AuditStatus.Verifying, segment.leaseId, lease);
        emit VerifierDrawn(segment.leaseId, segment.end.sequence, nodeId, tries, due);
    }

    /// @dev Draws the members of a round, each node once; ends the audit if nobody is left, or too few owners to decide.
    function _drawPanel(
        Audit storage a,
        Panel storage p,
        Segment calldata segment,
        ILeaseRegistry.Lease memory lease
    ) private {
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        uint32[] memory drawn;
        (drawn, a.nextCandidate) = EPOCHS.drawPanel(
            a.epochId,
            segment.salt,
            a.nextCandidate,
            lease.classId,
            lease.nodeId,
            a.verifierId
        );
        (p.first, p.committed, p.revealed) = (uint16(p.members.length), 0, 0);
        if (drawn.length == 0) {
            _giveUp(a, p, segment, lease, false);
            return;
        }
        uint40 due = _run(a, AuditStatus.Voting, leaseId, lease);
        emit PanelDrawn(leaseId, sequence, p.round, p.lead);
        for (uint256 i; i < drawn.length; ++i) {
            p.members.push(Member(drawn[i], false, false, 0, 0, 0));
            emit VerifierDrawn(leaseId, sequence, drawn[i], AuditDraw.PANEL + p.round, due);
        }
    }

    /// @dev Counts a round's votes. On each side only the largest group of equal answers counts: equal in what the round alone
    /// asked for as well, which nobody has who has not done the work. O({PANEL}^2).
    function _count(
        Audit storage a,
        Panel storage p,
        Segment calldata segment,
        ILeaseRegistry.Lease memory lease
    ) private {
        (uint256 votesFor, bytes32 groupFor) = _largest(p, true);
        (uint256 against, bytes32 groupAgainst) = _largest(p, false);
        for (uint256 i = p.first; i < p.members.length; ++i) {
            Member storage m = p.members[i];
            if (m.group == 0) continue;
            if (m.group == groupFor) {
                m.side = -1;
            } else if (m.group == groupAgainst) {
                m.side = 1;
                if (p.rival == 0) (p.rival, p.vouched) = (m.word, m.vouched);
            }
        }
        p.votes += p.revealed;
        p.lead += int16(int256(against) - int256(votesFor));
        if (p.lead >= CONVICT) {
            AuditStatus status = p.vouched ? AuditStatus.Fraud : AuditStatus.Mismatch;
            _convict(a, p, segment, lease, p.rival == UNAVAILABLE ? AuditStatus.Unavailable : status);
        } else if (p.lead <= -ACQUIT) {
            _acquit(a, p, segment, lease);
        } else if (p.round + 1 == ROUNDS || (p.votes >= 3 && Math.max(votesFor, against) < 2 && p.round == 0)) {
            _giveUp(a, p, segment, lease, p.votes >= 3);
        } else {
            ++p.round;
            _drawPanel(a, p, segment, lease);
        }
    }

    /// @dev The largest group of a round for the producer, or against it.
    function _largest(Panel storage p, bool forProducer) private view returns (uint256 most, bytes32 group) {
        for (uint256 i = p.first; i < p.members.length; ++i) {
            Member storage m = p.members[i];
            if (m.group == 0 || (m.word == p.producerAnswer) != forProducer) continue;
            if (!forProducer && p.rival != 0 && (m.word != p.rival || m.vouched != p.vouched)) continue;
            uint256 size;
            for (uint256 k = p.first; k < p.members.length; ++k) if (p.members[k].group == m.group) ++size;
            if (size > most) (most, group) = (size, m.group);
        }
    }

    /// @dev The producer was wrong: it loses its stake under the lease, a third of it to the verifier that was right, a third to the
    /// developer; what is left pays the panel. The units go on from the state before.
    function _convict(
        Audit storage a,
        Panel storage p,
        Segment calldata segment,
        ILeaseRegistry.Lease memory lease,
        AuditStatus status
    ) private {
        p.leases = LEASES.leaseCount();
        (uint256 pay, uint256 stake) = EPOCHS.worthOf(segment);
        uint256 taken;
        if (status != AuditStatus.Mismatch) {
            uint256 share = status == AuditStatus.Fraud ? BASIS : EPOCHS.terms().loss;
            taken = _take(lease.nodeId, lease.taskId, (stake * share * PRICE_UNIT) / BASIS);
        }
        _end(a, segment, lease.nodeId, status);
        uint256 pot = taken;
        if (status == AuditStatus.Mismatch) (pot, p.share) = (_feeOf(lease), 0);
        bool wasRight = status == AuditStatus.Refused || p.verifierAnswer == p.rival;
        if (status == AuditStatus.Fraud) {
            (address developer, , , ) = TASKS.termsOf(lease.taskId);
            if (wasRight) _pay(segment, a.verifierId, taken / THIRD);
            _payTo(segment, developer, taken / THIRD);
            pot = taken / THIRD;
        } else if (wasRight) {
            pay = Math.min(pay, pot / (p.members.length + 1));
            _pay(segment, a.verifierId, pay);
        }
        if (!wasRight) _takeBond(a.verifierId, segment, lease.taskId);
        _share(p, pay, pot);
        CHECKPOINTS.rollBack(segment.leaseId, segment.before);
        ILeaseRegistry.EndReason reason = ILeaseRegistry.EndReason.Fraud;
        if (status == AuditStatus.Mismatch) reason = ILeaseRegistry.EndReason.Mismatch;
        else if (status == AuditStatus.Unavailable) reason = ILeaseRegistry.EndReason.Unavailable;
        else if (status == AuditStatus.Refused) reason = ILeaseRegistry.EndReason.Refused;
        LEASES.revoke(segment.leaseId, reason, segment.leaseId);
        if (status == AuditStatus.Fraud) NODES.expel(lease.nodeId);
    }

    /// @dev The verifier was wrong: its bond pays the panel.
    function _acquit(
        Audit storage a,
        Panel storage p,
        Segment calldata segment,
        ILeaseRegistry.Lease memory lease
    ) private {
        _pass(a, segment, lease.nodeId);
        (uint256 pay, ) = EPOCHS.worthOf(segment);
        _share(p, pay, _take(a.verifierId, lease.taskId, BOND * pay));
    }

    /// @dev Nothing was decided.
    /// @param answered Whether enough have answered, no two alike for long: then the program is not reproducible, and its task has
    /// no audits any longer. Where nobody is left to draw, since all are silent, that says nothing of the program.
    function _giveUp(
        Audit storage a,
        Panel storage p,
        Segment calldata segment,
        ILeaseRegistry.Lease memory lease,
        bool answered
    ) private {
        if (answered) {
            _excluded[lease.taskId] = true;
            emit TaskAuditsEnded(lease.taskId);
        }
        _end(a, segment, lease.nodeId, answered ? AuditStatus.Undecided : AuditStatus.Unverified);
        (uint256 pay, ) = EPOCHS.worthOf(segment);
        _share(p, pay, _feeOf(lease));
    }

    function _pass(Audit storage a, Segment calldata segment, uint32 producer) private {
        Standing storage s = _standings[producer];
        uint32 passed = ++s.passed;
        if (passed == PROVEN) s.provenAt = uint40(block.timestamp);
        _end(a, segment, producer, AuditStatus.Passed);
    }

    /// @dev The verifier found what was posted: the segment has passed, and it is paid.
    function _passAndPay(Audit storage a, Segment calldata segment, uint32 nodeId) private {
        (uint32 producer, uint256 ofNode, uint256 ofPool) = EPOCHS.paymentOf(segment, a.chance);
        _pass(a, segment, producer);
        address to = NODES.ownerOf(nodeId);
        (ofNode, ofPool) = VAULT.payVerifier(producer, to, ofNode, ofPool);
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        if (ofNode != 0) emit AuditCharged(leaseId, sequence, producer, ofNode);
        emit AuditPaid(leaseId, sequence, to, ofPool);
    }

    function _end(Audit storage a, Segment calldata segment, uint32 producer, AuditStatus status) private {
        a.status = status;
        emit AuditEnded(segment.leaseId, segment.end.sequence, producer, status);
    }

    function _step(Audit storage a, AuditStatus status, uint256 time) private returns (uint40 due) {
        due = uint40(block.timestamp + time);
        (a.status, a.due) = (status, uint32(due));
    }

    /// @dev A step in which the segment is run again: a step's time, and two checkpoint intervals of its task.
    function _run(
        Audit storage a,
        AuditStatus status,
        uint32 leaseId,
        ILeaseRegistry.Lease memory lease
    ) private returns (uint40 due) {
        uint256 step = _stepTime();
        (, , uint32 interval, ) = TASKS.termsOf(lease.taskId);
        due = _step(a, status, step + 2 * uint256(interval));
        bool waits =
            lease.status == ILeaseRegistry.LeaseStatus.Delivered || lease.status == ILeaseRegistry.LeaseStatus.Disputed;
        if (waits) LEASES.deferPayment(leaseId, _until(a, step));
    }

    function _pay(Segment calldata segment, uint32 nodeId, uint256 amount) private {
        address to = NODES.ownerOf(nodeId);
        _payTo(segment, to, amount);
    }

    function _payTo(Segment calldata segment, address to, uint256 amount) private {
        if (amount == 0) return;
        emit AuditPaid(segment.leaseId, segment.end.sequence, to, VAULT.payBounty(to, amount));
    }

    /// @dev What each member that was right gets: a verifier's pay, as far as there is enough for all.
    function _share(Panel storage p, uint256 pay, uint256 pot) private {
        uint256 count = p.members.length;
        if (count != 0) p.share = uint64(Math.min(pay, pot / count) / PRICE_UNIT);
    }

    function _takeBond(uint32 nodeId, Segment calldata segment, uint32 taskId) private {
        (uint256 pay, ) = EPOCHS.worthOf(segment);
        _take(nodeId, taskId, BOND * pay);
    }

    /// @dev Moves stake to the pool, as far as there is any.
    function _take(uint32 nodeId, uint32 taskId, uint256 amount) private returns (uint256 taken) {
        taken = VAULT.holdFee(nodeId, taskId, amount);
        if (taken != 0) VAULT.forfeitFee(taskId, taken);
        emit AuditSlashed(nodeId, taskId, taken);
    }

    /// @dev The steps after this one, and time for those who move it on.
    function _until(Audit storage a, uint256 step) private view returns (uint32) {
        return uint32(a.due + 3 * step);
    }

    /// @dev What an opening says that belongs to the segment's trace, at the leaf that the verifier's question asks for.
    function _opened(
        Audit storage a,
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) private view returns (bytes32 answer) {
        answer = EPOCHS.answerOf(segment.salt, _question(a), segment.end.traceRoot, opening, paths);
        require(answer != 0, NotOfTrace(segment.leaseId, segment.end.sequence));
    }

    /// @dev The half of a lease's fee that its task has paid, wei.
    function _feeOf(ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        (, uint16 feeBps, , ) = TASKS.termsOf(lease.taskId);
        return (uint256(lease.count) * lease.priceMicroVer * feeBps * PRICE_UNIT) / (2 * BASIS);
    }

    function _stepTime() private view returns (uint256) {
        return EPOCHS.terms().step;
    }

    function _memberAt(Panel storage p, uint16 place) private view returns (Member storage) {
        require(place >= p.first && place < p.members.length, NoSuchMember(place));
        return p.members[place];
    }

    /// @dev An audit at a step, by its segment.
    function _of(Segment calldata segment, AuditStatus status) private view returns (Audit storage a) {
        a = _at(segment.leaseId, segment.end.sequence, status);
        _requireSegment(a, segment);
    }

    function _at(uint32 leaseId, uint32 sequence, AuditStatus status) private view returns (Audit storage a) {
        a = _audits[_key(leaseId, sequence)];
        require(a.status == status, WrongAuditStatus(leaseId, sequence, a.status));
    }

    function _requireSegment(Audit storage a, Segment calldata segment) private view {
        require(a.tag == _tagOf(segment), WrongSegment(segment.leaseId, segment.end.sequence));
    }

    /// @dev The caller is the verifier's operator, and in time.
    function _requireVerifier(Audit storage a) private view returns (uint32 nodeId) {
        nodeId = a.verifierId;
        _requireOperator(nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
    }

    function _requireOperator(uint32 nodeId) private view {
        address operator = NODES.operatorOf(nodeId);
        require(msg.sender == operator, IAuditEpochs.NotNodeOperator(nodeId, msg.sender));
    }

    function _question(Audit storage a) private view returns (uint16) {
        return a.tries - 1;
    }

    /// @dev Its words lie in calldata as abi.encode writes them.
    function _tagOf(Segment calldata segment) private pure returns (bytes14) {
        bytes32 hash;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, segment, SEGMENT_BYTES)
            hash := keccak256(words, SEGMENT_BYTES)
        }
        return bytes14(hash);
    }

    function _isRunning(AuditStatus status) private pure returns (bool) {
        return status != AuditStatus.None && status < AuditStatus.Passed;
    }

    function _key(uint32 leaseId, uint32 sequence) private pure returns (uint64) {
        return (uint64(leaseId) << 32) | sequence;
    }

    function _commitment(
        Segment calldata segment,
        uint16 question,
        uint32 nodeId,
        Answer memory given
    ) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    segment.leaseId,
                    segment.end.sequence,
                    question,
                    nodeId,
                    given.answer,
                    given.fresh,
                    given.vouched,
                    given.salt
                )
            );
    }
}
