// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../../contracts/interfaces/IEnergyLedger.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title Energy that does not come out even is rounded against what the network claims, and bounds may be met
contract EnergyRoundingTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        // Leases 1 and 2, of 1 and 3 units, on one node.
        register(alice, CPU_EU, 4, 10);
        submit(bob, 1, 20_000, CPU_EU);
        submit(bob, 3, 20_000, CPU_EU);
        runRound(1);
        assertEq(leases.lease(1).nodeId, leases.lease(2).nodeId);
        vm.warp(block.timestamp + 1 hours);
    }

    /// @notice Never more of the baseline than there was: 3 x 3 x 1.56 = 14.04 J.
    function test_Baseline() public {
        _setBaseline(3);
        reportEnergy(withShare(energyOf(1), _lease(3), 6_000));
        deliver(_lease(3));
        accept(bob, _lease(3));
        ledger.credit(ids32(_lease(3)));
        assertEq(ledger.accountOf(IEnergyLedger.Scope.Network, 0).baselineJoules, 14);
    }

    /// @notice Tasks share idle time in proportion to their work, and together have no more of it than there was.
    function test_IdleTime() public {
        IEnergyLedger.EnergyReport memory r = withShare(withShare(energyOf(1), 1, 1), 2, 1);
        r.idleUnitSeconds = 10;
        reportEnergy(r);
        // 2.5 and 7.5.
        IEnergyLedger.Scope task = IEnergyLedger.Scope.Task;
        assertEq(ledger.accountOf(task, leases.lease(_lease(1)).taskId).idleUnitSeconds, 2);
        assertEq(ledger.accountOf(task, leases.lease(_lease(3)).taskId).idleUnitSeconds, 7);
    }

    /// @notice Power is rounded up: 6,001 J in a minute are more than 100 W.
    function test_Power() public {
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.joules = 6_001;
        reportEnergy(r);
        assertEq(ledger.summaryOf(IEnergyLedger.Scope.Node, 1).averageWatts, 101);
    }

    function test_HighestBaseline() public {
        _setBaseline(ledger.MAX_BASELINE());
        assertEq(ledger.classEnergyOf(CPU_EU).baselineJoules, 20_000 * 1 days);
    }

    /// @notice As many shares as a report may have are judged one by one, one more are not.
    function test_MostShares() public {
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.shares = new IEnergyLedger.Share[](64);
        vm.startPrank(operatorOf(1));
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.SharesOutOfOrder.selector, 0));
        ledger.report(r);
        r.shares = new IEnergyLedger.Share[](65);
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.TooManyShares.selector, 65));
        ledger.report(r);
    }

    /// @dev The lease of so many units.
    function _lease(uint24 units) private view returns (uint32) {
        return leases.lease(1).count == units ? 1 : 2;
    }

    function _setBaseline(uint40 joules) private {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](1);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(joules, 0));
        ledger.setClassEnergies(settings);
    }
}
