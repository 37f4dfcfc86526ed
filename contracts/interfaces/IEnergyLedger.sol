// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Energy and carbon of nodes, tasks and the network
/// @notice Kept from the reports that telemetry has taken. Every figure is exact in integers; where one has to be rounded
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
        /// Joules that a data centre's machine takes for a unit, before its PUE; 0: no baseline.
        uint40 baselineJoules;
        /// Carbon intensity of the region's grid, milligrams of CO2 equivalent per kWh.
        uint24 gridIntensity;
    }

    /// @notice What a class is to be compared with.
    struct ClassSetting {
        uint8 classId;
        ClassEnergy energy;
    }

    /// @notice One lease's part of a report.
    struct Part {
        uint32 leaseId;
        uint32 taskId;
        uint24 count;
        /// Class of the lease, fixed when it was granted: its grid and baseline hold.
        uint8 classId;
        uint40 joules;
    }

    /// @notice A report that telemetry has taken.
    struct Entry {
        uint32 nodeId;
        /// Class of the node now: its grid holds for what no lease has a share in.
        uint8 classId;
        /// {ITelemetry.Method} as a number.
        uint8 method;
        uint32 period;
        uint40 joules;
        uint40 renewableJoules;
        uint32 idleUnitSeconds;
        Part[] parts;
    }

    /// @notice Sums of one scope. 64 bits of joules are 5,000 TWh, five times what all data centres of the world take in a
    /// year; a sum that is full stays at its highest value and holds nobody up.
    struct Account {
        /// Joules by how they were found out: the three add up to the total.
        uint64 raplJoules;
        uint64 nvmlJoules;
        uint64 estimatedJoules;
        uint64 renewableJoules;
        /// Seconds covered by reports, summed over nodes.
        uint48 seconds_;
        /// Unit-seconds of work, at most, and those of them harvested from idle machines, at least.
        uint56 unitSeconds;
        uint56 idleUnitSeconds;
        /// Non-renewable joules x grid intensity (mg/kWh).
        uint88 carbon;
        uint32 creditedUnits;
        /// Joules that the credited units would take in a data centre, PUE included.
        uint80 baselineJoules;
        /// Baseline joules x grid intensity (mg/kWh).
        uint104 baselineCarbon;
    }

    /// @notice An account as people read it.
    struct Summary {
        uint256 joules;
        uint256 raplJoules;
        uint256 nvmlJoules;
        uint256 estimatedJoules;
        uint256 renewableJoules;
        uint256 seconds_;
        /// Average power of a node while it reported, watts, rounded up.
        uint256 averageWatts;
        uint256 unitSeconds;
        uint256 idleUnitSeconds;
        uint256 creditedUnits;
        uint256 baselineJoules;
        /// Milligrams of CO2 equivalent: emitted (rounded up), of the baseline (down), and avoided (down; negative: caused).
        uint256 carbonMilligrams;
        uint256 baselineCarbonMilligrams;
        int256 avoidedMilligrams;
        /// (baseline - used) / baseline, basis points, rounded down; 0 without a baseline.
        int256 efficiencyGainBps;
        int256 carbonReductionBps;
        /// Renewable share of the energy and idle-harvested share of the work, basis points, rounded down.
        uint256 renewableBps;
        uint256 idleBps;
    }

    /// @notice Energy of one lease.
    /// @dev One slot.
    struct LeaseEnergy {
        uint64 joules;
        uint64 renewableJoules;
        bool reported;
        bool credited;
    }

    event ModulesSet(address telemetry);
    event ClassEnergySet(uint8 indexed classId, ClassEnergy previous, ClassEnergy energy);
    /// @notice A lease's part of a report, booked to its task; what is booked to the node is in {ITelemetry.Reported}.
    event TaskEnergyRecorded(uint32 indexed taskId, uint32 indexed leaseId, uint40 joules, uint40 renewableJoules);
    event LeaseCredited(uint32 indexed leaseId, uint32 indexed taskId, uint24 units, uint256 baselineJoules);

    error NotModule(address caller);
    /// @notice More than the ledger's bounds allow.
    error ClassEnergyOutOfBounds(uint8 classId, uint40 baselineJoules, uint24 gridIntensity);
    /// @notice Only paid leases on which energy was reported count against a baseline.
    error LeaseNotCreditable(uint32 leaseId);
    error AlreadyCredited(uint32 leaseId);

    /// @notice Names the module that records. Deployer only, once.
    function initialise(address telemetry) external;

    /// @notice Sets what classes are compared with, from now on. Only the role that the access manager names. O(n).
    function setClassEnergies(ClassSetting[] calldata settings) external;

    /// @notice Adds a report: to the node, the network, and each lease's task. Telemetry only. O(parts).
    function record(Entry calldata entry) external;

    /// @notice Sets the units of paid leases against their classes' baselines. Anyone, once per lease. Work on which no
    /// energy was reported never counts. O(n).
    function credit(uint32[] calldata leaseIds) external;

    /// @notice The sums of a node, a task (by its id) or the network (0).
    function accountOf(Scope scope, uint32 id) external view returns (Account memory);

    /// @notice What these sums come to.
    function summaryOf(Scope scope, uint32 id) external view returns (Summary memory);

    /// @notice Energy of a lease.
    function leaseEnergyOf(uint32 leaseId) external view returns (LeaseEnergy memory);

    /// @notice What a class is compared with; all zero if nothing was set.
    function classEnergyOf(uint8 classId) external view returns (ClassEnergy memory);
}
