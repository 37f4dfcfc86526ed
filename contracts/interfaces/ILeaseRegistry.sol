// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ClassSet} from "../types/ClassSet.sol";

/// @title Registry of leases: which node runs which units, at what price, under which fence
/// @notice A lease is the right and the duty of one node to run units [start, start + count) of a task. It lives while
/// its node renews it by checkpoints. When a range changes hands the fence grows, so whatever an earlier holder still
/// sends reverts.
interface ILeaseRegistry {
    /// @notice Active: running. Delivered: a result waits for acceptance. Disputed: the arbiter decides.
    /// Paid: done. Released: given back by its node, or moved. Expired: its node failed. Rejected: the arbiter refused the
    /// result, or an audit the work. Moving: part of it or all is drawn for as soon as its node releases it or the grace ends.
    enum LeaseStatus {
        None,
        Active,
        Delivered,
        Disputed,
        Paid,
        Released,
        Expired,
        Rejected,
        Moving
    }

    /// @notice How an active lease's node does. InTime: its next checkpoint's interval runs. Suspect: the interval is over,
    /// its grace runs (or an outage's). Overdue: anyone may expire the lease at its node's cost.
    enum Health {
        InTime,
        Suspect,
        Overdue
    }

    /// @notice Why a lease ended. What its node says when it gives it back: GivenBack: nothing; Draining: the node leaves;
    /// OwnerBack: the owner of its machine needs it; SpecUnusable: the spec cannot be had or run there; ProgramFailed: the
    /// program failed for good; NoHeadway: no checkpoint came in time, or they showed too little; TooSlow: at its pace it would
    /// end after the deadline; DeadlinePassed: the deadline of its task has passed. What the contracts find: Moved: units left its node by a move;
    /// Overdue: no checkpoint came in time; Silent: neither reports nor checkpoints; Rejected: the arbiter refused the result; Fraud:
    /// an audit found its work wrong; Mismatch: the same, where nobody but the developer vouches for the program; Unavailable: its
    /// states could not be had; Refused: its node did not open what an audit asked for; Revoked: it went on from work that an
    /// audit found wrong. A lease that was paid has none.
    enum EndReason {
        None,
        GivenBack,
        Draining,
        OwnerBack,
        SpecUnusable,
        ProgramFailed,
        NoHeadway,
        TooSlow,
        DeadlinePassed,
        Moved,
        Overdue,
        Silent,
        Rejected,
        Fraud,
        Mismatch,
        Unavailable,
        Refused,
        Revoked
    }

    /// @dev One storage slot, on purpose: granting a lease is one new slot, the dearest part of a round.
    struct Lease {
        /// Task that its units belong to.
        uint32 taskId;
        /// Node that runs them.
        uint32 nodeId;
        /// First unit.
        uint24 start;
        /// Number of units.
        uint16 count;
        /// Price of a unit, micro-VER.
        uint40 priceMicroVer;
        /// Seconds. Active: the next checkpoint is due. Moving: the grace ends. Delivered: anyone may accept from then on.
        /// Disputed: the arbiter's time ends. Released, expired: when it ended.
        uint32 due;
        /// Number that grows whenever the range changes hands.
        uint8 fence;
        /// Its status.
        LeaseStatus status;
        /// The lease that ran the range before, 0 if none.
        uint32 parent;
        /// Class that its node was listed in when it was granted: what its energy is measured by, for good.
        uint8 classId;
        /// Leases of the range that failed or were given back, this one included once it has: see {Param.MaxReassignments}.
        uint8 reassignments;
        /// Number of the {Draw} that it was granted by, modulo 2^16.
        uint16 draw;
    }

    /// @notice What the leases that are granted by one seed have in common, for as long as they live. One slot.
    struct Draw {
        /// 64 bits of the seed. With it, and a lease's range, its candidates for holders are known.
        uint64 salt;
        /// Number of that seed's freeze of the listings.
        uint32 freeze;
        /// Positions of the holder pool then.
        uint32 positions;
        /// Average stake then, whole VER.
        uint40 average;
        /// The first of the leases.
        uint32 firstLease;
        /// What failing costs a unit, micro-VER, where that is more than the lease's price: {Param.SlashBps} of
        /// {Param.StakePerUnit} then.
        uint40 minPenalty;
    }

    /// @notice What a node delivered.
    struct Result {
        /// sha2-256 digest of the result's CID.
        bytes32 digest;
        /// Multicodec of the result's CID: raw or dag-pb.
        uint16 codec;
        /// Size of the result's blocks, bytes.
        uint64 size;
        /// When it was delivered, seconds.
        uint40 deliveredAt;
        /// Bond of the dispute, micro-VER.
        uint64 bondMicroVer;
        /// When the lease was last renewed before it was delivered, or granted if it never was, seconds; 0 where the lease
        /// has no parent, for nobody shares in its price.
        uint32 renewedAt;
    }

    /// @notice What renewing a lease depends on.
    struct Headway {
        /// Progress of the checkpoint that renews, basis points of a unit, summed over the lease's units.
        uint40 progress;
        /// Progress that the lease began with, basis points of a unit: 0, or that of its first checkpoint if it has a parent.
        uint32 startProgress;
        /// When the lease was granted, seconds; 0 for its first checkpoint, which finds it out.
        uint32 startedAt;
    }

    /// @notice A lease to be granted by a round.
    struct Grant {
        /// Id of the task.
        uint32 taskId;
        /// Id of the node.
        uint32 nodeId;
        /// First unit.
        uint24 start;
        /// Number of units.
        uint24 count;
        /// Price of a unit, micro-VER.
        uint40 priceMicroVer;
        /// Time between two checkpoints, seconds.
        uint32 checkpointInterval;
        /// Fence of the lease.
        uint24 fence;
        /// Lease that ran the range before, 0 if none.
        uint32 parent;
        /// Class that the node is listed in.
        uint8 classId;
        /// Leases of the range that failed or were given back before.
        uint8 reassignments;
    }

    /// @notice Units that leave a lease's node by a move.
    /// @dev One slot, which stays when the move is done: the cooldown of the range counts from it.
    struct Departure {
        /// The last so many units of the lease.
        uint24 units;
        /// When the move was started, seconds.
        uint40 startedAt;
        /// When the lease's next checkpoint was due before, seconds.
        uint32 due;
    }

    /// @notice A lease as clients read it.
    struct LeaseView {
        /// Its id.
        uint32 id;
        /// The lease.
        Lease lease;
        /// Its result; all zero if none was delivered.
        Result result;
    }

    /// @notice The modules that grant, renew, judge, move and draw.
    struct Modules {
        /// The round manager.
        address rounds;
        /// The checkpoint registry.
        address checkpoints;
        /// The telemetry contract.
        address telemetry;
        /// The balancer.
        address balancer;
        /// The reassignment contract.
        address reassignment;
        /// The release fees.
        address releaseFees;
        /// The audits.
        address audits;
    }

    /// @notice The modules were named.
    /// @param modules The modules.
    event ModulesSet(Modules modules);
    /// @notice A node was granted units of a task.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param start First unit of the lease.
    /// @param count Units of the lease.
    /// @param priceMicroVer Price of a unit, micro-VER.
    /// @param fence Fence of the lease.
    /// @param parent Lease that ran the range before, 0 if none.
    event LeaseGranted(
        uint32 indexed leaseId,
        uint32 indexed taskId,
        uint32 indexed nodeId,
        uint24 start,
        uint24 count,
        uint40 priceMicroVer,
        uint24 fence,
        uint32 parent
    );
    /// @notice A checkpoint renewed the lease.
    /// @param leaseId Id of the lease.
    /// @param due Time at which its next checkpoint is due, seconds.
    event LeaseRenewed(uint32 indexed leaseId, uint40 due);
    /// @notice A checkpoint was recorded but shows less headway than the task's longest time for a unit demands: the
    /// lease runs out when it is due.
    /// @param leaseId Id of the lease.
    /// @param progress Progress of the checkpoint, basis points of a unit, summed over the lease's units.
    /// @param demanded Progress that would have renewed the lease; the highest number once the longest time is over.
    event LeaseNotRenewed(uint32 indexed leaseId, uint40 progress, uint40 demanded);
    /// @notice The lease's node delivered a result.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param digest sha2-256 digest of the result's CID.
    /// @param codec Multicodec of the result's CID: raw or dag-pb.
    /// @param size Size of the result's blocks, bytes.
    event ResultDelivered(
        uint32 indexed leaseId,
        uint32 indexed taskId,
        uint32 indexed nodeId,
        bytes32 digest,
        uint16 codec,
        uint64 size
    );
    /// @notice A delivered lease was paid.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param amount Wei paid for the units at the lease's own price, less the work of others.
    /// @param fee Wei that went to the bounty pool.
    event LeasePaid(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId, uint256 amount, uint256 fee);
    /// @notice A lease's node is paid for work that an accepted lease of the same range went on from.
    /// @param leaseId Lease that did the work.
    /// @param acceptedLease Lease whose acceptance pays for it.
    /// @param nodeId Node that is paid.
    /// @param work Work paid for, basis points of a unit.
    /// @param amount Wei, at the price of the lease that did the work.
    event WorkPaid(
        uint32 indexed leaseId,
        uint32 indexed acceptedLease,
        uint32 indexed nodeId,
        uint256 work,
        uint256 amount
    );
    /// @notice The developer disputed a delivery.
    /// @param leaseId Id of the lease.
    /// @param by Who disputed it.
    /// @param bond Bond that was posted, wei.
    event LeaseDisputed(uint32 indexed leaseId, address indexed by, uint256 bond);
    /// @notice The arbiter decided a dispute.
    /// @param leaseId Id of the lease.
    /// @param forNode Whether for the node, else for the developer.
    event DisputeRuled(uint32 indexed leaseId, bool forNode);
    /// @notice A lease was given back, or handed over.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param reason Why: what its node says, or Moved.
    event LeaseReleased(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId, EndReason reason);
    /// @notice The lease's last `units` units leave its node: when it releases the lease, or after `due`.
    /// @param leaseId Id of the lease.
    /// @param units Units that leave its node.
    /// @param due When the node's grace ends, seconds.
    event LeaseMoving(uint32 indexed leaseId, uint24 units, uint40 due);
    /// @notice The node delivered before it handed over, or the task's deadline has passed: nothing moves.
    /// @param leaseId Id of the lease.
    /// @param units Units that stay.
    event MoveDropped(uint32 indexed leaseId, uint24 units);
    /// @notice A lease was ended because its node failed, or its task is past its deadline.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param by Who ended it.
    /// @param reason Why: Overdue, NoHeadway or Silent, for which the node was slashed, or DeadlinePassed.
    event LeaseExpired(
        uint32 indexed leaseId,
        uint32 indexed taskId,
        uint32 indexed nodeId,
        address by,
        EndReason reason
    );

    /// @notice An audit ended a lease: its work is not paid.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param nodeId Id of the node.
    /// @param reason Why: Fraud to Revoked.
    event LeaseRevoked(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId, EndReason reason);
    /// @notice A delivery is under audit: it is not paid before the audit ends, but for its developer's word.
    /// @param leaseId Id of the lease.
    /// @param until From when on anyone may accept it, seconds.
    event PaymentDeferred(uint32 indexed leaseId, uint32 until);

    /// @notice A range waits for a batch.
    /// @param leaseId Lease that ended.
    /// @param moved Whether it leaves its node by a move; else its node failed.
    event RangeOrphaned(uint32 indexed leaseId, bool moved);
    /// @notice The range has changed hands too often and was refunded.
    /// @param leaseId Lease that ended.
    /// @param taskId Id of the task.
    /// @param start First unit of the range.
    /// @param count Number of units in the range.
    event RangeGivenUp(uint32 indexed leaseId, uint32 indexed taskId, uint24 start, uint24 count);

    /// @notice There is no such lease.
    /// @param leaseId Id of the lease.
    error UnknownLease(uint32 leaseId);
    /// @notice The lease's status does not allow this.
    /// @param leaseId Id of the lease.
    /// @param status Its status.
    error WrongLeaseStatus(uint32 leaseId, LeaseStatus status);
    /// @notice The range has changed hands: this fence is stale.
    /// @param leaseId Id of the lease.
    /// @param given Fence that was given.
    /// @param current Fence of the lease.
    error StaleFence(uint32 leaseId, uint24 given, uint24 current);
    /// @notice The caller is not the operator of the lease's node.
    /// @param leaseId Id of the lease.
    /// @param caller Who called.
    error NotLeaseOperator(uint32 leaseId, address caller);
    /// @notice The node may keep the moving lease until the grace ends.
    /// @param leaseId Id of the lease.
    /// @param due When the grace ends, seconds.
    error MoveGraceNotOver(uint32 leaseId, uint40 due);
    /// @notice The range has had so many leases that it no longer moves.
    /// @param leaseId Id of the lease.
    /// @param fence Leases that the range has had.
    /// @param maximum Leases up to which it moves.
    error RangeMovedTooOften(uint32 leaseId, uint24 fence, uint256 maximum);
    /// @notice The node is in time: the lease cannot be expired before `due`, which an outage of the sequencer puts
    /// off.
    /// @param leaseId Id of the lease.
    /// @param due Time after which it can be expired, seconds.
    error LeaseNotOverdue(uint32 leaseId, uint40 due);
    /// @notice None of the leases that were to be expired is overdue.
    error NoLeaseOverdue();
    /// @notice Only the developer may accept before the dispute window ends.
    /// @param leaseId Id of the lease.
    /// @param until When the window ends, seconds.
    error DisputeWindowOpen(uint32 leaseId, uint40 until);
    /// @notice The time in which the delivery could be disputed is over.
    /// @param leaseId Id of the lease.
    /// @param since When it ended, seconds.
    error DisputeWindowClosed(uint32 leaseId, uint40 since);
    /// @notice The arbiter still has time to decide.
    /// @param leaseId Id of the lease.
    /// @param until When that time ends, seconds.
    error ArbitrationOpen(uint32 leaseId, uint40 until);
    /// @notice A result of a task counts only until its deadline.
    /// @param taskId Id of the task.
    /// @param deadline Deadline of the task, seconds.
    error TaskDeadlinePassed(uint32 taskId, uint40 deadline);
    /// @notice The digest is zero.
    error InvalidResult();
    /// @notice A node does not give a lease back for this reason.
    /// @param reason The reason.
    error InvalidReason(EndReason reason);

    /// @notice Names the modules. Deployer only, once.
    /// @param modules The modules.
    function initialise(Modules calldata modules) external;

    /// @notice Grants leases. Round manager and reassignment only. O(n), one new storage slot each, and one for each seed.
    /// @param grants The leases.
    /// @param seed Seed of the newest freeze of the listings, which they are granted by.
    /// @return first Id of the first lease; the others follow.
    function grant(Grant[] calldata grants, bytes32 seed) external returns (uint32 first);

    /// @notice Renews a lease on a checkpoint that shows headway: progress since the lease began of at least what the
    /// task's longest time for a unit demands, up to nine tenths of the units, with a delay of two intervals and
    /// graces. Without headway, or once the longest time and that delay are over, the checkpoint counts but does not
    /// renew. Checkpoint registry only.
    /// @dev Warning: a checkpoint that shows too little headway does not revert and does not renew.
    /// @param leaseId Id of the lease.
    /// @param fence Fence of the lease.
    /// @param operator Who posts the checkpoint.
    /// @param headway Its progress, and what the lease began with.
    /// @return taskId Its task.
    /// @return nodeId Its node.
    /// @return count Units of the lease.
    /// @return began The headway with what the lease began with filled in.
    function renew(
        uint32 leaseId,
        uint24 fence,
        address operator,
        Headway calldata headway
    ) external returns (uint32 taskId, uint32 nodeId, uint24 count, Headway memory began);

    /// @notice Delivers the result of all units of a lease, until its task's deadline. Its node's operator only.
    /// @param leaseId Id of the lease.
    /// @param fence Fence of the lease.
    /// @param digest sha2-256 digest of the CID.
    /// @param codec Multicodec of the CID: raw or dag-pb.
    /// @param size Size of all blocks, bytes.
    function deliver(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint64 size) external;

    /// @notice Gives a lease back: its units go on elsewhere from the last checkpoint. Without headway it costs a fee,
    /// see {IReleaseFees}; else nothing. A moving lease is handed over. Its node's operator only.
    /// @dev Warning: the stake pays a fee where the lease made no headway, and the owner is barred for a time.
    /// @param leaseId Id of the lease.
    /// @param fence Fence of the lease.
    /// @param reason Why, as far as the node says: GivenBack to DeadlinePassed. A lease that is handed over has Moved.
    function release(uint32 leaseId, uint24 fence, EndReason reason) external;

    /// @notice Starts a move of a lease's last units: its node gets {Param.MoveGrace} to release it. Balancer only.
    /// @param leaseId Id of the lease.
    /// @param units Units that leave the lease.
    /// @param classes Classes that may take the units, one bit each; 0: all that the task accepts.
    function startMove(uint32 leaseId, uint24 units, ClassSet classes) external;

    /// @notice Hands a moving lease over when its grace is over; its node may do so before by {release}. Anyone. The
    /// units that move are drawn for (see {IReassignment}), the others become a new lease of the same node. Both get a
    /// higher fence and the old lease as parent.
    /// @param leaseId Id of the lease.
    function handOver(uint32 leaseId) external;

    /// @notice Ends a lease whose checkpoint is overdue, or whose node gave no sign of life for {Param.ReportTimeout},
    /// neither a report nor a checkpoint of this lease, for a bounty of at most what its node is slashed; the node
    /// cools down. Without headway it costs what giving the lease back does on top, see {IReleaseFees}. Nobody fails by an outage of the sequencer, nor for {Param.OutageGrace} after it. Also ends a lease
    /// whose task is past its deadline, without bounty or penalty if the node was in time. The range is drawn for (see
    /// {IReassignment}); where the task no longer takes leases it goes back to it. Anyone.
    /// @param leaseId Id of the lease.
    function expire(uint32 leaseId) external;

    /// @notice Ends those of the leases that {expire} would end; the others are passed over, so that nobody who is faster
    /// with one of them undoes the rest. The bounties are paid in one sum. Anyone. O(n).
    /// @param leaseIds Ids of the leases.
    /// @return expired How many ended; reverts if none did.
    function expireOverdue(uint32[] calldata leaseIds) external returns (uint256 expired);

    /// @notice Pays delivered leases: the developer at any time, anyone once the dispute window is over, and anyone
    /// once the arbiter's time is over for a disputed one. Those that are paid already are passed over. O(n).
    /// @dev Warning: there is no way back: what is accepted cannot be disputed.
    /// @param leaseIds Ids of the leases.
    function accept(uint32[] calldata leaseIds) external;

    /// @notice Disputes a delivery within its window. Task owner only; posts a bond, having approved the vault.
    /// @param leaseId Id of the lease.
    function dispute(uint32 leaseId) external;

    /// @notice Decides a dispute. Only the role that the access manager names (the arbiter). For the node: it is paid
    /// and gets the bond. Against it: it is slashed, the bond goes back and the units are open again.
    /// @param leaseId Id of the lease.
    /// @param forNode Whether for the node, else for the developer.
    function rule(uint32 leaseId, bool forNode) external;

    /// @notice Ends a lease whose work an audit found wrong; a lease that has ended is left as it is. Its units go back to the task.
    /// Audits only.
    /// @param leaseId Id of the lease.
    /// @param reason Why: Fraud to Revoked.
    /// @param parent Lease whose checkpoints the units go on from.
    function revoke(uint32 leaseId, EndReason reason, uint32 parent) external;

    /// @notice Lets a delivery wait for an audit: nobody but its developer accepts it before. Leases that are not delivered are
    /// left as they are. Audits only.
    /// @param leaseId Id of the lease.
    /// @param until From when on anyone may accept it, seconds; an earlier time than now changes nothing.
    function deferPayment(uint32 leaseId, uint32 until) external;

    /// @notice The audits.
    function audits() external view returns (address);

    /// @notice How the node of an active lease does; reverts if the lease is unknown or not active.
    /// @param leaseId Id of the lease.
    function healthOf(uint32 leaseId) external view returns (Health);

    /// @notice Until when no node counts as failed because of an outage of the sequencer: 0 if there was none lately.
    /// An outage excuses for three days at most, and {Param.OutageGrace}.
    function outageUntil() external view returns (uint40);

    /// @notice A lease; reverts if unknown.
    /// @param leaseId Id of the lease.
    function lease(uint32 leaseId) external view returns (Lease memory);

    /// @notice What a lease was granted by; reverts if unknown. Two reads, and one more for each 65,536 draws since.
    /// @param leaseId Id of the lease.
    /// @return draw_ What it has in common with other leases.
    /// @return taskId Its task.
    /// @return start Its first unit.
    function drawOf(uint32 leaseId) external view returns (Draw memory draw_, uint32 taskId, uint24 start);

    /// @notice A lease's result; all zero if none was delivered.
    /// @param leaseId Id of the lease.
    function result(uint32 leaseId) external view returns (Result memory);

    /// @notice What leaves a lease by a move, or left it; all zero if nothing does.
    /// @param leaseId Id of the lease.
    function departureOf(uint32 leaseId) external view returns (Departure memory);

    /// @notice The range that is drawn for once a lease has expired or was handed over; no units if there is none.
    /// @param leaseId Id of the lease.
    /// @return range The lease, cut to the units that leave its node.
    /// @return moved Whether they leave by a move.
    /// @return classes Classes that may take them, one bit each; 0: all that the task accepts.
    function orphanOf(uint32 leaseId) external view returns (Lease memory range, bool moved, ClassSet classes);

    /// @notice Ids run from 1 to this number.
    function leaseCount() external view returns (uint32);
}
