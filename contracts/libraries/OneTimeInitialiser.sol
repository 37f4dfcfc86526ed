// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Wiring of modules at deployment
/// @notice Modules that call each other both ways cannot all be constructor arguments of one another. The deployer names
/// the missing ones once; after that nobody, governance included, can change who may move money or grant leases.
abstract contract OneTimeInitialiser {
    address private immutable DEPLOYER;
    bool private _initialised;

    /// @notice The modules have been named already.
    error AlreadyInitialised();
    /// @notice Only the deployer may name the modules.
    error NotDeployer(address caller);

    /// @dev Lets the deployer through, once.
    modifier initialiser() {
        require(msg.sender == DEPLOYER, NotDeployer(msg.sender));
        require(!_initialised, AlreadyInitialised());
        _initialised = true;
        _;
    }

    constructor() {
        DEPLOYER = msg.sender;
    }

    /// @notice Whether the modules have been named.
    function isInitialised() external view returns (bool) {
        return _initialised;
    }
}
