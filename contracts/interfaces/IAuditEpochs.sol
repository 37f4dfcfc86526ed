// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TraceTree} from "../audits/TraceTree.sol";
import {IAudits} from "./IAudits.sol";

/// @title Epochs of audits: which seed decides on which segments, and whom it draws to verify them
/// @notice See {IAudits} for what an audit is.
interface IAuditEpochs {
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

    /// @notice What audits go by; governed, within hard bounds.
    struct Terms {
        /// Minimum time between two epochs, seconds: 10 seconds to 1 day.
        uint32 epoch;
        /// Time for opening audits, after the oracle's time, seconds: 1 minute to 2 days.
        uint32 openTime;
        /// Time for a step of an audit, seconds: 1 minute to 1 day; two checkpoint intervals more where a segment is run again.
        uint32 step;
        /// Chance of a segment, basis points: what the fee pays for.
        uint16 chance;
        /// Chance of a segment of a node that is new, basis points: at most 10,000.
        uint16 newChance;
        /// Share of the stake under a lease that its node loses if it does not open its trace or its states cannot be had, basis
        /// points: at least 5,000, or no chance would make withholding a loss at any price.
        uint16 loss;
        /// Owners that a panel's class must have at least: 2 to 15. Where fewer are seen nothing is decided, see {drawPanel}.
        uint8 panelOwners;
    }

    /// @notice A node that verifies. One slot.
    struct Enlistment {
        /// Class that it verifies for.
        uint8 classId;
        /// Since when it verifies, seconds; 0: not at all.
        uint40 enlistedAt;
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
    /// @notice What audits go by changed.
    /// @param terms What they go by from now on.
    event TermsSet(Terms terms);

    /// @notice The last epoch was opened less than {Terms}.epoch ago, or still waits for its seed.
    /// @param from From when on the next may be opened, seconds.
    error EpochTooSoon(uint256 from);
    /// @notice The lease's task asks for no audits, or the lease has posted nothing since the last epoch.
    /// @param leaseId Id of the lease.
    /// @param since End of the last epoch that got its seed, seconds.
    error NothingToAudit(uint32 leaseId, uint40 since);
    /// @notice The segment does not belong to the epoch.
    /// @param at When it was posted, seconds.
    /// @param from Segments posted after this time belong to the epoch, seconds.
    /// @param to And up to this one, seconds.
    error NotOfEpoch(uint40 at, uint40 from, uint40 to);
    /// @notice The epoch has no seed yet, or was abandoned.
    /// @param epochId Its number.
    error EpochWithoutSeed(uint32 epochId);
    /// @notice The seed did not draw the segment.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    /// @param chance Probability that it had, basis points.
    error NotDrawn(uint32 leaseId, uint32 sequence, uint256 chance);
    /// @notice The segment is given with another salt than its epoch's seed makes.
    /// @param salt The right one, see {saltOf}.
    error WrongSalt(bytes32 salt);
    /// @notice Audits of the epoch could be opened until then.
    /// @param epochId Its number.
    /// @param until When that time ended, seconds.
    error EpochOver(uint32 epochId, uint256 until);
    /// @notice The caller is not the operator of the node that this is for.
    /// @param nodeId Id of the node.
    /// @param caller Who called.
    error NotNodeOperator(uint32 nodeId, address caller);
    /// @notice A value is outside its hard bounds, see {Terms}.
    error TermsOutOfBounds();
    /// @notice The fee would not pay for audits at this chance: one and a half times the chance is at most the fee.
    /// @param chance Chance that was given, basis points.
    /// @param feeBps {Param.FeeBps}, basis points.
    error ChanceNotPaid(uint256 chance, uint256 feeBps);
    /// @notice A delivery could be paid before its audit can have begun.
    /// @param needed Time that this takes, seconds.
    /// @param window {Param.DisputeWindow}, seconds.
    error WindowTooShort(uint256 needed, uint256 window);

    /// @notice Changes what audits go by. Only the role that the access manager names, after its delay.
    /// @param terms_ What they go by from now on.
    function setTerms(Terms calldata terms_) external;

    /// @notice Opens an epoch: asks for the seed that decides on what was posted since the last one. At most one in
    /// {Terms}.epoch; gives the one before up if the oracle was silent for {Param.SeedTimeout}. Anyone, but only while audited
    /// work is posted: the fee of such work is what pays for seeds.
    /// @param leaseId A lease of a task that asks for audits, whose newest checkpoint no seed has decided on.
    /// @return epochId Its number.
    function openEpoch(uint32 leaseId) external returns (uint32 epochId);

    /// @notice Lets a node verify segments of its class, or no longer. Its operator only. It is drawn from the next epoch on; once
    /// it has committed to an answer it has to reveal it.
    /// @param nodeId Id of the node.
    /// @param enlisted Whether it verifies.
    function enlist(uint32 nodeId, bool enlisted) external;

    /// @notice What all draws of a segment follow from; reverts while the epoch has no seed.
    /// @param epochId Its number.
    /// @param leaseId Id of the lease.
    /// @param sequence Number of the checkpoint that ends the segment.
    function saltOf(uint32 epochId, uint32 leaseId, uint32 sequence) external view returns (bytes32);

    /// @notice Reverts unless an epoch's seed drew a segment that belongs to it, and it is in time to open its audit.
    /// @param epochId Number of the epoch.
    /// @param segment The segment, with its salt.
    /// @param provenAt When its node was no longer new, seconds; 0: it is.
    /// @return chance Probability that it was drawn with, basis points.
    function judge(
        uint32 epochId,
        IAudits.Segment calldata segment,
        uint40 provenAt
    ) external view returns (uint256 chance);

    /// @notice Probability with which a segment is audited, basis points: the highest of what its task asks for, of the usual one or of
    /// what new nodes have, and of what makes cheating in it a loss even where a third of the verifiers collude: 3/2 x gain / (gain
    /// + loss), rounded up, with {Terms}.loss of the stake as the smallest loss of who is caught. 0 if its task asks for no audits.
    /// @param segment The segment; its salt does not matter.
    /// @param provenAt When its node was no longer new, seconds; 0: it is.
    function chanceOf(IAudits.Segment calldata segment, uint40 provenAt) external view returns (uint256);

    /// @notice What a segment is worth.
    /// @param segment The segment.
    /// @return pay What verifying it pays, wei: one and a half times its price.
    /// @return stakeMicroVer Stake under its lease at least, micro-VER.
    function worthOf(IAudits.Segment calldata segment) external view returns (uint256 pay, uint256 stakeMicroVer);

    /// @notice Who pays the verifier of a segment: the pool what the fee brings at the usual chance, or at that which the task asks
    /// for; the node that made it higher the rest.
    /// @param segment The segment.
    /// @param chance Probability that it was drawn with, basis points.
    /// @return producer Node that posted it.
    /// @return ofNode What its node pays, wei.
    /// @return ofPool What the pool pays, wei.
    function paymentOf(
        IAudits.Segment calldata segment,
        uint256 chance
    ) external view returns (uint32 producer, uint256 ofNode, uint256 ofPool);

    /// @notice What an opening says, in one word; zero if it is not of the unit and the leaf that a question asks for, or not of the
    /// trace.
    /// @param salt What {saltOf} says.
    /// @param question Number of the question.
    /// @param traceRoot Root of the trace.
    /// @param opening The unit at the leaf that is asked for and at its last.
    /// @param paths What shows that both belong to the trace.
    function answerOf(
        bytes32 salt,
        uint16 question,
        bytes32 traceRoot,
        TraceTree.Opening calldata opening,
        TraceTree.Paths calldata paths
    ) external pure returns (bytes32);

    /// @notice The first candidate, from `from` on, that may verify: in the holder pool before the epoch was opened and accepted by
    /// its stake, enlisted for the class before, of another owner than the producer, and not silent. O(`most`).
    /// @param epochId Number of the epoch.
    /// @param salt What {saltOf} says.
    /// @param from First candidate that is looked at.
    /// @param most Candidates that are looked at, at most.
    /// @param classId Class of the work.
    /// @param producer Node that posted it.
    /// @return nodeId The node; 0 if there is none.
    /// @return next The candidate after it.
    function draw(
        uint32 epochId,
        bytes32 salt,
        uint16 from,
        uint16 most,
        uint8 classId,
        uint32 producer
    ) external view returns (uint32 nodeId, uint16 next);

    /// @notice The members of a panel's round: the first five nodes, from candidate `from` on, that may verify, without the verifier. Of the
    /// first 15 that may verify at least {Terms}.panelOwners must have owners of their own, other than producer and verifier: drawn by
    /// stake, so that who wants to fill a class with friends needs the stake for it. Where there are fewer it has no members, and
    /// nothing can be decided. O(15 x looks for a candidate).
    /// @param epochId Number of the epoch.
    /// @param salt What {saltOf} says.
    /// @param from First candidate that is looked at.
    /// @param classId Class of the work.
    /// @param producer Node that posted it.
    /// @param verifier Node that called the panel.
    /// @return nodeIds Its members; none if the class is too small.
    /// @return next The candidate after the last that was looked at.
    function drawPanel(
        uint32 epochId,
        bytes32 salt,
        uint16 from,
        uint8 classId,
        uint32 producer,
        uint32 verifier
    ) external view returns (uint32[] memory nodeIds, uint16 next);

    /// @notice An epoch; all zero if there is none.
    /// @param epochId Its number, from 1 on.
    function epoch(uint32 epochId) external view returns (Epoch memory);

    /// @notice Number of the newest epoch.
    function epochCount() external view returns (uint32);

    /// @notice What audits go by.
    function terms() external view returns (Terms memory);

    /// @notice What a node verifies; all zero if nothing.
    /// @param nodeId Id of the node.
    function enlistmentOf(uint32 nodeId) external view returns (Enlistment memory);
}
