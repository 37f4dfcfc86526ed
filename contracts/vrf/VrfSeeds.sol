// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VRFConsumerBaseV2Plus} from "@chainlink/contracts/src/v0.8/vrf/dev/VRFConsumerBaseV2Plus.sol";
import {VRFV2PlusClient} from "@chainlink/contracts/src/v0.8/vrf/dev/libraries/VRFV2PlusClient.sol";
import {WiredOnce} from "../governance/WiredOnce.sol";
import {IVrfSeeds} from "../interfaces/IVrfSeeds.sol";

/// @title Seeds from Chainlink VRF v2.5
/// @notice See {IVrfSeeds}.
/// @dev Its owner (for a change of configuration or Chainlink's own migration of coordinators) is the access manager,
/// so that each change passes governance's delay.
contract VrfSeeds is IVrfSeeds, VRFConsumerBaseV2Plus, WiredOnce {
    address private _rounds;
    address private _reassignment;
    Config private _config;
    mapping(uint256 requestId => bytes32 seed) private _seeds;

    constructor(address coordinator, Config memory config_) VRFConsumerBaseV2Plus(coordinator) {
        _setConfig(config_);
    }

    /// @inheritdoc IVrfSeeds
    function wire(address rounds, address reassignment) external wiring {
        _rounds = rounds;
        _reassignment = reassignment;
        emit ModulesWired(rounds, reassignment);
    }

    /// @notice Changes how the oracle is asked and paid. Owner only.
    function setConfig(Config calldata config_) external onlyOwner {
        _setConfig(config_);
    }

    /// @inheritdoc IVrfSeeds
    function request() external returns (uint256 requestId) {
        require(msg.sender == _rounds || msg.sender == _reassignment, NotModule(msg.sender));
        Config memory c = _config;
        requestId = s_vrfCoordinator.requestRandomWords(
            VRFV2PlusClient.RandomWordsRequest({
                keyHash: c.keyHash,
                subId: c.subscriptionId,
                requestConfirmations: c.confirmations,
                callbackGasLimit: c.callbackGasLimit,
                numWords: 1,
                extraArgs: VRFV2PlusClient._argsToBytes(VRFV2PlusClient.ExtraArgsV1({nativePayment: c.nativePayment}))
            })
        );
        emit SeedRequested(requestId);
    }

    /// @inheritdoc IVrfSeeds
    function seedOf(uint256 requestId) external view returns (bytes32) {
        return _seeds[requestId];
    }

    /// @inheritdoc IVrfSeeds
    function config() external view returns (Config memory) {
        return _config;
    }

    /// @dev Hashing the word makes a zero seed, which would read as "no answer yet", as unlikely as a collision.
    function fulfillRandomWords(uint256 requestId, uint256[] calldata randomWords) internal override {
        if (randomWords.length == 0 || _seeds[requestId] != bytes32(0)) return;
        bytes32 seed = keccak256(abi.encode(randomWords[0]));
        _seeds[requestId] = seed;
        emit SeedStored(requestId, seed);
    }

    function _setConfig(Config memory config_) private {
        _config = config_;
        emit ConfigSet(config_);
    }
}
