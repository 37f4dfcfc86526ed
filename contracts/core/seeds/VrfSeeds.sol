// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VRFConsumerBaseV2Plus} from "@chainlink/contracts/src/v0.8/vrf/dev/VRFConsumerBaseV2Plus.sol";
import {VRFV2PlusClient} from "@chainlink/contracts/src/v0.8/vrf/dev/libraries/VRFV2PlusClient.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {NotModule} from "../../types/Errors.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";

/// @title Seeds from Chainlink VRF v2.5
/// @notice See {IVrfSeeds}.
/// @dev Its owner (for a change of configuration or Chainlink's own migration of coordinators) is the access manager,
/// so that each change passes governance's delay.
contract VrfSeeds is IVrfSeeds, VRFConsumerBaseV2Plus, OneTimeInitialiser {
    address private _rounds;
    address private _reassignment;
    address private _audits;
    Config private _config;
    /// @dev Of a request that waits for its answer: the coordinator that was asked; then its seed. The answer overwrites
    /// the one slot that asking paid for.
    mapping(uint256 requestId => bytes32 seedOrCoordinator) private _answers;

    constructor(address coordinator, Config memory config_) VRFConsumerBaseV2Plus(coordinator) {
        _setConfig(config_);
    }

    /// @inheritdoc IVrfSeeds
    function initialise(address rounds, address reassignment, address audits) external initialiser {
        _rounds = rounds;
        _reassignment = reassignment;
        _audits = audits;
        emit ModulesSet(rounds, reassignment, audits);
    }

    /// @notice Changes how the oracle is asked and paid. Owner only.
    /// @param config_ The new configuration.
    function setConfig(Config calldata config_) external onlyOwner {
        _setConfig(config_);
    }

    /// @inheritdoc IVrfSeeds
    function request() external returns (uint256 requestId) {
        bool known = msg.sender == _rounds || msg.sender == _reassignment || msg.sender == _audits;
        require(known, NotModule(msg.sender));
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
        // Another coordinator restarts its request numbers: what an earlier one answered under this number is no longer known.
        _answers[requestId] = _pending(address(s_vrfCoordinator));
        emit SeedRequested(requestId);
    }

    /// @inheritdoc IVrfSeeds
    function seedOf(uint256 requestId) external view returns (bytes32) {
        bytes32 answer = _answers[requestId];
        return uint256(answer) > type(uint160).max ? answer : bytes32(0);
    }

    /// @inheritdoc IVrfSeeds
    function config() external view returns (Config memory) {
        return _config;
    }

    /// @dev Takes only what was asked of the coordinator that answers, once. Hashing the word makes a seed that would read as
    /// an address, that is "no answer yet", as unlikely as that somebody guesses a key.
    function fulfillRandomWords(uint256 requestId, uint256[] calldata randomWords) internal override {
        if (randomWords.length == 0 || _answers[requestId] != _pending(msg.sender)) return;
        bytes32 seed = keccak256(abi.encode(randomWords[0]));
        _answers[requestId] = seed;
        emit SeedStored(requestId, seed);
    }

    function _pending(address coordinator) private pure returns (bytes32) {
        return bytes32(uint256(uint160(coordinator)));
    }

    function _setConfig(Config memory config_) private {
        _config = config_;
        emit ConfigSet(config_);
    }
}
