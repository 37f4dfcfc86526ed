// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Seeds from Chainlink VRF v2.5
/// @notice Asks for one random word per purpose and stores it; everything drawn from it is drawn later by anyone who needs
/// it. The callback never reverts and costs constant gas, so a request cannot get stuck in it. A seed belongs to one request
/// of one coordinator: whatever was known before the request was made, or comes from a coordinator that was not asked, is no
/// seed.
interface IVrfSeeds {
    /// @notice How the oracle is asked and paid.
    struct Config {
        /// Names the oracle's key and maximum gas price.
        bytes32 keyHash;
        /// Number of the subscription that pays.
        uint256 subscriptionId;
        /// Gas of the callback.
        uint32 callbackGasLimit;
        /// Blocks after which the oracle answers.
        uint16 confirmations;
        /// Whether it is paid in ETH, else in LINK.
        bool nativePayment;
    }

    /// @notice The modules that may ask were named.
    /// @param rounds The round manager.
    /// @param reassignment The reassignment contract.
    /// @param audits The epochs of audits.
    event ModulesSet(address rounds, address reassignment, address audits);
    /// @notice The oracle was asked for a seed.
    /// @param requestId Number of the request.
    event SeedRequested(uint256 indexed requestId);
    /// @notice The oracle's answer arrived.
    /// @param requestId Number of the request.
    /// @param seed The seed.
    event SeedStored(uint256 indexed requestId, bytes32 seed);
    /// @notice The configuration was changed.
    /// @param config How the oracle is asked and paid.
    event ConfigSet(Config config);

    /// @notice Names the modules that may ask. Deployer only, once.
    /// @param rounds The round manager.
    /// @param reassignment The reassignment contract.
    /// @param audits The epochs of audits.
    function initialise(address rounds, address reassignment, address audits) external;

    /// @notice Asks for a seed. Round manager and reassignment only.
    function request() external returns (uint256 requestId);

    /// @notice The seed of the latest request with this number, zero as long as the coordinator that was asked has not
    /// answered.
    /// @dev Warning: zero means that there is no seed yet, not a seed of zero.
    /// @param requestId Number of the request.
    function seedOf(uint256 requestId) external view returns (bytes32);

    /// @notice How the oracle is asked and paid.
    function config() external view returns (Config memory);
}
