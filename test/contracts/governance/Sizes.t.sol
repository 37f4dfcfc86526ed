// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fixture} from "../support/Fixture.sol";

/// @title Sizes of the deployed contracts
contract SizesTest is Fixture {
    /// @dev EIP-170.
    uint256 private constant LIMIT = 24_576;
    /// @dev The aim: a tenth of the limit stays free.
    uint256 private constant AIM = (LIMIT * 9) / 10;

    /// @notice Every contract leaves a tenth of the limit free, so that a change has room.
    function test_Sizes() public view {
        _within(address(nodes));
        _within(address(supply));
        _within(address(holderPool));
        _within(address(releaseFees));
        _within(address(leases));
        _within(address(telemetry));
        _within(address(tasks));
        _within(address(reassignment));
        _within(address(rounds));
        _within(address(ledger));
        _within(address(checkpoints));
        _within(address(audits));
        _within(address(auditEpochs));
        _within(address(balancer));
        _within(address(vault));
        _within(address(outlet));
        _within(address(ver));
        _within(address(seeds));
        _within(address(parameters));
        _within(address(manager));
    }

    function _within(address deployed) private view {
        assertGt(deployed.code.length, 0);
        assertLe(deployed.code.length, AIM, vm.getLabel(deployed));
    }
}
