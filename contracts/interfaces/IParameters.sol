// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Names of the protocol's parameters. Durations are seconds, money is micro-VER (1e12 wei), shares are basis points.
enum Param {
    /// Stake that one unit of capacity needs, micro-VER.
    StakePerUnit,
    /// Time between leaving the market and taking the stake out; the stake stays slashable all the while.
    UnbondingPeriod,
    /// Protocol fee on top of what a node is paid, basis points; it feeds the bounty pool.
    FeeBps,
    /// Minimum time between the opening of two rounds.
    RoundInterval,
    /// Maximum number of tasks in a round; fewer fit where the dearest settlement of them takes a transaction.
    RoundMaxTasks,
    /// Maximum number of units in a round; fewer fit as above.
    RoundMaxUnits,
    /// Silence of the oracle after which a round may be aborted.
    SeedTimeout,
    /// Time that keepers have to settle a seeded round before it may be aborted.
    SettleTimeout,
    /// Time on top of a task's checkpoint interval before a lease counts as failed.
    LeaseGrace,
    /// Bounds of the checkpoint interval that a task may ask for.
    MinCheckpointInterval,
    MaxCheckpointInterval,
    /// Minimum time that a task must have left before its deadline for a unit of it to be leased.
    MinLeaseTime,
    /// Time in which a developer may dispute a delivery; after it anyone may have it paid.
    DisputeWindow,
    /// Time that the arbiter has; after it a disputed delivery is paid.
    ArbitrationTimeout,
    /// Bond of a dispute as a share of the lease's price, basis points.
    DisputeBondBps,
    /// Share of the stake under a failed lease's units that is slashed, basis points.
    SlashBps,
    /// Time without new leases after a failure.
    Cooldown,
    /// Maximum bounty of a settled round, micro-VER, shared by who opened and who settled it; never more than half of what
    /// the round itself brought in beyond the price of its seed.
    RoundBounty,
    /// Bounty for expiring a failed lease, micro-VER; never more than its node is slashed.
    ExpireBounty,
    /// Time between two reports of a node.
    ReportInterval,
    /// Silence after which a node counts as gone; also the maximum lag of a report behind the time it covers.
    /// Maximum 65535 s.
    ReportTimeout,
    /// Half width of the band of loads around the average in which nobody is moved, basis points.
    BalanceBand,
    /// Time in which a range that was moved is not moved again.
    MoveCooldown,
    /// Time that the old node of a moved range has for a last checkpoint.
    MoveGrace,
    /// Highest latency with which a node gets new work, where its class has no bound of its own, ms.
    MaxLatency,
    /// Power usage effectiveness of the data centres that work is compared with, basis points (10,000: none is lost).
    BaselinePue,
    /// Fee for submitting a task, and for each stay in the queue that others see to after it was parked, micro-VER; it
    /// goes to the bounty pool and is never given back.
    SubmissionFee,
    /// L0: what is added to a node's latency when a failed node's range is drawn for, ms; it keeps near nodes from taking all.
    LatencyFloor,
    /// How many leases of a range may fail or be given back before it is refunded to the developer; those of one owner in a
    /// row count once, and moves do not count.
    MaxReassignments,
    /// Time after an outage of the sequencer in which no node counts as failed.
    OutageGrace,
    /// Load up to which a node counts as not overloaded, whatever the average, basis points.
    LoadFloor,
    /// Longest time from a task's submission to its deadline.
    MaxTaskTime,
    /// What a round brings to the bounty pool at least, micro-VER: the price of its seed. Its tasks pay it in equal parts,
    /// by their fees and, where these do not reach, from their round deposits.
    SeedPrice,
    /// Fee for giving a lease back, or letting it expire, without headway, micro-VER: what its round cost the others, a seed and a settlement.
    ReleaseFee,
    /// Fee for each unit of such a lease on top, micro-VER: for the delay of its task.
    ReleaseUnitFee,
    /// Time without new leases for the owner of a node that gave a lease back, or let it expire, without headway, seconds: the first
    /// time; it doubles with each further one.
    ReleaseBar,
    /// Time after which one such lease is forgotten, seconds.
    ReleaseMemory
}

/// @title Governed parameters
/// @notice One value per {Param}, each within hard bounds that nobody can move, and the switch that pauses intake.
interface IParameters {
    /// @notice A value with the bounds it can never leave.
    struct Bounded {
        /// Value, in its own unit: see {Param}.
        uint64 value;
        /// Minimum; nothing changes it.
        uint64 min;
        /// Maximum; nothing changes it.
        uint64 max;
    }

    /// @notice A parameter changed.
    /// @param param The parameter.
    /// @param previous Value before.
    /// @param value Value from now on.
    event ParameterSet(Param indexed param, uint64 previous, uint64 value);
    /// @notice New tasks and new rounds are paused (or no longer). Exits never are.
    /// @param paused Whether new tasks and rounds are refused.
    event IntakePausedSet(bool paused);

    /// @notice The value lies outside the parameter's hard bounds.
    /// @param param The parameter.
    /// @param value Value that was given.
    /// @param min Minimum.
    /// @param max Maximum.
    error ParameterOutOfBounds(Param param, uint64 value, uint64 min, uint64 max);
    /// @notice With this change `lower` would ask for at least `needed` of `higher`, which would be `value`.
    /// @param lower Parameter that has to be lower.
    /// @param needed Minimum for the other, which follows from it.
    /// @param higher Parameter that has to be higher.
    /// @param value Value of that one.
    error ParametersOutOfStep(Param lower, uint256 needed, Param higher, uint256 value);
    /// @notice The constructor was not given exactly one entry per parameter.
    /// @param given Values that were given.
    /// @param expected Number of parameters.
    error WrongParameterCount(uint256 given, uint256 expected);

    /// @notice Sets a parameter; reverts if another one would no longer fit it. Only the role that the access manager
    /// names, after its delay.
    /// @param param The parameter.
    /// @param value Its new value, in its own unit: see {Param}.
    function set(Param param, uint64 value) external;

    /// @notice Pauses or resumes intake. Only the role that the access manager names (the guardian).
    /// @param paused Whether new tasks and rounds are refused.
    function setIntakePaused(bool paused) external;

    /// @notice A parameter's value.
    /// @param param The parameter.
    function get(Param param) external view returns (uint256);

    /// @notice A parameter with its bounds.
    /// @param param The parameter.
    function bounded(Param param) external view returns (Bounded memory);

    /// @notice Every parameter with its bounds, in the order of {Param}.
    function all() external view returns (Bounded[] memory);

    /// @notice Whether new tasks and new rounds are paused.
    function intakePaused() external view returns (bool);
}
