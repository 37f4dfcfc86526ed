// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Moves of units between nodes, planned off-chain and checked here
/// @notice Anyone may post a plan. Work leaves a node only by what that node itself reported: a load above the band around
/// the average, or power above its threshold. There is no bounty, so there is none to farm.
interface IBalancer {
    /// @notice Why work moves.
    enum Cause {
        /// From above the band to below it.
        Load,
        /// From a throttled node to one that is at least as efficient.
        Power
    }

    /// @notice The last `units` units of a lease go to a node.
    struct Move {
        uint32 leaseId;
        uint32 nodeId;
        uint24 units;
    }

    /// @notice Units on their way, which the nodes' reports may not show yet.
    /// @dev They count until a report comes after `until`, when the graces are over.
    struct Shift {
        uint40 until;
        uint24 outgoing;
        uint24 incoming;
    }

    event Moved(uint32 indexed leaseId, uint32 indexed fromNode, uint32 indexed toNode, uint24 units, Cause cause);

    /// @notice A lease's range can only move to another node.
    error SameNode(uint32 leaseId, uint32 nodeId);
    error UnitsOutOfRange(uint32 leaseId, uint24 units, uint24 count);
    /// @notice Only an active lease that is in time moves.
    error LeaseNotActive(uint32 leaseId);
    /// @notice The node never reported, or missed its reports.
    error NodeNotReporting(uint32 nodeId);
    /// @notice The range moved lately.
    error RangeCooling(uint32 leaseId, uint256 until);
    /// @notice Too little time is left before the task's deadline.
    error TaskTooLate(uint32 taskId, uint40 deadline);
    /// @notice The source is not above the band: load, and sum of loads / nodes, in basis points.
    error SourceInBand(uint32 nodeId, uint256 load, uint256 loads, uint256 nodes);
    /// @notice The target is not below the band (or, for a throttled source's work, would leave it).
    error TargetInBand(uint32 nodeId, uint256 load, uint256 loads, uint256 nodes);
    /// @notice The source would come below the average by more than one unit's worth.
    error SourceCrosses(uint32 nodeId, uint24 units);
    /// @notice The target would come above the average by more than one unit's worth.
    error TargetCrosses(uint32 nodeId, uint24 units);
    /// @notice The target takes more power per unit (mW) than the throttled source.
    error TargetLessEfficient(uint32 nodeId, uint32 unitPower, uint32 sourceUnitPower);
    error ClassNotAccepted(uint32 taskId, uint8 classId);
    /// @notice The target asks more than the task pays (micro-VER; the class's surcharge counts).
    error AskAboveMaximum(uint32 nodeId, uint256 price, uint256 most);

    /// @notice Starts moves: each lease's node gets {Param.MoveGrace} for a last checkpoint, and the target's units are
    /// taken at once. Reverts as a whole if a move is not allowed. Anyone, not while the listings are frozen. O(n).
    function move(Move[] calldata moves) external;

    /// @notice Units on their way from and to a node that its last report may not show; zero if there are none.
    function shiftOf(uint32 nodeId) external view returns (Shift memory);

    /// @notice Until when a lease's range may not be moved again.
    function coolingUntil(uint32 leaseId) external view returns (uint256);
}
