// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../../contracts/interfaces/IEnergyLedger.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title What reports of energy are refused for, one by one
contract EnergyRefusalsTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        leaseOf(bob, alice, 4);
        register(alice, CPU_EU, 4, 10);
        vm.warp(block.timestamp + 2 hours);
    }

    function test_NotInMarket() public {
        vm.prank(alice);
        nodes.drain(2);
        reportEnergy(energyOf(2));
        vm.prank(alice);
        nodes.exit(2);
        _refused(energyOf(2), abi.encodeWithSelector(IEnergyLedger.NotInMarket.selector, 2));
    }

    /// @notice What the old key may no longer, the new one may.
    function test_ChangedKey() public {
        address old = operatorOf(1);
        changeOperator(alice, 1, keyOf("keeper"));
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.NotOperator.selector, 1, old));
        vm.prank(old);
        ledger.report(energyOf(1));
        reportEnergy(energyOf(1));
    }

    /// @notice No second is covered twice.
    function test_Period() public {
        IEnergyLedger.EnergyReport memory r = energyOf(2);
        (r.period, r.joules) = (0, 0);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.PeriodInvalid.selector, 2, 0, 2 hours));
        reportEnergy(energyOf(2));
        // Two hours and a minute were there to cover, and a minute was.
        vm.warp(block.timestamp + 60);
        r.period = 2 hours + 1;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.PeriodInvalid.selector, 2, 2 hours + 1, 2 hours));
        r.period = 2 hours;
        reportEnergy(r);
        assertEq(ledger.coveredUntil(2), block.timestamp);
        r.period = 1;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.PeriodInvalid.selector, 2, 1, 0));
    }

    /// @notice Late reports lose nothing, but silence cannot be filled later for more than half a day.
    function test_Period_reachesBackHalfADay() public {
        vm.warp(block.timestamp + 3 days);
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.period = 12 hours + 1;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.PeriodInvalid.selector, 1, 12 hours + 1, 12 hours));
        r.period = 12 hours;
        reportEnergy(r);
    }

    function test_Values() public {
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.method = 0;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.UnknownMethod.selector, 0));
        r.method = 4;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.UnknownMethod.selector, 4));
        r = energyOf(1);
        r.joules = 60_001;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.EnergyAboveMaximum.selector, 1, 60_001, 60_000));
        r.joules = 60_000;
        r.renewableJoules = 60_001;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.RenewableAboveTotal.selector, 1, 60_001, 60_000));
        r.renewableJoules = 60_000;
        reportEnergy(r);
    }

    /// @notice No declared maximum makes a machine larger than its capacity can be.
    function test_PowerOfCapacity() public {
        vm.prank(alice);
        nodes.setProfile(2, profileOf(0, type(uint32).max));
        IEnergyLedger.EnergyReport memory r = energyOf(2);
        uint40 most = 60 * 4 * 20_000;
        r.joules = most + 1;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.EnergyAboveMaximum.selector, 2, most + 1, most));
        r.joules = most;
        reportEnergy(r);
    }

    function test_Shares() public {
        IEnergyLedger.EnergyReport memory r = withShare(energyOf(1), 1, 6_001);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.SharesAboveTotal.selector, 1, 6_001, 6_000));
        r = withShare(energyOf(2), 1, 1);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.ForeignLease.selector, 2, 1));
        r = withShare(energyOf(1), 0, 1);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.SharesOutOfOrder.selector, 0));
        r = withShare(withShare(energyOf(1), 1, 1), 1, 1);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.SharesOutOfOrder.selector, 1));
        r.shares = new IEnergyLedger.Share[](65);
        _refused(r, abi.encodeWithSelector(IEnergyLedger.TooManyShares.selector, 65));
        r = withShare(energyOf(1), 1, 1);
        r.shares[0].seconds_ = 0;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.ShareTimeInvalid.selector, 1, 0, 60));
        r.shares[0].seconds_ = 61;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.ShareTimeInvalid.selector, 1, 61, 60));
        r = withShare(energyOf(1), 1, 5_001);
        r.shares[0].seconds_ = 5;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.ShareAboveMaximum.selector, 1, 5_001, 5_000));
        reportEnergy(withShare(energyOf(1), 1, 6_000));
    }

    /// @notice Work counts for the time that a lease ran, not for all of a long period.
    function test_Idle() public {
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.idleUnitSeconds = 1;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.IdleAboveWork.selector, 1, 1, 0));
        r = withShare(r, 1, 0);
        r.shares[0].seconds_ = 10;
        r.idleUnitSeconds = 41;
        _refused(r, abi.encodeWithSelector(IEnergyLedger.IdleAboveWork.selector, 1, 41, 40));
        r.idleUnitSeconds = 40;
        reportEnergy(r);
        assertEq(ledger.accountOf(IEnergyLedger.Scope.Task, 1).unitSeconds, 40);
    }

    function _refused(IEnergyLedger.EnergyReport memory r, bytes memory reason) private {
        (, address operator) = nodes.keysOf(r.nodeId);
        vm.expectRevert(reason);
        vm.prank(operator);
        ledger.report(r);
    }
}
