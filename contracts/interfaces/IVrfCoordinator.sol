// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVRFCoordinatorV2Plus} from "@chainlink/contracts/src/v0.8/vrf/dev/interfaces/IVRFCoordinatorV2Plus.sol";

/// @title Chainlink's VRF v2.5 coordinator, as deployments know it
/// @notice Chainlink's own interface, and the event by which its subscriptions are found, which that interface lacks.
interface IVrfCoordinator is IVRFCoordinatorV2Plus {
    /// @notice A subscription was created.
    /// @param subId Number of the subscription.
    /// @param owner Who created it.
    event SubscriptionCreated(uint256 indexed subId, address owner);
}
