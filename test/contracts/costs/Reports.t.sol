// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {Reports} from "../support/Reports.sol";

/// @title What reports, moves and credits cost, as transactions of their own
contract ReportsGasTest is GasSnapshots, Reports {
    /// @dev Most that a report with one share may cost in a batch of 100.
    uint256 private constant MOST_PER_REPORT = 90_000;

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
        vm.warp(block.timestamp + 60);
        _batch(1, 50);
        note("transactions", "telemetry: 50 first reports of a share each");
        _batch(51, 100);
        vm.warp(block.timestamp + 60);
        bytes memory packed = _batch(1, 100);
        assertEq(packed.length, 100 * 107);
        uint256 gas_ = note("transactions", "telemetry: 100 reports of a share each");
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
        leases.release(lease, 1);
        note("transactions", "lease: hand over");
        openBatch();
        fulfilBatch(1);
        reassignment.draw(1);
        note("failover", "batch: draw, 1 move");
    }

    /// @dev The nodes of these leases report on them, all in one transaction.
    function _batch(uint32 first, uint32 last) private returns (bytes memory packed) {
        for (uint32 lease = first; lease <= last; ++lease) {
            ITelemetry.Report memory r = withShare(reportOf(leases.lease(lease).nodeId, 5_000), lease, 5_000);
            (r.renewableJoules, r.idleUnitSeconds) = (3_000, 60);
            packed = bytes.concat(packed, signed(r));
        }
        vm.prank(keeper);
        assertEq(telemetry.post(packed), 1 + last - first);
    }
}
