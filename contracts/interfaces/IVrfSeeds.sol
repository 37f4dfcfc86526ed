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
        bytes32 keyHash;
        uint256 subscriptionId;
        uint32 callbackGasLimit;
        uint16 confirmations;
        bool nativePayment;
    }

    event ModulesSet(address rounds, address reassignment);
    event SeedRequested(uint256 indexed requestId);
    event SeedStored(uint256 indexed requestId, bytes32 seed);
    event ConfigSet(Config config);

    error NotModule(address caller);

    /// @notice Names the modules that may ask. Deployer only, once.
    function initialise(address rounds, address reassignment) external;

    /// @notice Asks for a seed. Round manager and reassignment only.
    function request() external returns (uint256 requestId);

    /// @notice The seed of the latest request with this number, zero as long as the coordinator that was asked has not
    /// answered.
    function seedOf(uint256 requestId) external view returns (bytes32);

    /// @notice How the oracle is asked and paid.
    function config() external view returns (Config memory);
}
