// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAuditEpochs} from "../interfaces/IAuditEpochs.sol";
import {IAudits} from "../interfaces/IAudits.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
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
        IParameters parameters;
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
    uint16 public constant CANDIDATES = 4_096;
    /// @notice Candidates that one transaction looks at, at most.
    uint16 public constant LOOKS = 128;
    /// @notice Verifiers that are drawn one after another if none answers, at most.
    uint8 public constant TRIES = 4;
    /// @notice Members of a round of a panel.
    uint256 public constant PANEL = 5;
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
    /// @dev Share of what a convicted producer loses that goes to the verifier; as much goes to the developer.
    uint256 private constant THIRD = 3;

    /// @notice Pays and slashes.
    IVault public immutable VAULT;
    /// @notice Stake of a unit, the oracle's time.
    IParameters public immutable PARAMETERS;
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
        PARAMETERS = c.parameters;
        NODES = c.nodes;
        TASKS = c.tasks;
        LEASES = c.leases;
        CHECKPOINTS = c.checkpoints;
        EPOCHS = c.epochs;
    }

    /// @inheritdoc IAudits
    function open(SegmentProof calldata proof, uint32 epochId) external {
        Segment memory segment = proof.segment;
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        Audit storage a = _audits[_key(leaseId, sequence)];
        require(a.status == AuditStatus.None, WrongAuditStatus(leaseId, sequence, a.status));
        require(proof.later.length <= MAX_LINKS, TooManyLinks(proof.later.length));
        bool posted = CHECKPOINTS.isPosted(leaseId, proof.head, segment.before, segment.end, proof.later);
        require(posted, NotPosted(leaseId));
        bytes32 salt = _saltOf(epochId, segment);
        EPOCHS.requireOpenable(epochId, segment.end.at);
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        require(!_excluded[lease.taskId], TaskExcluded(lease.taskId));
        uint256 chance = _chanceOf(segment, lease);
        require(AuditDraw.isDrawn(salt, chance), NotDrawn(leaseId, sequence, chance));
        (a.epochId, a.chance) = (epochId, uint16(chance));
        a.segmentHash = keccak256(abi.encode(segment));
        emit AuditOpened(leaseId, sequence, epochId, salt, segment);
        _drawVerifier(a, segment, lease, salt);
    }

    /// @inheritdoc IAudits
    function commit(uint32 leaseId, uint32 sequence, bytes32 commitment) external {
        Audit storage a = _at(leaseId, sequence, AuditStatus.Verifying);
        uint32 nodeId = a.verifierId;
        _requireOperator(nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
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
        bytes32 salt = _saltOf(a.epochId, segment);
        bytes32 answer = EPOCHS.answerOf(salt, _question(a), segment.end.traceRoot, opening, paths);
        require(answer != 0, NotOfTrace(leaseId, sequence));
        // One word for both: what the verifier committed to is now bound to this answer as well.
        a.verifierWord = keccak256(abi.encodePacked(a.verifierWord, answer));
        _step(a, AuditStatus.Revealing, _stepTime());
        emit TraceOpened(leaseId, sequence, answer, a.due);
    }

    /// @inheritdoc IAudits
    function reveal(Segment calldata segment, Answer calldata given, bytes32 producerAnswer) external {
        Audit storage a = _of(segment, AuditStatus.Revealing);
        uint32 nodeId = a.verifierId;
        _requireOperator(nodeId);
        require(block.timestamp <= a.due, OutOfTime(a.due));
        bytes32 word = _commitment(segment, _question(a), nodeId, given);
        require(a.verifierWord == keccak256(abi.encodePacked(word, producerAnswer)), NotCommitted(nodeId));
        emit AnswerRevealed(segment.leaseId, segment.end.sequence, nodeId, given.answer);
        ILeaseRegistry.Lease memory lease = LEASES.lease(segment.leaseId);
        if (given.answer == producerAnswer) {
            a.verifierWord = 0;
            _pass(a, segment, lease);
            _payVerifier(a, segment, lease);
            return;
        }
        Panel storage p = _panels[_key(segment.leaseId, segment.end.sequence)];
        p.producerAnswer = producerAnswer;
        p.verifierAnswer = given.answer;
        _drawPanel(a, p, segment, lease);
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
            if (status == AuditStatus.Revealing) _takeBond(a.verifierId, segment, lease);
            _drawVerifier(a, segment, lease, _saltOf(a.epochId, segment));
        }
    }

    /// @inheritdoc IAudits
    function holdPayment(uint32 leaseId, uint32 sequence) external {
        Audit storage a = _audits[_key(leaseId, sequence)];
        require(_isRunning(a.status), WrongAuditStatus(leaseId, sequence, a.status));
        _defer(a, leaseId);
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
        else _takeBond(m.nodeId, segment, LEASES.lease(segment.leaseId));
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
        return _chanceOf(segment, LEASES.lease(segment.leaseId));
    }

    /// @dev Draws the next verifier, or ends the audit if too many did not answer or no candidate is left.
    function _drawVerifier(
        Audit storage a,
        Segment memory segment,
        ILeaseRegistry.Lease memory lease,
        bytes32 salt
    ) private {
        uint32 nodeId = a.tries == TRIES ? 0 : _nextCandidate(a, lease, salt);
        if (nodeId == 0) {
            _end(a, segment, lease, AuditStatus.Unverified);
            return;
        }
        ++a.tries;
        a.verifierId = nodeId;
        a.verifierWord = 0;
        _step(a, AuditStatus.Verifying, _window(lease.taskId));
        emit VerifierDrawn(segment.leaseId, segment.end.sequence, nodeId, _question(a), a.due);
        _defer(a, segment.leaseId);
    }

    /// @dev Draws the members of a round, each node once; ends the audit if nobody is left.
    function _drawPanel(
        Audit storage a,
        Panel storage p,
        Segment memory segment,
        ILeaseRegistry.Lease memory lease
    ) private {
        (uint32 leaseId, uint32 sequence) = (segment.leaseId, segment.end.sequence);
        bytes32 salt = _saltOf(a.epochId, segment);
        uint256 first = p.members.length;
        (p.first, p.committed, p.revealed) = (uint16(first), 0, 0);
        emit PanelDrawn(leaseId, sequence, p.round, p.lead);
        _step(a, AuditStatus.Voting, _window(lease.taskId));
        // Others may have the same node drawn twice; within a round it counts once.
        for (uint256 tries; tries < 3 * PANEL && p.members.length < first + PANEL; ++tries) {
            uint32 nodeId = _nextCandidate(a, lease, salt);
            if (nodeId == 0) break;
            if (nodeId == a.verifierId || _isMember(p, first, nodeId)) continue;
            p.members.push(Member(nodeId, false, false, 0, 0, 0));
            emit VerifierDrawn(leaseId, sequence, nodeId, AuditDraw.PANEL + p.round, a.due);
        }
        if (p.members.length == first) _giveUp(a, p, segment, lease, false);
        else _defer(a, leaseId);
    }

    /// @dev The next node of the row that may verify; 0 if none of those that are looked at may. O({LOOKS}).
    function _nextCandidate(
        Audit storage a,
        ILeaseRegistry.Lease memory lease,
        bytes32 salt
    ) private returns (uint32 nodeId) {
        uint16 k = a.nextCandidate;
        if (k >= CANDIDATES) return 0;
        (nodeId, k) = EPOCHS.draw(a.epochId, salt, k, LOOKS, lease.classId, lease.nodeId);
        a.nextCandidate = k;
    }

    /// @dev Counts a round's votes. On each side only the largest group of equal answers counts: equal in what the round alone
    /// asked for as well, which nobody has who has not done the work. O({PANEL}^2).
    function _count(
        Audit storage a,
        Panel storage p,
        Segment memory segment,
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
        Segment memory segment,
        ILeaseRegistry.Lease memory lease,
        AuditStatus status
    ) private {
        p.leases = LEASES.leaseCount();
        uint256 taken;
        if (status != AuditStatus.Mismatch) {
            uint256 share = status == AuditStatus.Fraud ? BASIS : EPOCHS.terms().loss;
            taken = _take(lease.nodeId, lease.taskId, (_stakeUnder(lease) * share * PRICE_UNIT) / BASIS);
        }
        _end(a, segment, lease, status);
        uint256 pay = _payOf(segment, lease);
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
        if (!wasRight) _takeBond(a.verifierId, segment, lease);
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
        Segment memory segment,
        ILeaseRegistry.Lease memory lease
    ) private {
        _pass(a, segment, lease);
        _share(p, _payOf(segment, lease), _takeBond(a.verifierId, segment, lease));
    }

    /// @dev Nothing was decided.
    /// @param answered Whether enough have answered, no two alike for long: then the program is not reproducible, and its task has
    /// no audits any longer. Where nobody is left to draw, since all are silent, that says nothing of the program.
    function _giveUp(
        Audit storage a,
        Panel storage p,
        Segment memory segment,
        ILeaseRegistry.Lease memory lease,
        bool answered
    ) private {
        if (answered) {
            _excluded[lease.taskId] = true;
            emit TaskAuditsEnded(lease.taskId);
        }
        _end(a, segment, lease, answered ? AuditStatus.Undecided : AuditStatus.Unverified);
        _share(p, _payOf(segment, lease), _feeOf(lease));
    }

    function _pass(Audit storage a, Segment memory segment, ILeaseRegistry.Lease memory lease) private {
        Standing storage s = _standings[lease.nodeId];
        uint32 passed = ++s.passed;
        if (passed == PROVEN) s.provenAt = uint40(block.timestamp);
        _end(a, segment, lease, AuditStatus.Passed);
    }

    function _end(
        Audit storage a,
        Segment memory segment,
        ILeaseRegistry.Lease memory lease,
        AuditStatus status
    ) private {
        a.status = status;
        emit AuditEnded(segment.leaseId, segment.end.sequence, lease.nodeId, status);
    }

    function _step(Audit storage a, AuditStatus status, uint256 time) private {
        a.status = status;
        a.due = uint40(block.timestamp + time);
    }

    /// @dev What the pool pays is what the fee brings at the usual chance, or at that which the task asks for; the node that made it
    /// higher pays the rest.
    function _payVerifier(Audit storage a, Segment memory segment, ILeaseRegistry.Lease memory lease) private {
        uint256 pay = _payOf(segment, lease);
        uint32 taskId = lease.taskId;
        uint256 ofPool = (pay * Math.max(EPOCHS.terms().chance, TASKS.auditChanceOf(taskId))) / a.chance;
        address to = NODES.ownerOf(a.verifierId);
        if (pay > ofPool) {
            uint256 held = VAULT.holdFee(lease.nodeId, taskId, pay - ofPool);
            if (held != 0) VAULT.releaseFee(taskId, to, held);
            emit AuditCharged(segment.leaseId, segment.end.sequence, lease.nodeId, held);
        }
        _payTo(segment, to, ofPool);
    }

    function _pay(Segment memory segment, uint32 nodeId, uint256 amount) private {
        address to = NODES.ownerOf(nodeId);
        _payTo(segment, to, amount);
    }

    function _payTo(Segment memory segment, address to, uint256 amount) private {
        if (amount == 0) return;
        emit AuditPaid(segment.leaseId, segment.end.sequence, to, VAULT.payBounty(to, amount));
    }

    /// @dev What each member that was right gets: a verifier's pay, as far as there is enough for all.
    function _share(Panel storage p, uint256 pay, uint256 pot) private {
        uint256 count = p.members.length;
        if (count != 0) p.share = uint64(Math.min(pay, pot / count) / PRICE_UNIT);
    }

    function _takeBond(
        uint32 nodeId,
        Segment memory segment,
        ILeaseRegistry.Lease memory lease
    ) private returns (uint256) {
        return _take(nodeId, lease.taskId, BOND * _payOf(segment, lease));
    }

    /// @dev Moves stake to the pool, as far as there is any.
    function _take(uint32 nodeId, uint32 taskId, uint256 amount) private returns (uint256 taken) {
        taken = VAULT.holdFee(nodeId, taskId, amount);
        if (taken != 0) VAULT.forfeitFee(taskId, taken);
        emit AuditSlashed(nodeId, taskId, taken);
    }

    function _defer(Audit storage a, uint32 leaseId) private {
        // The steps after this one, and time for those who move it on.
        LEASES.deferPayment(leaseId, uint32(a.due + 3 * _stepTime()));
    }

    function _saltOf(uint32 epochId, Segment memory segment) private view returns (bytes32) {
        return EPOCHS.saltOf(epochId, segment.leaseId, segment.end.sequence);
    }

    function _chanceOf(Segment memory segment, ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        uint40 provenAt = _standings[lease.nodeId].provenAt;
        bool isNew = provenAt == 0 || segment.end.at <= provenAt;
        uint256 asked = TASKS.auditChanceOf(lease.taskId);
        return EPOCHS.chanceOf(asked, _gainOf(segment, lease), _stakeUnder(lease), isNew);
    }

    /// @dev Price of a segment, micro-VER: of what its lease did in it, not of what it found.
    function _gainOf(Segment memory segment, ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        uint256 before = segment.before.progress;
        if (segment.end.sequence == 1 && lease.parent != 0) {
            (ICheckpointRegistry.Checkpoint memory found, ) = CHECKPOINTS.newestOf(lease.parent);
            before = (uint256(found.progress) * lease.count) / LEASES.lease(lease.parent).count;
        }
        return (Math.saturatingSub(segment.end.progress, before) * lease.priceMicroVer) / BASIS;
    }

    /// @dev What verifying a segment pays, wei.
    function _payOf(Segment memory segment, ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        return (3 * _gainOf(segment, lease) * PRICE_UNIT) / 2;
    }

    /// @dev Stake under a lease at least, micro-VER.
    function _stakeUnder(ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        return lease.count * Math.max(lease.priceMicroVer, PARAMETERS.get(Param.StakePerUnit));
    }

    /// @dev The half of a lease's fee that its task has paid, wei.
    function _feeOf(ILeaseRegistry.Lease memory lease) private view returns (uint256) {
        (, uint16 feeBps, , ) = TASKS.termsOf(lease.taskId);
        return (uint256(lease.count) * lease.priceMicroVer * feeBps * PRICE_UNIT) / (2 * BASIS);
    }

    function _stepTime() private view returns (uint256) {
        return EPOCHS.terms().step;
    }

    /// @dev Time to run a segment again, seconds.
    function _window(uint32 taskId) private view returns (uint256) {
        (, , uint32 interval, ) = TASKS.termsOf(taskId);
        return _stepTime() + 2 * uint256(interval);
    }

    function _isMember(Panel storage p, uint256 first, uint32 nodeId) private view returns (bool) {
        for (uint256 i = first; i < p.members.length; ++i) if (p.members[i].nodeId == nodeId) return true;
        return false;
    }

    function _memberAt(Panel storage p, uint16 place) private view returns (Member storage) {
        require(place >= p.first && place < p.members.length, NoSuchMember(place));
        return p.members[place];
    }

    /// @dev An audit at a step, by its segment.
    function _of(Segment memory segment, AuditStatus status) private view returns (Audit storage a) {
        a = _at(segment.leaseId, segment.end.sequence, status);
        _requireSegment(a, segment);
    }

    function _at(uint32 leaseId, uint32 sequence, AuditStatus status) private view returns (Audit storage a) {
        a = _audits[_key(leaseId, sequence)];
        require(a.status == status, WrongAuditStatus(leaseId, sequence, a.status));
    }

    function _requireSegment(Audit storage a, Segment memory segment) private view {
        bool same = a.segmentHash == keccak256(abi.encode(segment));
        require(same, WrongSegment(segment.leaseId, segment.end.sequence));
    }

    function _requireOperator(uint32 nodeId) private view {
        address operator = NODES.operatorOf(nodeId);
        require(msg.sender == operator, IAuditEpochs.NotNodeOperator(nodeId, msg.sender));
    }

    function _question(Audit storage a) private view returns (uint16) {
        return a.tries - 1;
    }

    function _isRunning(AuditStatus status) private pure returns (bool) {
        return status != AuditStatus.None && status < AuditStatus.Passed;
    }

    function _key(uint32 leaseId, uint32 sequence) private pure returns (uint64) {
        return (uint64(leaseId) << 32) | sequence;
    }

    function _commitment(
        Segment memory segment,
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
