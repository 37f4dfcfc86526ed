// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Energy and carbon of nodes, tasks and the network
/// @notice Kept from what nodes report of their energy: rarely, as a transaction of their operator, for nothing is decided by
/// it at once. Every figure is exact in integers; where one has to be rounded
/// it is rounded against the network's claims: carbon and power up, gains, shares and what was avoided down.
interface IEnergyLedger {
    /// @notice Whose account.
    enum Scope {
        Network,
        Node,
        Task
    }

    /// @notice What a class is compared with.
    struct ClassEnergy {
        /// What a data centre's machine takes for a unit, before its PUE, joules; 0: no baseline.
        uint40 baselineJoules;
        /// Carbon intensity of the region's grid, milligrams of CO2 equivalent per kWh.
        uint24 gridIntensity;
    }

    /// @notice What a class is to be compared with.
    struct ClassSetting {
        /// Id of the class.
        uint8 classId;
        /// What is known of it.
        ClassEnergy energy;
    }

    /// @notice How energy was determined. What is estimated is never called measured.
    enum Method {
        None,
        /// Measured by the processor's own energy counters (RAPL).
        Rapl,
        /// Measured by the graphics card's energy counter (NVML).
        Nvml,
        /// Estimated from a model of the machine and its utilisation.
        Estimated
    }

    /// @notice One lease's part of an energy report.
    struct Share {
        /// Id of the lease.
        uint32 leaseId;
        /// Time of the period in which the lease ran, seconds.
        uint32 seconds_;
        /// Its energy in that time, joules.
        uint40 joules;
    }

    /// @notice What a node says of its energy in a period.
    struct EnergyReport {
        /// Id of the node.
        uint32 nodeId;
        /// Time that it covers, seconds: it follows what the report before covers.
        uint32 period;
        /// Energy in the period, joules.
        uint40 joules;
        /// The part of it that was renewable, joules.
        uint40 renewableJoules;
        /// {Method} as a number.
        uint8 method;
        /// Version of the agent: major << 8 | minor.
        uint16 version;
        /// Unit-seconds of work done while the machine's owner left it idle.
        uint32 idleUnitSeconds;
        /// One for each lease that ran in the period, ascending, at most 64. What runs more leases reports more often.
        Share[] shares;
    }

    /// @notice Sums of one scope. 64 bits of joules are 5,000 TWh, five times what all data centres of the world take in a
    /// year; a sum that is full stays at its highest value and holds nobody up.
    struct Account {
        /// Measured by processors, joules; the three add up to the total.
        uint64 raplJoules;
        /// Measured by graphics cards, joules.
        uint64 nvmlJoules;
        /// Estimated, joules.
        uint64 estimatedJoules;
        /// The part of it that was renewable, joules.
        uint64 renewableJoules;
        /// Seconds covered by reports, summed over nodes.
        uint48 seconds_;
        /// Work, unit-seconds, at most.
        uint56 unitSeconds;
        /// Those of them harvested from idle machines, at least, unit-seconds.
        uint56 idleUnitSeconds;
        /// Non-renewable joules x grid intensity (mg/kWh).
        uint88 carbon;
        /// Units of paid leases that were credited with their baselines.
        uint32 creditedUnits;
        /// What the credited units would take in a data centre, PUE included, joules.
        uint80 baselineJoules;
        /// Baseline joules x grid intensity (mg/kWh).
        uint104 baselineCarbon;
    }

    /// @notice An account as people read it.
    struct Summary {
        /// All energy, joules.
        uint256 joules;
        /// Measured by processors, joules.
        uint256 raplJoules;
        /// Measured by graphics cards, joules.
        uint256 nvmlJoules;
        /// Estimated, joules.
        uint256 estimatedJoules;
        /// The part of it that was renewable, joules.
        uint256 renewableJoules;
        /// Time covered by reports, summed over nodes, seconds.
        uint256 seconds_;
        /// Average power of a node while it reported, watts, rounded up.
        uint256 averageWatts;
        /// Work, unit-seconds, at most.
        uint256 unitSeconds;
        /// Work harvested from idle machines, unit-seconds, at least.
        uint256 idleUnitSeconds;
        /// Units of paid leases that were credited with their baselines.
        uint256 creditedUnits;
        /// What the credited units would take in a data centre, PUE included, joules.
        uint256 baselineJoules;
        /// Carbon emitted, milligrams of CO2 equivalent, rounded up.
        uint256 carbonMilligrams;
        /// Carbon of the baseline, milligrams of CO2 equivalent, rounded down.
        uint256 baselineCarbonMilligrams;
        /// Carbon avoided, milligrams of CO2 equivalent, rounded down; negative: caused.
        int256 avoidedMilligrams;
        /// (baseline - used) / baseline, basis points, rounded down; 0 without a baseline.
        int256 efficiencyGainBps;
        /// (baseline - emitted) / baseline of the carbon, basis points, rounded down; 0 without a baseline.
        int256 carbonReductionBps;
        /// Renewable share of the energy, basis points, rounded down.
        uint256 renewableBps;
        /// Idle-harvested share of the work, basis points, rounded down.
        uint256 idleBps;
    }

    /// @notice Energy of one lease.
    /// @dev One slot.
    struct LeaseEnergy {
        /// Energy of its shares, joules.
        uint64 joules;
        /// The part of it that was renewable, joules.
        uint64 renewableJoules;
        /// Whether a share named it.
        bool reported;
        /// Whether it was credited with its baseline.
        bool credited;
    }

    /// @notice A node's energy was booked.
    /// @param nodeId Id of the node.
    /// @param coveredUntil Until when the node's reports cover now, seconds.
    /// @param period Time that the report covers, seconds.
    /// @param joules Energy in the period, joules.
    /// @param renewableJoules The part of it that was renewable, joules.
    /// @param method How the energy was determined.
    /// @param version Version of the agent: major << 8 | minor.
    /// @param idleUnitSeconds Unit-seconds of work done while the machine's owner left it idle.
    event EnergyReported(
        uint32 indexed nodeId,
        uint40 coveredUntil,
        uint32 period,
        uint40 joules,
        uint40 renewableJoules,
        Method method,
        uint16 version,
        uint32 idleUnitSeconds
    );
    /// @notice Governance changed what is known of a class.
    /// @param classId Id of the class.
    /// @param previous What held before.
    /// @param energy What holds from now on.
    event ClassEnergySet(uint8 indexed classId, ClassEnergy previous, ClassEnergy energy);
    /// @notice A lease's part of a report, booked to its task; what is booked to the node is in {EnergyReported}.
    /// @param taskId Id of the task.
    /// @param leaseId Lease that took the energy.
    /// @param joules Energy, joules.
    /// @param renewableJoules The part of it that was renewable, joules.
    event TaskEnergyRecorded(uint32 indexed taskId, uint32 indexed leaseId, uint40 joules, uint40 renewableJoules);
    /// @notice A paid lease was credited with its baseline.
    /// @param leaseId Id of the lease.
    /// @param taskId Id of the task.
    /// @param units Units of the lease.
    /// @param baselineJoules What the units would have taken centrally, joules.
    event LeaseCredited(uint32 indexed leaseId, uint32 indexed taskId, uint24 units, uint256 baselineJoules);

    /// @notice More than the ledger's bounds allow.
    /// @param classId Id of the class.
    /// @param baselineJoules What the units would have taken centrally, joules.
    /// @param gridIntensity Grid intensity that was given, milligrams of CO2 per kWh.
    error ClassEnergyOutOfBounds(uint8 classId, uint40 baselineJoules, uint24 gridIntensity);
    /// @notice Only a node's operator reports its energy.
    /// @param nodeId Id of the node.
    /// @param caller Who tried.
    error NotOperator(uint32 nodeId, address caller);
    /// @notice The node has left the market.
    /// @param nodeId Id of the node.
    error NotInMarket(uint32 nodeId);
    /// @notice The period is zero, or longer than the time that no report has covered yet.
    /// @param nodeId Id of the node.
    /// @param period Time that the report covers, seconds.
    /// @param longest Time that it may cover, seconds.
    error PeriodInvalid(uint32 nodeId, uint32 period, uint256 longest);
    /// @notice No way in which energy can be determined.
    /// @param method {Method} as a number.
    error UnknownMethod(uint8 method);
    /// @notice More energy than the machine can draw in the period.
    /// @param nodeId Id of the node.
    /// @param joules Energy, joules.
    /// @param most Maximum, joules.
    error EnergyAboveMaximum(uint32 nodeId, uint40 joules, uint256 most);
    /// @notice More renewable energy than energy.
    /// @param nodeId Id of the node.
    /// @param renewableJoules Renewable, joules.
    /// @param joules All, joules.
    error RenewableAboveTotal(uint32 nodeId, uint40 renewableJoules, uint40 joules);
    /// @notice A report has at most {MAX_SHARES} shares.
    /// @param shares How many it has.
    error TooManyShares(uint256 shares);
    /// @notice Shares come in ascending order of their leases, each once.
    /// @param leaseId Lease of the share that is out of order.
    error SharesOutOfOrder(uint32 leaseId);
    /// @notice The lease was never the node's.
    /// @param nodeId Id of the node.
    /// @param leaseId Id of the lease.
    error ForeignLease(uint32 nodeId, uint32 leaseId);
    /// @notice A share covers no time, or more than the period has until the lease was over.
    /// @param leaseId Id of the lease.
    /// @param seconds_ Time of the share, seconds.
    /// @param longest Time that it may cover, seconds.
    error ShareTimeInvalid(uint32 leaseId, uint32 seconds_, uint256 longest);
    /// @notice More energy than the machine can draw in the time of the share.
    /// @param leaseId Id of the lease.
    /// @param joules Energy of the share, joules.
    /// @param most Maximum, joules.
    error ShareAboveMaximum(uint32 leaseId, uint40 joules, uint256 most);
    /// @notice The leases' shares add up to more than the whole.
    /// @param nodeId Id of the node.
    /// @param shared Energy of the shares, joules.
    /// @param joules All, joules.
    error SharesAboveTotal(uint32 nodeId, uint256 shared, uint40 joules);
    /// @notice More idle-harvested unit-seconds than the leases named, or the capacity, have in the period.
    /// @param nodeId Id of the node.
    /// @param idleUnitSeconds Idle-harvested, unit-seconds.
    /// @param most Maximum, unit-seconds.
    error IdleAboveWork(uint32 nodeId, uint32 idleUnitSeconds, uint256 most);
    /// @notice Only paid leases on which energy was reported count against a baseline.
    /// @param leaseId Id of the lease.
    error LeaseNotCreditable(uint32 leaseId);
    /// @notice The lease was credited before.
    /// @param leaseId Id of the lease.
    error AlreadyCredited(uint32 leaseId);

    /// @notice Sets what classes are compared with, from now on. Only the role that the access manager names. O(n).
    /// @param settings Classes and what is known of them.
    function setClassEnergies(ClassSetting[] calldata settings) external;

    /// @notice Books a node's energy: to the node, the network, and each lease's task. Its operator only. Reports may come
    /// late, but never cover a second twice, nor reach back further than {MAX_REACH}, so that idle stretches cannot be
    /// claimed later. O(shares).
    /// @param energy What the node says.
    function report(EnergyReport calldata energy) external;

    /// @notice Sets the units of paid leases against their classes' baselines. Anyone, once per lease. Work on which no
    /// energy was reported never counts. O(n).
    /// @param leaseIds Ids of the leases.
    function credit(uint32[] calldata leaseIds) external;

    /// @notice The sums of a node, a task (by its id) or the network (0).
    /// @param scope Whose account.
    /// @param id Id within the scope; 0 for the network.
    function accountOf(Scope scope, uint32 id) external view returns (Account memory);

    /// @notice What these sums come to.
    /// @param scope Whose account.
    /// @param id Id within the scope; 0 for the network.
    function summaryOf(Scope scope, uint32 id) external view returns (Summary memory);

    /// @notice Until when a node's reports cover, seconds; 0 if it never reported.
    /// @param nodeId Id of the node.
    function coveredUntil(uint32 nodeId) external view returns (uint256);

    /// @notice Energy of a lease.
    /// @param leaseId Id of the lease.
    function leaseEnergyOf(uint32 leaseId) external view returns (LeaseEnergy memory);

    /// @notice What a class is compared with; all zero if nothing was set.
    /// @param classId Id of the class.
    function classEnergyOf(uint8 classId) external view returns (ClassEnergy memory);
}
