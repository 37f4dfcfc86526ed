// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Holder pool: the nodes that may be drawn to hold others' checkpoints
/// @notice A node keeps one position of the pool for as long as it is in the market; positions that are given up are used
/// again, so that few are empty. A draw fixes the number of positions and the average stake when the listings freeze,
/// before anybody knows its seed; anyone who joins, or adds stake, after that gains nothing in it. Every call is O(1).
interface IHolderPool {
    /// @notice The contract that keeps the pool up to date was named.
    /// @param supply The supply.
    event SupplySet(address supply);

    /// @notice Names the contract that keeps the pool up to date. Deployer only, once.
    /// @param supply The supply.
    function initialise(address supply) external;

    /// @notice Gives a new, active node a position. Supply only.
    /// @param nodeId Id of the node.
    /// @param stake Its stake, wei.
    /// @return position Its position.
    function join(uint32 nodeId, uint256 stake) external returns (uint32 position);

    /// @notice Takes a node's position away. Supply only.
    /// @param position The position.
    function leave(uint32 position) external;

    /// @notice Lets a node be drawn, or not. Supply only.
    /// @param position Its position.
    /// @param active Whether it takes leases.
    function setActive(uint32 position, bool active) external;

    /// @notice Takes note of a node's stake. A higher one counts from the next freeze on, a lower one at once. Supply only.
    /// @param position Its position.
    /// @param stake Its stake, wei.
    function setStake(uint32 position, uint256 stake) external;

    /// @notice Fixes what the draws of a freeze of the listings go by. Supply only.
    /// @param count Its number.
    function freeze(uint32 count) external;

    /// @notice What draws of holders go by that follow from the newest freeze of the listings. One read.
    /// @return count Its number; 0: there was none.
    /// @return positions Positions of the pool then.
    /// @return average Average stake of active nodes then, whole VER, rounded down.
    function lastFreeze() external view returns (uint32 count, uint32 positions, uint40 average);

    /// @notice The node at a position, if a draw may take it: active, there since before the freeze, and accepted with a
    /// probability of its stake at the freeze ÷ the average, at most 1. One read.
    /// @param position The position.
    /// @param count Number of the freeze that the draw follows from.
    /// @param average Average stake at that freeze, whole VER.
    /// @param chance Random number, 0 to 2^128 - 1.
    /// @return nodeId 0 if the draw may take none.
    function drawn(uint32 position, uint32 count, uint40 average, uint256 chance) external view returns (uint32 nodeId);

    /// @notice How many nodes are active: neither draining nor leaving.
    function activeNodes() external view returns (uint32);
}
