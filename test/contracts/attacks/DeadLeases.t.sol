// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {Fixture} from "../support/Fixture.sol";
import {Reports} from "../support/Reports.sol";

/// @title Energy and idle time are booked on leases that are over, to make a task or the network look otherwise than it was
contract DeadLeasesTest is Fixture, Reports {
    uint256 private _tries;
    uint256 private _gas;

    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 1, 0);
        submit(bob, 1, 20_000, CPU_EU);
        runRound(1);
        vm.warp(block.timestamp + 60);
    }

    function test_Released() public {
        release(1);
        _lastReportOnly();
    }

    function test_Expired() public {
        expire(1);
        _lastReportOnly();
    }

    function test_Delivered() public {
        deliver(1);
        _lastReportOnly();
    }

    function test_Paid() public {
        deliver(1);
        accept(bob, 1);
        _lastReportOnly();
    }

    /// @notice Of a long period a lease has no more than the time until it was over.
    function test_LongerThanItLived() public {
        release(1);
        vm.warp(block.timestamp + 1 hours);
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.period = 1 hours;
        r = withShare(r, 1, 6_000);
        _refused(r, 60);
        r.shares[0].seconds_ = 60;
        reportEnergy(r);
        _print(0);
    }

    /// @dev What it did before it ended may still be reported; nothing after that.
    function _lastReportOnly() private {
        vm.warp(block.timestamp + 10);
        IEnergyLedger.EnergyReport memory r = energyOf(1);
        r.idleUnitSeconds = 60;
        reportEnergy(withShare(r, 1, 6_000));
        IEnergyLedger.Summary memory before = ledger.summaryOf(IEnergyLedger.Scope.Task, 1);
        assertEq(before.joules, 6_000);
        for (uint256 i; i < 3; ++i) {
            vm.warp(block.timestamp + 10 days);
            r = withShare(energyOf(1), 1, 6_000);
            r.idleUnitSeconds = 60;
            _refused(r, 0);
        }
        reportEnergy(energyOf(1));
        IEnergyLedger.Summary memory after_ = ledger.summaryOf(IEnergyLedger.Scope.Task, 1);
        assertEq(after_.joules, before.joules, "nothing more for the task");
        assertEq(after_.idleUnitSeconds, before.idleUnitSeconds);
        _print(after_.joules - before.joules);
    }

    function _refused(IEnergyLedger.EnergyReport memory r, uint256 longest) private {
        uint32 seconds_ = r.shares[0].seconds_;
        vm.prank(operatorOf(1));
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.ShareTimeInvalid.selector, 1, seconds_, longest));
        uint256 before = gasleft();
        ledger.report(r);
        _gas += before - gasleft();
        ++_tries;
    }

    /// @dev Where an attempt is refused it costs its gas, and books nothing.
    function _print(uint256 booked) private {
        emit log_named_uint("reports that are refused", _tries);
        emit log_named_uint("gas that they cost", _gas);
        emit log_named_uint("joules that they book", booked);
    }
}
