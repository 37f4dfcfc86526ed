// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fixture} from "../support/Fixture.sol";

/// @title Sizes of the deployed contracts
contract SizesTest is Fixture {
    /// @dev EIP-170.
    uint256 private constant LIMIT = 24_576;
    /// @dev The aim: a tenth of the limit stays free.
    uint256 private constant AIM = (LIMIT * 9) / 10;

    /// @notice Every contract but the registry of nodes leaves a tenth of the limit free; the registry is above the aim
    /// today and has a bound of its own, so that it cannot grow unnoticed.
    function test_Sizes() public view {
        _within(address(nodes), 24_000);
        _within(address(leases), AIM);
        _within(address(telemetry), AIM);
        _within(address(tasks), AIM);
        _within(address(reassignment), AIM);
        _within(address(rounds), AIM);
        _within(address(ledger), AIM);
        _within(address(checkpoints), AIM);
        _within(address(balancer), AIM);
        _within(address(vault), AIM);
        _within(address(outlet), AIM);
        _within(address(ver), AIM);
        _within(address(seeds), AIM);
        _within(address(parameters), AIM);
        _within(address(manager), AIM);
    }

    function _within(address deployed, uint256 bound) private view {
        assertGt(deployed.code.length, 0);
        assertLe(deployed.code.length, bound, vm.getLabel(deployed));
    }
}
