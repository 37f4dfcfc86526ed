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
/// Equal: the verifier is paid. Not equal: a *panel* decides, five drawn nodes in each round, each asked for one leaf more that
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
        /// Number of the checkpoint that ends it, 1 for the lease's first.
        uint32 sequence;
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
        /// Head of the lease's checkpoints before `segment.before`; 0 for the first two segments.
        bytes32 head;
        /// Hashes of the links after the segment, oldest first; at most `MAX_LINKS`.
        bytes32[] later;
    }

    /// @notice One request for a seed. One slot, and the request.
    struct Epoch {
        /// Segments posted after this time belong to it, seconds.
        uint40 from;
        /// And up to this one, when it was opened.
        uint40 to;
        /// Number of the newest freeze of the listings then: who joined the pool after it does not verify.
        uint32 freeze;
        /// Positions of the holder pool at that freeze.
        uint32 positions;
        /// Average stake then, whole VER.
        uint40 average;
        /// Whether it was given up because the oracle was silent; what belonged to it belongs to the next.
        bool abandoned;
        /// Number of the request for its seed.
        uint256 requestId;
    }

    /// @notice An audit.
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
        uint40 due;
        /// The candidate that is looked at next.
        uint16 nextCandidate;
        /// Probability that it was drawn with, basis points.
        uint16 chance;
        /// Who opened it.
        address opener;
        /// keccak256(abi.encode(segment)).
        bytes32 segmentHash;
        /// What the verifier committed to; then what it revealed.
        bytes32 verifierWord;
        /// Answer that the producer opened.
        bytes32 producerAnswer;
    }

    /// @notice A node's record in audits. One slot.
    struct Standing {
        /// Class that it verifies for.
        uint8 classId;
        /// Since when it verifies, seconds; 0: not at all.
        uint40 enlistedAt;
        /// Audits of its segments that passed.
        uint32 passed;
        /// When so many had passed that it is no longer new, seconds; 0: not yet.
        uint40 provenAt;
    }

    /// @notice An epoch was opened.
    /// @param epochId Its number, from 1 on.
    /// @param by Who opened it.
    /// @param requestId Number of the request for its seed.
    /// @param from Segments posted after this time belong to it, seconds.
    /// @param to And up to this one, seconds.
    event EpochOpened(uint32 indexed epochId, address indexed by, uint256 requestId, uint40 from, uint40 to);
    /// @notice An epoch got no seed in time; its segments belong to the next.
    /// @param epochId Its number.
    event EpochAbandoned(uint32 indexed epochId);
    /// @notice A node verifies for a class, or no longer (`classId` is then what it verified for).
    /// @param nodeId Id of the node.
    /// @param classId Its class.
    /// @param enlisted Whether it verifies.
    event VerifierSet(uint32 indexed nodeId, uint8 classId, bool enlisted);
    /// @notice The audit of a drawn segment began.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param epochId Epoch that drew it.
    /// @param salt What all its draws follow from.
    /// @param segment The segment.
    event AuditOpened(
        uint32 indexed leaseId,
        uint32 indexed sequence,
        uint32 indexed epochId,
        bytes32 salt,
        Segment segment
    );
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

    /// @notice There is no such audit, or it is at another step.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param status Its status.
    error WrongAuditStatus(uint32 leaseId, uint32 sequence, AuditStatus status);
    /// @notice The last epoch was opened less than `Param.AuditEpoch` ago, or still waits for its seed.
    /// @param from From when on the next may be opened, seconds.
    error EpochTooSoon(uint256 from);
    /// @notice The links do not lead to the lease's head.
    /// @param leaseId Id of the lease.
    error NotPosted(uint32 leaseId);
    /// @notice More links than `MAX_LINKS` were posted after the segment.
    /// @param given Links that were given.
    error TooManyLinks(uint256 given);
    /// @notice The segment does not belong to the epoch.
    /// @param at When it was posted, seconds.
    /// @param from Segments posted after this time belong to the epoch, seconds.
    /// @param to And up to this one, seconds.
    error NotOfEpoch(uint40 at, uint40 from, uint40 to);
    /// @notice The epoch has no seed yet, or was abandoned.
    /// @param epochId Its number.
    error EpochWithoutSeed(uint32 epochId);
    /// @notice Audits of the epoch could be opened until then.
    /// @param epochId Its number.
    /// @param until When that time ended, seconds.
    error EpochOver(uint32 epochId, uint256 until);
    /// @notice The seed did not draw the segment.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param chance Probability that it had, basis points.
    error NotDrawn(uint32 leaseId, uint32 sequence, uint256 chance);
    /// @notice The caller is not the operator of the node whose turn it is.
    /// @param nodeId Id of the node.
    /// @param caller Who called.
    error NotNodeOperator(uint32 nodeId, address caller);
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

    /// @notice Opens an epoch: asks for the seed that decides on what was posted since the last one. At most one in
    /// `Param.AuditEpoch`; gives the one before up if the oracle was silent for {Param.SeedTimeout}. Anyone.
    /// @return epochId Its number.
    function openEpoch() external returns (uint32 epochId);

    /// @notice Lets a node verify segments of its class, or no longer. Its operator only. It is drawn from the next epoch on; once
    /// it has committed to an answer it has to reveal it.
    /// @param nodeId Id of the node.
    /// @param enlisted Whether it verifies.
    function enlist(uint32 nodeId, bool enlisted) external;

    /// @notice Opens the audit of a drawn segment and draws its verifier, for a tenth of the verifier's pay once it is verified.
    /// Anyone. O(links after it), at most `MAX_LINKS`, and O(candidates), at most `CANDIDATES`.
    /// @param proof The segment, and the links up to the lease's head.
    /// @param epochId Epoch that it was posted in.
    function open(SegmentProof calldata proof, uint32 epochId) external;

    /// @notice Commits to an answer. Operator of the drawn verifier only, in its time.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param commitment keccak256(abi.encode(leaseId, sequence, question, nodeId, answer, fresh, vouched, salt)).
    function commit(uint32 leaseId, uint32 sequence, bytes32 commitment) external;

    /// @notice Opens the leaves that the verifier's question asks for. Operator of the lease's node only, in its time.
    /// @param segment The segment.
    /// @param opening The drawn unit at the drawn leaf and at its last.
    /// @param probePath Nodes beside the path from the drawn leaf to the top of the unit's tree, lowest first.
    /// @param endPath The same from the last leaf.
    /// @param unitPath The same from the unit to the top.
    function openTrace(
        Segment calldata segment,
        TraceTree.Opening calldata opening,
        bytes32[] calldata probePath,
        bytes32[] calldata endPath,
        bytes32[] calldata unitPath
    ) external;

    /// @notice Reveals an answer. Operator of the verifier only, in its time. An answer equal to the producer's ends the
    /// audit: the verifier is paid one and a half times the segment's price. Another one calls a panel.
    /// @param segment The segment.
    /// @param answer Its answer.
    /// @param vouched Whether the program is one that the protocol vouches for.
    /// @param salt What it was hidden by.
    function reveal(Segment calldata segment, bytes32 answer, bool vouched, bytes32 salt) external;

    /// @notice Moves an audit on whose step is over: to the next verifier, round or end. Anyone. Bounded.
    /// @param segment The segment.
    function close(Segment calldata segment) external;

    /// @notice An audit; all zero if there is none.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    function auditOf(uint32 leaseId, uint32 sequence) external view returns (Audit memory);

    /// @notice An epoch; all zero if there is none.
    /// @param epochId Its number, from 1 on.
    function epoch(uint32 epochId) external view returns (Epoch memory);

    /// @notice Number of the newest epoch.
    function epochCount() external view returns (uint32);

    /// @notice A node's record.
    /// @param nodeId Id of the node.
    function standingOf(uint32 nodeId) external view returns (Standing memory);

    /// @notice Probability with which a segment is audited, basis points: the highest of what its task asks for, of
    /// `Param.AuditNewBps` if its node is new, and of what makes cheating in it a loss even where a third of the verifiers
    /// collude: 3/2 x gain / (gain + loss), rounded up, with its price as the gain and the smallest loss of who is caught,
    /// `Param.RefusalSlashBps` of the stake under the lease.
    /// @param segment The segment.
    function chanceOf(Segment calldata segment) external view returns (uint256);
}
