// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {Reports} from "../support/Reports.sol";

/// @title What reports, moves and credits cost, as transactions of their own
contract ReportsGasTest is GasSnapshots, Reports {
    /// @dev Maximum that a report may cost in a batch of 100.
    uint256 private constant MOST_PER_REPORT = 17_000;
    /// @dev Maximum that a report may cost alone.
    uint256 private constant MOST_ALONE = 60_000;

    /// hardhat-config: isolate = true
    function test_Batch100() public compared {
        for (uint256 i; i < 100; ++i) register(alice, CPU_EU, 1, i / 4);
        ITaskRegistry.Submission memory s = submission(100, 1_000_000, list(CPU_EU));
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        openRound();
        fulfil(1);
        settle(optimalPost());
        // First reports write new slots: half a batch at a time stays within a transaction.
        fund(alice, 100 * 10 * 100 * MICRO);
        for (uint32 node = 1; node <= 100; ++node) {
            vm.prank(alice);
            telemetry.prepay(node, 10, 100);
        }
        vm.warp(block.timestamp + 60);
        _batch(1, 50);
        note("transactions", "telemetry: 50 first reports");
        _batch(51, 100);
        vm.warp(block.timestamp + 60);
        bytes memory packed = _batch(1, 100);
        assertEq(packed.length, 100 * 81);
        uint256 gas_ = note("transactions", "telemetry: 100 reports");
        assertLe(gas_ / 100, MOST_PER_REPORT, "gas a report");
        assertEq(telemetry.totals().nodes, 100);
    }

    /// hardhat-config: isolate = true
    function test_Single() public compared {
        register(alice, CPU_EU, 1, 10);
        for (uint256 i; i < 2; ++i) {
            vm.warp(block.timestamp + 60);
            report(1, 5_000);
        }
        note("transactions", "telemetry: 1 report");
        assertLe(vm.lastCallGas().gasTotalUsed, MOST_ALONE, "gas");
        register(alice, CPU_EU, 10, 10);
        ITaskRegistry.Submission memory s = submission(11, 20_000, list(CPU_EU));
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        runRound(1);
        register(carol, CPU_EU, 10, 12);
        vm.warp(block.timestamp + 60);
        report(2, 9_900);
        report(3, 100);
        uint32 lease = leases.lease(1).nodeId == 2 ? 1 : 2;
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        moves[0] = IBalancer.Move(lease, 4);
        balancer.move(moves);
        note("transactions", "balancing: 1 move");
        address operator = operatorOf(2);
        vm.prank(operator);
        leases.release(lease, 1, ILeaseRegistry.EndReason.GivenBack);
        note("transactions", "lease: hand over");
        openBatch();
        fulfilBatch(1);
        reassignment.draw(1);
        note("failover", "batch: draw, 1 move");
    }

    /// hardhat-config: isolate = true
    function test_Energy() public compared {
        leaseOf(bob, alice, 4);
        for (uint256 i; i < 2; ++i) {
            vm.warp(block.timestamp + 3 hours);
            IEnergyLedger.EnergyReport memory energy = energyOf(1);
            (energy.period, energy.renewableJoules, energy.idleUnitSeconds) = (10_000, 3_000, 60);
            reportEnergy(withShare(energy, 1, 5_000));
        }
        note("transactions", "energy: 1 report of a share");
    }

    /// @dev The nodes of these leases report, all in one transaction, and pay for it.
    function _batch(uint32 first, uint32 last) private returns (bytes memory packed) {
        for (uint32 lease = first; lease <= last; ++lease) {
            ITelemetry.Report memory r = reportOf(leases.lease(lease).nodeId, 5_000);
            r.renewable = lease % 2 == 0;
            packed = bytes.concat(packed, signed(r));
        }
        vm.prank(keeper);
        assertEq(telemetry.post(packed), 1 + last - first);
    }
}
