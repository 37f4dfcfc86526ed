// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
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
            vm.warp(block.timestamp + 60);
            IEnergyLedger.EnergyReport memory r = energyOf(1);
            r.joules = 60_000;
            r.renewableJoules = 30_000;
            r.idleUnitSeconds = 60;
            reportEnergy(withShare(r, 1, 60_000));
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

    /// @dev Fills every sum of the network, the node and the task that a report writes.
    function _fill() private {
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        (r.joules, r.renewableJoules, r.idleUnitSeconds) = (60, 30, 60);
        r = withShare(r, 1, 60);
        vm.record();
        reportEnergy(r);
        (, bytes32[] memory writes) = vm.accesses(address(ledger));
        // One is the lease's own slot: only its sums are filled, not its marks.
        bytes32 marked = bytes32(uint256(60) | (uint256(30) << 64) | (uint256(1) << 128));
        bytes32 lease;
        for (uint256 i; i < writes.length; ++i) if (vm.load(address(ledger), writes[i]) == marked) lease = writes[i];
        for (uint256 i; i < writes.length; ++i) {
            bool covered = uint256(vm.load(address(ledger), writes[i])) == ledger.coveredUntil(1);
            if (writes[i] != lease && !covered) vm.store(address(ledger), writes[i], bytes32(type(uint256).max));
        }
        vm.store(address(ledger), lease, marked | bytes32(uint256(type(uint128).max)));
    }
}
