// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Fixture} from "../support/Fixture.sol";
import {Reports} from "../support/Reports.sol";

/// @title A node switches its class for a minute, to be compared with a dearer machine or a dirtier grid
contract ClassSwitchTest is Fixture, Reports {
    address private mallory = makeAddr("mallory");

    function setUp() public override {
        super.setUp();
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](2);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(12_600, 213_020));
        settings[1] = IEnergyLedger.ClassSetting(GPU_EU, IEnergyLedger.ClassEnergy(3_488_400, 1_000));
        ledger.setClassEnergies(settings);
        register(mallory, CPU_EU, 4, 10);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        vm.warp(block.timestamp + 60);
    }

    function test_SwitchForTheFirstReport() public {
        assertEq(leases.lease(1).classId, CPU_EU);
        _switch(GPU_EU);
        reportEnergy(withShare(energyOf(1), 1, 6_000));
        _switch(CPU_EU);
        deliver(1);
        accept(bob, 1);
        // And again, before the units are credited.
        _switch(GPU_EU);
        ledger.credit(ids32(1));
        IEnergyLedger.Summary memory s = ledger.summaryOf(IEnergyLedger.Scope.Network, 0);
        assertEq(s.baselineJoules, (12_600 * 4 * 15_600) / 10_000);
        emit log_named_uint("baseline of four units, joules", s.baselineJoules);
        // Its work emits at the grid that it was leased in: 6,000 J at 213.02 g/kWh.
        assertEq(s.carbonMilligrams, 356);
        assertEq(ledger.summaryOf(IEnergyLedger.Scope.Task, 1).carbonMilligrams, 356);
    }

    /// @notice What no lease has a share in emits at the grid of the node's class.
    function test_RestOfAReport() public {
        IEnergyLedger.EnergyReport memory r = withShare(energyOf(1), 1, 2_000);
        _switch(GPU_EU);
        reportEnergy(r);
        // 2,000 J at 213,020 and 4,000 J at 1,000 mg/kWh.
        assertEq(ledger.accountOf(IEnergyLedger.Scope.Node, 1).carbon, 2_000 * 213_020 + 4_000 * 1_000);
        assertEq(ledger.accountOf(IEnergyLedger.Scope.Network, 0).carbon, 2_000 * 213_020 + 4_000 * 1_000);
        assertEq(ledger.accountOf(IEnergyLedger.Scope.Task, 1).carbon, 2_000 * 213_020);
    }

    function _switch(uint8 classId) private {
        ISupply.Terms memory terms = termsOf(classId, 4, 10);
        vm.prank(mallory);
        nodes.setTerms(1, terms);
    }
}
