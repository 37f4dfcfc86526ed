// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TraceTree} from "../audits/TraceTree.sol";
import {Link} from "../types/Link.sol";

/// @title Audits: drawn segments of work are done again by drawn nodes, and a wrong one costs the stake
/// @notice A *segment* is the work between two checkpoints of a lease, and belongs to the second of them. Only tasks that ask for
/// audits have them, and only what is *reproducible* can be audited: its state follows from the state before, to the bit.
///
/// **Nothing is frozen.** The chain of a lease's checkpoints ({Link}) fixes each segment, its trace root and its time for good.
/// An *epoch* is one request for a seed at a time F; it decides on the segments that were posted after the F of the last epoch
/// that got its seed, and not after its own. So each is fixed before anybody knows the seed, whatever is posted meanwhile.
/// Segment `sequence` of lease `lease` is drawn iff the upper half of salt = keccak256(seed ‖ lease ‖ sequence) is below its
/// chance, see {chanceOf}. Anyone opens the audit of a drawn segment by its links up to the lease's head.
///
/// **Verification.** The salt draws a verifier: an enlisted node of the same class and another owner, by its stake. It runs one
/// unit of the segment again (which one, and which late leaf of its trace is the *probe*, the salt says), commits to what it
/// found, and only then does the producer open these leaves: before, nobody can know the probe who has not done the work.
/// Equal: the verifier is paid. A verifier that finds the very trace that was posted can show so at once: it opens these leaves itself
/// ({confirm}), which nobody can who has not done the work either, and the audit is over. Not equal: a *panel* decides, five drawn nodes in each round, each asked for one leaf more that
/// nobody has opened. Rounds go on until one side leads by `CONVICT` (against the producer) or `ACQUIT` votes; a third of
/// colluding nodes then convicts an honest one once in 2^`CONVICT`.
///
/// **Time.** Each step has a time-out, after which anyone moves on. The lease's own work never waits; a delivery is not paid
/// while its lease is under audit, which ends within `longest`.
interface IAudits {
    /// @notice Verifying: the verifier runs the segment. Opening: it has committed, the producer opens the leaves. Revealing: the
    /// verifier reveals. Voting, Counting: a panel commits, then reveals. Then how it ended: Passed; Fraud: the producer was
    /// wrong, and the program is vouched for; Mismatch: it was wrong, but the program is only its developer's to vouch for;
    /// Unavailable: the panel could not get the states; Refused: the producer opened nothing; Undecided: no answer
    /// prevailed, the program is not reproducible; Unverified: no drawn node verified it.
    enum AuditStatus {
        None,
        Verifying,
        Opening,
        Revealing,
        Voting,
        Counting,
        Passed,
        Fraud,
        Mismatch,
        Unavailable,
        Refused,
        Undecided,
        Unverified
    }

    /// @notice A segment.
    struct Segment {
        /// Lease whose node posted it.
        uint32 leaseId;
        /// What all its draws follow from: {IAuditEpochs.saltOf} of the epoch that decided on it.
        bytes32 salt;
        /// The checkpoint that it goes on from; all zero for the first of a lease. That one goes on from what its own checkpoint
        /// names: one of the checkpoints of the leases before, or the spec.
        Link before;
        /// The checkpoint that ends it.
        Link end;
    }

    /// @notice What shows that a segment was posted.
    struct SegmentProof {
        /// The segment.
        Segment segment;
        /// Head of the lease's checkpoints before `segment.before`; 0 if there are none.
        bytes32 head;
        /// Hashes of the links after the segment, oldest first; at most `MAX_LINKS`.
        bytes32[] later;
    }

    /// @notice An audit. One slot, and a word that only an audit has whose verifier has committed.
    struct Audit {
        /// How far it is, or how it ended.
        AuditStatus status;
        /// Verifiers that were drawn so far; the question's number is one less.
        uint8 tries;
        /// The verifier.
        uint32 verifierId;
        /// Epoch that drew the segment.
        uint32 epochId;
        /// When the step ends, seconds.
        uint32 due;
        /// The candidate that is looked at next.
        uint16 nextCandidate;
        /// Probability that it was drawn with, basis points.
        uint16 chance;
        /// First 14 bytes of keccak256(abi.encode(segment)). The segment was posted before anybody knew the salt that is hashed with it, so
        /// who wants to pass off another one has to find a second preimage, while the audit runs.
        bytes14 tag;
        /// What the verifier committed to; once the producer has opened its trace, the hash of that and of the answer it opened.
        bytes32 verifierWord;
    }

    /// @notice What a node answers.
    struct Answer {
        /// {TraceTree.answer} of the opening that an honest producer makes, or 1: the states cannot be had, or 2: they are none of
        /// the program's.
        bytes32 answer;
        /// On a panel, with an opening: {TraceTree.leaf} of the leaf that its round asks for. Else 0.
        bytes32 fresh;
        /// Whether the program is one that the protocol vouches for.
        bool vouched;
        /// What it was hidden by.
        bytes32 salt;
    }

    /// @notice A member of a panel.
    struct Member {
        /// Id of the node.
        uint32 nodeId;
        /// Whether it said that the program is vouched for.
        bool vouched;
        /// Whether it was paid, or lost its bond.
        bool settled;
        /// 1: it counted against the producer; -1: for it; 0: for neither.
        int8 side;
        /// What it committed to; then its answer.
        bytes32 word;
        /// Hash of all it revealed: members of a round that agree have the same. 0: it revealed nothing.
        bytes32 group;
    }

    /// @notice A panel as clients read it.
    struct PanelView {
        /// Number of the round, from 0 on.
        uint8 round;
        /// Its first member.
        uint16 first;
        /// Votes against the producer less those for it, in the rounds before.
        int16 lead;
        /// What the producer opened.
        bytes32 producerAnswer;
        /// What the first verifier answered.
        bytes32 verifierAnswer;
        /// The other answer that the panel decides on; 0: not yet.
        bytes32 rival;
        /// Members of all rounds.
        Member[] members;
    }

    /// @notice What audits found of a node. One slot.
    struct Standing {
        /// Audits of its segments that passed.
        uint32 passed;
        /// When so many had passed that it is no longer new, seconds; 0: not yet.
        uint40 provenAt;
    }

    /// @notice The audit of a drawn segment began.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param epochId Epoch that drew it.
    /// @param segment The segment, with its salt.
    event AuditOpened(uint32 indexed leaseId, uint32 indexed sequence, uint32 indexed epochId, Segment segment);
    /// @notice A node is to verify a segment.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param nodeId The node.
    /// @param question Number of the question that it answers; 256 and more: a round of the panel.
    /// @param due Until when it may commit, seconds.
    event VerifierDrawn(
        uint32 indexed leaseId,
        uint32 indexed sequence,
        uint32 indexed nodeId,
        uint16 question,
        uint40 due
    );
    /// @notice A node committed to its answer.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param nodeId The node.
    /// @param due Until when the producer opens the leaves, or the members of a panel commit, seconds.
    event AnswerCommitted(uint32 indexed leaseId, uint32 indexed sequence, uint32 indexed nodeId, uint40 due);
    /// @notice The producer opened the leaves that were drawn.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param answer What an equal answer is.
    /// @param due Until when the verifier reveals, seconds.
    event TraceOpened(uint32 indexed leaseId, uint32 indexed sequence, bytes32 answer, uint40 due);
    /// @notice A node revealed its answer.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param nodeId The node.
    /// @param answer Its answer.
    event AnswerRevealed(uint32 indexed leaseId, uint32 indexed sequence, uint32 indexed nodeId, bytes32 answer);
    /// @notice A round of a panel began.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param round Number of the round, from 0 on.
    /// @param lead Votes against the producer less those for it, so far.
    event PanelDrawn(uint32 indexed leaseId, uint32 indexed sequence, uint8 round, int16 lead);
    /// @notice An audit ended.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param nodeId Node that posted the segment.
    /// @param status How it ended.
    event AuditEnded(uint32 indexed leaseId, uint32 indexed sequence, uint32 indexed nodeId, AuditStatus status);
    /// @notice A node was paid for verifying, or an opener for opening.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param to Who was paid.
    /// @param amount Wei.
    event AuditPaid(uint32 indexed leaseId, uint32 indexed sequence, address indexed to, uint256 amount);

    /// @notice A node paid for an audit that was more likely because it is new, or its segment large.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param nodeId Node that posted the segment.
    /// @param amount Wei of its stake.
    event AuditCharged(uint32 indexed leaseId, uint32 indexed sequence, uint32 indexed nodeId, uint256 amount);
    /// @notice A node lost stake by an audit.
    /// @param nodeId Id of the node.
    /// @param taskId Task of the segment.
    /// @param amount Wei.
    event AuditSlashed(uint32 indexed nodeId, uint32 indexed taskId, uint256 amount);
    /// @notice A task's program is not reproducible: it has no audits any longer.
    /// @param taskId Id of the task.
    event TaskAuditsEnded(uint32 indexed taskId);

    /// @notice There is no such audit, or it is at another step.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param status Its status.
    error WrongAuditStatus(uint32 leaseId, uint32 sequence, AuditStatus status);
    /// @notice The links do not lead to the lease's head.
    /// @param leaseId Id of the lease.
    error NotPosted(uint32 leaseId);
    /// @notice More links than `MAX_LINKS` were posted after the segment.
    /// @param given Links that were given.
    error TooManyLinks(uint256 given);
    /// @notice The step is over, or not over yet.
    /// @param due When it ends, seconds.
    error OutOfTime(uint40 due);
    /// @notice What is given is not what the audit is of.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    error WrongSegment(uint32 leaseId, uint32 sequence);
    /// @notice The paths do not lead from the leaves that were drawn to the segment's trace root.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    error NotOfTrace(uint32 leaseId, uint32 sequence);
    /// @notice What is revealed is not what was committed to.
    /// @param nodeId Id of the node.
    error NotCommitted(uint32 nodeId);

    /// @notice The task has no audits any longer.
    /// @param taskId Id of the task.
    error TaskExcluded(uint32 taskId);
    /// @notice The panel has no such member, or it is done with it.
    /// @param place Place of the member.
    error NoSuchMember(uint16 place);
    /// @notice The lease does not go on from the work that was found wrong.
    /// @param leaseId Id of the lease.
    /// @param convicted Lease whose work it was.
    error NotSuccessor(uint32 leaseId, uint32 convicted);
    /// @notice Opens the audit of a drawn segment and draws its verifier. Anyone; the drawn verifier has most reason to. O(links after it), at most `MAX_LINKS`, and O(candidates), at most `CANDIDATES`.
    /// @param proof The segment, and the links up to the lease's head.
    /// @param epochId Epoch that it was posted in.
    function open(SegmentProof calldata proof, uint32 epochId) external;

    /// @notice Shows that the segment is right: opens the leaves that the verifier's question asks for against the trace root that was
    /// posted. Who has not run the unit again has neither the probe nor what its path needs, so the audit has passed and the
    /// verifier is paid, without a commitment and without the producer. Operator of the drawn verifier only, in its time.
    /// @param segment The segment.
    /// @param opening The drawn unit at the drawn leaf and at its last.
    /// @param paths What shows that both belong to the trace root.
    function confirm(
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external;

    /// @notice Commits to an answer. Operator of the drawn verifier only, in its time.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param commitment keccak256(abi.encode(leaseId, sequence, question, nodeId, answer, fresh, vouched, salt)).
    function commit(uint32 leaseId, uint32 sequence, bytes32 commitment) external;

    /// @notice Opens the leaves that the verifier's question asks for. Operator of the lease's node only, in its time.
    /// @param segment The segment.
    /// @param opening The drawn unit at the drawn leaf and at its last.
    /// @param paths What shows that both belong to the trace root.
    function openTrace(
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external;

    /// @notice Reveals an answer. Operator of the verifier only, in its time. An answer equal to the producer's ends the
    /// audit: the verifier is paid one and a half times the segment's price. Another one calls a panel.
    /// @param segment The segment.
    /// @param given The answer, and what hid it.
    /// @param producerAnswer What the producer opened.
    function reveal(Segment calldata segment, Answer calldata given, bytes32 producerAnswer) external;

    /// @notice Commits to a vote in the round of a panel. Operator of the member only, in its time.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param place Place of the member.
    /// @param commitment See {commit}, with the question of the round, 256 + its number.
    function commitVote(uint32 leaseId, uint32 sequence, uint16 place, bytes32 commitment) external;

    /// @notice Reveals a vote; the last one counts the round. Operator of the member only, in its time.
    /// @param segment The segment.
    /// @param place Place of the member.
    /// @param given The answer, and what hid it.
    function revealVote(Segment calldata segment, uint16 place, Answer calldata given) external;

    /// @notice Moves an audit on whose step is over: to the next verifier, round or end. Anyone. Bounded.
    /// @param segment The segment.
    function close(Segment calldata segment) external;

    /// @notice Lets the payment of a delivered lease wait for its audit, where it was delivered after that began. Anyone.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    function holdPayment(uint32 leaseId, uint32 sequence) external;

    /// @notice Settles with a member of a panel once the audit is over: pays it, or takes its bond if it was wrong or never
    /// revealed. Anyone.
    /// @param segment The segment.
    /// @param place Place of the member.
    function collect(Segment calldata segment, uint16 place) external;

    /// @notice Ends a lease that went on from work that an audit found wrong; it costs its node nothing but the work. Anyone.
    /// O(leases of the range).
    /// @param segment The segment.
    /// @param leaseId Id of the later lease.
    function revokeSuccessor(Segment calldata segment, uint32 leaseId) external;

    /// @notice A panel; all zero if there is none. O(members).
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    function panelOf(uint32 leaseId, uint32 sequence) external view returns (PanelView memory);

    /// @notice Whether a task has no audits any longer.
    /// @param taskId Id of the task.
    function isExcluded(uint32 taskId) external view returns (bool);

    /// @notice An audit; all zero if there is none.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    function auditOf(uint32 leaseId, uint32 sequence) external view returns (Audit memory);

    /// @notice A node's record.
    /// @param nodeId Id of the node.
    function standingOf(uint32 nodeId) external view returns (Standing memory);

    /// @notice Probability with which a segment is audited, basis points, see {IAuditEpochs.chanceOf}; 0: its task asks for no audits.
    /// @param segment The segment.
    function chanceOf(Segment calldata segment) external view returns (uint256);
}
