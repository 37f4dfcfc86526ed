// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Moves of units between nodes, planned off-chain and checked here
/// @notice Anyone may post a plan. Work leaves a node only by what that node itself reported: a load above the band around
/// the average, or power above its threshold. Nobody says where it goes: what leaves is drawn for like the range of a failed
/// lease (see {IReassignment}). There is no bounty, so there is none to farm.
interface IBalancer {
    /// @notice Why work moves.
    enum Cause {
        /// From above the band to below it.
        Load,
        /// From a throttled node to the most efficient classes that the task accepts.
        Power
    }

    /// @notice The last `units` units of a lease leave its node.
    struct Move {
        uint32 leaseId;
        uint24 units;
    }

    /// @notice Units that left a node, which its reports may not show yet.
    /// @dev They count until a report comes after `until`, when the graces are over.
    struct Shift {
        uint40 until;
        uint24 outgoing;
    }

    /// @notice A move was started.
    /// @param fromNode Node that the units leave.
    /// @param units Units that leave it.
    event Moved(uint32 indexed leaseId, uint32 indexed fromNode, uint24 units, Cause cause);

    /// @notice Between one unit and all units of the lease can move.
    error UnitsOutOfRange(uint32 leaseId, uint24 units, uint24 count);
    /// @notice Only an active lease that is in time moves.
    error LeaseNotActive(uint32 leaseId);
    /// @notice The lease has shown no headway yet: giving it back would cost a fee, see {IReleaseFees.isFree}.
    error NoHeadwayYet(uint32 leaseId);
    /// @notice The node never reported, or missed its reports.
    error NodeNotReporting(uint32 nodeId);
    /// @notice The range moved lately.
    error RangeCooling(uint32 leaseId, uint256 until);
    /// @notice Too little time is left before the task's deadline.
    error TaskTooLate(uint32 taskId, uint40 deadline);
    /// @notice The source is not above the band, or not above {Param.LoadFloor}.
    /// @param load Its load at its last report, less what has left it since, basis points.
    /// @param loads Sum of loads x capacities; divided by `capacity` it is the average load in basis points.
    error SourceInBand(uint32 nodeId, uint256 load, uint256 loads, uint256 capacity);
    /// @notice The source would come below the average by more than one unit's worth.
    error MoveOvershootsSource(uint32 nodeId, uint24 units);
    /// @notice The classes that may take the units list fewer of them at what the task pays.
    error NotEnoughSupply(uint32 taskId, uint24 units);

    /// @notice Starts moves: each lease's node gets {Param.MoveGrace} for a last checkpoint, then its units are drawn for; and
    /// no new work until it has reported again.
    /// Reverts as a whole if a move is not allowed. Anyone. O(n).
    function move(Move[] calldata moves) external;

    /// @notice Units that left a node and that its last report may not show; zero if there are none.
    function shiftOf(uint32 nodeId) external view returns (Shift memory);

    /// @notice Until when a lease's range may not be moved again.
    function coolingUntil(uint32 leaseId) external view returns (uint256);
}
