// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Wiring of modules at deployment
/// @notice Modules that call each other both ways cannot all be constructor arguments of one another. The deployer names
/// the missing ones once; after that nobody, governance included, can change who may move money or grant leases.
abstract contract WiredOnce {
    address private immutable DEPLOYER;
    bool private _wired;

    /// @notice The modules have been named already.
    error AlreadyWired();
    /// @notice Only the deployer may name the modules.
    error NotDeployer(address caller);

    /// @dev Lets the deployer through, once.
    modifier wiring() {
        require(msg.sender == DEPLOYER, NotDeployer(msg.sender));
        require(!_wired, AlreadyWired());
        _wired = true;
        _;
    }

    constructor() {
        DEPLOYER = msg.sender;
    }

    /// @notice Whether the modules have been named.
    function isWired() external view returns (bool) {
        return _wired;
    }
}
