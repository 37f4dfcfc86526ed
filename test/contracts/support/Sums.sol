// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {System} from "./System.sol";

/// @title That what is kept in O(1) is the sum over what it is kept for
abstract contract Sums is System {
    /// @dev The totals are the sums over the nodes that count, so that the average load is exact.
    function _reports(uint256 nodeCount) internal view {
        ITelemetry.Totals memory sums;
        for (uint32 id = 1; id <= nodeCount; ++id) {
            ITelemetry.ReportState memory s = telemetry.reportStateOf(id);
            assertEq(s.ineligible, nodes.node(id).ineligible, "what telemetry remembers of the supply");
            if (s.throttled) assertTrue(nodes.node(id).ineligible, "throttled nodes get no new work");
            if (!s.counted) continue;
            sums.load += uint64(s.load) * s.capacity;
            sums.capacity += s.capacity;
            sums.watts += s.watts;
            ++sums.nodes;
            if (s.renewable) ++sums.renewableNodes;
            if (s.throttled) ++sums.throttledNodes;
        }
        assertEq(abi.encode(telemetry.totals()), abi.encode(sums), "totals");
        (uint256 loads, uint256 capacity) = telemetry.averageLoad();
        assertEq(loads, sums.load, "sum of loads");
        assertEq(capacity, sums.capacity, "capacity that counts");
    }

    /// @dev The network has what its nodes have, and its tasks no more than that.
    function _energies(uint256 nodeCount, uint256 taskCount) internal view {
        IEnergyLedger.Account memory network = ledger.accountOf(IEnergyLedger.Scope.Network, 0);
        IEnergyLedger.Account memory byNode;
        IEnergyLedger.Account memory byTask;
        for (uint32 id = 1; id <= nodeCount; ++id) _add(byNode, ledger.accountOf(IEnergyLedger.Scope.Node, id));
        for (uint32 id = 1; id <= taskCount; ++id) _add(byTask, ledger.accountOf(IEnergyLedger.Scope.Task, id));
        assertEq(abi.encode(network), abi.encode(byNode), "network and nodes");
        assertLe(_joules(byTask), _joules(network), "tasks' energy");
        assertLe(byTask.renewableJoules, network.renewableJoules, "tasks' renewable energy");
        assertLe(network.renewableJoules, _joules(network), "renewable energy");
        assertLe(network.idleUnitSeconds, network.unitSeconds, "idle-harvested work");
        assertEq(byTask.creditedUnits, network.creditedUnits, "credited units");
        assertEq(byTask.baselineJoules, network.baselineJoules, "baseline");
    }

    function _add(IEnergyLedger.Account memory sum, IEnergyLedger.Account memory a) private pure {
        sum.raplJoules += a.raplJoules;
        sum.nvmlJoules += a.nvmlJoules;
        sum.estimatedJoules += a.estimatedJoules;
        sum.renewableJoules += a.renewableJoules;
        sum.creditedUnits += a.creditedUnits;
        sum.seconds_ += a.seconds_;
        sum.unitSeconds += a.unitSeconds;
        sum.idleUnitSeconds += a.idleUnitSeconds;
        sum.carbon += a.carbon;
        sum.baselineJoules += a.baselineJoules;
        sum.baselineCarbon += a.baselineCarbon;
    }

    function _joules(IEnergyLedger.Account memory a) private pure returns (uint256) {
        return uint256(a.raplJoules) + a.nvmlJoules + a.estimatedJoules;
    }
}
