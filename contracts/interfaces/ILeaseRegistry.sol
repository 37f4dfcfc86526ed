// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Registry of leases: which node runs which units, at what price, under which fence
/// @notice A lease is the right and the duty of one node to run units [start, start + count) of a task. It lives while
/// its node renews it by checkpoints. When a range changes hands the fence grows, so whatever an earlier holder still
/// sends reverts.
interface ILeaseRegistry {
    /// @notice Active: running. Delivered: a result waits for acceptance. Disputed: the arbiter decides.
    /// Paid: done. Released: given back by its node, or moved. Expired: its node failed. Rejected: the arbiter refused the
    /// result. Moving: part of it or all is drawn for as soon as its node releases it or the grace ends.
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

    /// @dev One storage slot, on purpose: granting a lease is one new slot, the dearest part of a round.
    struct Lease {
        uint32 taskId;
        uint32 nodeId;
        uint24 start;
        uint16 count;
        /// Price of a unit, micro-VER.
        uint40 price;
        /// Active: the next checkpoint is due. Moving: the grace ends. Delivered: anyone may accept from then on. Disputed: the arbiter's time ends.
        /// Released, expired: when it ended.
        uint32 due;
        uint8 fence;
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
        /// Number of that seed's freeze of the listings, positions of the holder pool then, and average stake then, whole VER.
        uint32 freeze;
        uint32 positions;
        uint40 average;
        /// The first of the leases.
        uint32 firstLease;
        /// What failing costs a unit, micro-VER, where that is more than the lease's price: {Param.SlashBps} of
        /// {Param.StakePerUnit} then.
        uint40 minPenalty;
    }

    /// @notice What a node delivered.
    struct Result {
        bytes32 digest;
        uint16 codec;
        /// Size of the result's blocks, bytes.
        uint64 size;
        uint40 deliveredAt;
        /// Bond of the dispute, micro-VER.
        uint64 bond;
        /// When the lease was last renewed before it was delivered, or granted if it never was, seconds; 0 where the lease
        /// has no parent, for nobody shares in its price.
        uint32 renewedAt;
    }

    /// @notice What renewing a lease depends on.
    struct Headway {
        /// Progress of the checkpoint that renews, basis points of a unit, summed over the lease's units.
        uint40 progress;
        /// Progress that the lease began with, in the same unit: 0, or that of its first checkpoint if it has a parent.
        uint32 startProgress;
        /// When the lease was granted, seconds; 0 for its first checkpoint, which finds it out.
        uint32 startedAt;
    }

    /// @notice A lease to be granted by a round.
    struct Grant {
        uint32 taskId;
        uint32 nodeId;
        uint24 start;
        uint24 count;
        uint40 price;
        uint32 checkpointInterval;
        uint24 fence;
        uint32 parent;
        uint8 classId;
        uint8 reassignments;
    }

    /// @notice Units that leave a lease's node by a move.
    /// @dev One slot, which stays when the move is done: the cooldown of the range counts from it.
    struct Departure {
        /// The last so many units of the lease.
        uint24 units;
        /// When the move was started.
        uint40 startedAt;
        /// When the lease's next checkpoint was due before.
        uint32 due;
    }

    /// @notice A lease as clients read it.
    struct LeaseView {
        uint32 id;
        Lease lease;
        Result result;
    }

    /// @notice The modules that grant, renew, judge, move and draw.
    struct Modules {
        address rounds;
        address checkpoints;
        address telemetry;
        address balancer;
        address reassignment;
        address releaseFees;
    }

    event ModulesSet(Modules modules);
    event LeaseGranted(
        uint32 indexed leaseId,
        uint32 indexed taskId,
        uint32 indexed nodeId,
        uint24 start,
        uint24 count,
        uint40 price,
        uint24 fence,
        uint32 parent
    );
    event LeaseRenewed(uint32 indexed leaseId, uint40 due);
    /// @notice A checkpoint was recorded but shows less headway than the task's longest time for a unit demands: the lease
    /// runs out when it is due.
    /// @param progress Progress of the checkpoint, basis points of a unit, summed over the lease's units.
    /// @param demanded Progress that would have renewed the lease; the highest number once the longest time is over.
    event LeaseNotRenewed(uint32 indexed leaseId, uint40 progress, uint40 demanded);
    event ResultDelivered(
        uint32 indexed leaseId,
        uint32 indexed taskId,
        uint32 indexed nodeId,
        bytes32 digest,
        uint16 codec,
        uint64 size
    );
    event LeasePaid(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId, uint256 amount, uint256 fee);
    /// @notice A lease's node is paid for work that an accepted lease of the same range went on from.
    /// @param leaseId Lease that did the work.
    /// @param acceptedLease Lease whose acceptance pays for it.
    /// @param work Work paid for, basis points of a unit.
    /// @param amount Wei, at the price of the lease that did the work.
    event WorkPaid(
        uint32 indexed leaseId,
        uint32 indexed acceptedLease,
        uint32 indexed nodeId,
        uint256 work,
        uint256 amount
    );
    event LeaseDisputed(uint32 indexed leaseId, address indexed by, uint256 bond);
    event DisputeRuled(uint32 indexed leaseId, bool forNode);
    event LeaseReleased(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId);
    /// @notice The lease's last `units` units leave its node: when it releases the lease, or after `due`.
    event LeaseMoving(uint32 indexed leaseId, uint24 units, uint40 due);
    /// @notice The node delivered before it handed over, or the task's deadline has passed: nothing moves.
    event MoveDropped(uint32 indexed leaseId, uint24 units);
    event LeaseExpired(uint32 indexed leaseId, uint32 indexed taskId, uint32 indexed nodeId, address by, bool atFault);

    /// @notice The range has changed hands too often and was refunded.
    event RangeGivenUp(uint32 indexed leaseId, uint32 indexed taskId, uint24 start, uint24 count);

    error NotModule(address caller);
    error UnknownLease(uint32 leaseId);
    /// @notice The lease's status does not allow this.
    error WrongLeaseStatus(uint32 leaseId, LeaseStatus status);
    /// @notice The range has changed hands: this fence is stale.
    error StaleFence(uint32 leaseId, uint24 given, uint24 current);
    /// @notice The caller is not the operator of the lease's node.
    error NotLeaseOperator(uint32 leaseId, address caller);
    /// @notice The node may keep the moving lease until the grace ends.
    error MoveGraceNotOver(uint32 leaseId, uint40 due);
    /// @notice The range has had so many leases that it no longer moves.
    /// @param fence Leases that the range has had.
    /// @param maximum Leases up to which it moves.
    error RangeMovedTooOften(uint32 leaseId, uint24 fence, uint256 maximum);
    error NotTaskOwner(uint32 taskId, address caller);
    /// @notice The node is in time: the lease cannot be expired before `due`, which an outage of the sequencer puts
    /// off.
    error LeaseNotOverdue(uint32 leaseId, uint40 due);
    /// @notice Only the developer may accept before the dispute window ends.
    error DisputeWindowOpen(uint32 leaseId, uint40 until);
    error DisputeWindowClosed(uint32 leaseId, uint40 since);
    error ArbitrationOpen(uint32 leaseId, uint40 until);
    /// @notice A result of a task counts only until its deadline.
    error TaskDeadlinePassed(uint32 taskId, uint40 deadline);
    error InvalidResult();
    error UnsupportedCodec(uint16 codec);

    /// @notice Names the modules. Deployer only, once.
    function initialise(Modules calldata modules) external;

    /// @notice Grants leases. Round manager and reassignment only. O(n), one new storage slot each, and one for each seed.
    /// @param seed Seed of the newest freeze of the listings, which they are granted by.
    /// @return first Id of the first lease; the others follow.
    function grant(Grant[] calldata grants, bytes32 seed) external returns (uint32 first);

    /// @notice Renews a lease on a checkpoint that shows headway: progress since the lease began of at least what the task's
    /// longest time for a unit demands, up to nine tenths of the units, with a delay of two intervals and graces. Without
    /// headway, or once the longest time and that delay are over, the checkpoint counts but does not renew. Checkpoint
    /// registry only.
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
    function deliver(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint64 size) external;

    /// @notice Gives a lease back: its units go on elsewhere from the last checkpoint. Without headway it costs a fee, see
    /// {IReleaseFees}; else nothing. A moving lease is handed over. Its node's operator only.
    function release(uint32 leaseId, uint24 fence) external;

    /// @notice Starts a move of a lease's last units: its node gets {Param.MoveGrace} to release it. Balancer only.
    /// @param classes Classes that may take the units, one bit each; 0: all that the task accepts.
    function startMove(uint32 leaseId, uint24 units, uint256 classes) external;

    /// @notice Hands a moving lease over when its grace is over; its node may do so before by {release}. Anyone. The units
    /// that move are drawn for (see {IReassignment}), the others become a new lease of the same node. Both get a higher fence
    /// and the old lease as parent.
    function handOver(uint32 leaseId) external;

    /// @notice Ends a lease whose checkpoint is overdue, or whose node gave no sign of life for {Param.ReportTimeout}, neither a
    /// report nor a checkpoint of this lease, for a bounty of at most what its node is slashed; the node cools down. Nobody fails by an outage of the sequencer, nor for {Param.OutageGrace} after
    /// it. Also ends a lease whose task is past its deadline, without bounty or penalty if the node was in time. The range is
    /// drawn for (see {IReassignment}); where the task takes no leases any more it goes back to it. Anyone.
    function expire(uint32 leaseId) external;

    /// @notice Pays delivered leases: the developer at any time, anyone once the dispute window is over, and anyone once
    /// the arbiter's time is over for a disputed one. Those that are paid already are passed over. O(n).
    function accept(uint32[] calldata leaseIds) external;

    /// @notice Disputes a delivery within its window. Task owner only; posts a bond, having approved the vault.
    function dispute(uint32 leaseId) external;

    /// @notice Decides a dispute. Only the role that the access manager names (the arbiter). For the node: it is paid and
    /// gets the bond. Against it: it is slashed, the bond goes back and the units are open again.
    function rule(uint32 leaseId, bool forNode) external;

    /// @notice How the node of an active lease does; reverts if the lease is unknown or not active.
    function healthOf(uint32 leaseId) external view returns (Health);

    /// @notice Until when no node counts as failed because of an outage of the sequencer: 0 if there was none lately. An
    /// outage excuses for three days at most, and {Param.OutageGrace}.
    function outageUntil() external view returns (uint40);

    /// @notice A lease; reverts if unknown.
    function lease(uint32 leaseId) external view returns (Lease memory);

    /// @notice What a lease was granted by; reverts if unknown. Two reads, and one more for each 65,536 draws since.
    /// @return draw_ What it has in common with other leases.
    /// @return taskId Its task.
    /// @return start Its first unit.
    function drawOf(uint32 leaseId) external view returns (Draw memory draw_, uint32 taskId, uint24 start);

    /// @notice A lease's result; all zero if none was delivered.
    function result(uint32 leaseId) external view returns (Result memory);

    /// @notice What leaves a lease by a move, or left it; all zero if nothing does.
    function departureOf(uint32 leaseId) external view returns (Departure memory);

    /// @notice The range that is drawn for once a lease has expired or was handed over; no units if there is none.
    /// @return range The lease, cut to the units that leave its node.
    /// @return moved Whether they leave by a move.
    /// @return classes Classes that may take them, one bit each; 0: all that the task accepts.
    function orphanOf(uint32 leaseId) external view returns (Lease memory range, bool moved, uint256 classes);

    /// @notice Up to `count` leases from id `from` on (ids start at 1).
    function leasePage(uint32 from, uint32 count) external view returns (LeaseView[] memory page);

    /// @notice Ids run from 1 to this number.
    function leaseCount() external view returns (uint32);
}
