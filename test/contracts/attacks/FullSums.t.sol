// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "../support/Fixture.sol";
import {Reports} from "../support/Reports.sol";

/// @title Somebody reports as much as it may until a sum is full, so that no report is taken any longer
contract FullSumsTest is Fixture, Reports {
    /// @notice With every sum at its highest value reports are taken, leases credited, and sums stay where they are.
    function test_EverySumFull() public {
        register(alice, CPU_EU, 4, 10);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        vm.warp(block.timestamp + 60);
        _fill();
        for (uint256 i; i < 3; ++i) {
            ITelemetry.Report memory r = reportOf(1, 0);
            r.joules = 60_000;
            r.renewableJoules = 30_000;
            r.idleUnitSeconds = 60;
            report(withShare(r, 1, 60_000));
            vm.warp(block.timestamp + 60);
        }
        IEnergyLedger.Account memory sums = ledger.accountOf(IEnergyLedger.Scope.Network, 0);
        assertEq(sums.raplJoules, type(uint64).max);
        assertEq(sums.renewableJoules, type(uint64).max);
        assertEq(sums.seconds_, type(uint48).max);
        assertEq(sums.unitSeconds, type(uint56).max);
        assertEq(sums.idleUnitSeconds, type(uint56).max);
        assertEq(sums.carbon, type(uint88).max);
        ledger.summaryOf(IEnergyLedger.Scope.Network, 0);
        deliver(1);
        accept(bob, 1);
        ledger.credit(ids32(1));
        ledger.summaryOf(IEnergyLedger.Scope.Task, 1);
    }

    /// @notice What filling the sum of joules takes: stake for the power, and time.
    function test_CostOfFilling() public {
        // 20 kW for a unit of capacity, and a stake for each.
        uint256 wattsForYear = uint256(type(uint64).max) / 365 days;
        uint256 units = wattsForYear / 20_000;
        emit log_named_uint("VER staked for a year to fill the joules of one method", stakeFor(units) / 1e18);
        assertGt(stakeFor(units), ver.cap() / 10);
    }

    /// @dev Fills every sum of the network, the node and the task by what the ledger may be told at once.
    function _fill() private {
        vm.startPrank(address(telemetry));
        vm.record();
        IEnergyLedger.Part[] memory parts = new IEnergyLedger.Part[](1);
        parts[0] = IEnergyLedger.Part(1, 1, 4, CPU_EU, 60);
        ledger.record(IEnergyLedger.Entry(1, CPU_EU, uint8(ITelemetry.Method.Rapl), 60, 60, 30, 60, parts));
        (, bytes32[] memory writes) = vm.accesses(address(ledger));
        vm.stopPrank();
        // One is the lease's own slot: only its sums are filled, not its marks.
        bytes32 marked = bytes32(uint256(60) | (uint256(30) << 64) | (uint256(1) << 128));
        bytes32 lease;
        for (uint256 i; i < writes.length; ++i) if (vm.load(address(ledger), writes[i]) == marked) lease = writes[i];
        for (uint256 i; i < writes.length; ++i) {
            if (writes[i] != lease) vm.store(address(ledger), writes[i], bytes32(type(uint256).max));
        }
        vm.store(address(ledger), lease, marked | bytes32(uint256(type(uint128).max)));
    }
}
