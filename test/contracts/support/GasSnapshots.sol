// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "./Fixture.sol";

/// @title Gas of whole transactions, held against the values in snapshots/
/// @dev Tests are isolated: each call is a transaction that pays its intrinsic gas and finds storage cold, as on BASE.
/// A change that is wanted: `npx hardhat test solidity --chain-type op --snapshot test/contracts/costs/*.sol`.
abstract contract GasSnapshots is Fixture {
    /// @dev What a value may differ by before the test fails: 1 %.
    uint256 private constant TOLERANCE = 0.01e18;

    struct Change {
        string name;
        uint256 was;
        uint256 now_;
    }

    Change[] private _changes;

    /// @dev Compares at the end of the test, so that all its values are noted even if the first has changed.
    modifier compared() {
        // As on BASE.
        setParam(Param.SeedPrice, 20_000);
        _;
        for (uint256 i; i < _changes.length; ++i) {
            assertApproxEqRel(_changes[i].now_, _changes[i].was, TOLERANCE, _changes[i].name);
        }
    }

    /// @dev Notes the gas of the last call.
    function note(string memory group, string memory name) internal returns (uint256 gas_) {
        gas_ = vm.lastCallGas().gasTotalUsed;
        if (_instrumented()) return gas_;
        assertLt(gas_, GAS_CAP, name);
        vm.snapshotValue(group, name, gas_);
        string memory file = string.concat("snapshots/", group, ".json");
        string memory json = vm.exists(file) ? vm.readFile(file) : "{}";
        string memory key = string.concat("$['", name, "']");
        uint256 was = vm.keyExistsJson(json, key) ? vm.parseJsonUint(json, key) : 0;
        _changes.push(Change(name, was, gas_));
    }

    /// @dev Whether the contracts are instrumented to measure coverage: then they are larger than a chain allows.
    function _instrumented() private view returns (bool) {
        return address(supply).code.length > 24_576;
    }
}
