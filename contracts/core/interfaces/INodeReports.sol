// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What leases and draws need of the reports of nodes
/// @notice The core takes nothing else of reports; {ITelemetry} answers.
/// @dev Asked for and not written down: a report, of which each node sends one every few minutes, would cost a second slot.
interface INodeReports {
    /// @notice What a node's last report says; while the listings are frozen, the last one before the freeze. All zero
    /// if there was none.
    /// @param nodeId Id of the node.
    /// @return load Share of the machine in use, basis points.
    /// @return latency Round-trip time to its peers, milliseconds.
    /// @return at When it was posted, seconds.
    /// @return capacity Units of capacity that the node had then.
    function loadAndLatencyOf(
        uint32 nodeId
    ) external view returns (uint16 load, uint16 latency, uint40 at, uint24 capacity);

    /// @notice Whether the node missed its reports: nothing for {Param.ReportTimeout}, counted from its registration if
    /// it never reported. Reverts if unknown.
    /// @param nodeId Id of the node.
    function silent(uint32 nodeId) external view returns (bool);

    /// @notice The average load is sum / capacity: of the machines' units, not of the nodes, so that splitting a
    /// machine into many nodes, or adding small ones, moves it by no more than the stake under them.
    /// @return sumBps Loads x units of capacity, basis points.
    /// @return capacity Units of capacity.
    function averageLoad() external view returns (uint256 sumBps, uint256 capacity);
}
