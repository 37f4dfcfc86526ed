// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Reports} from "./Reports.sol";
import {SupplyHandler} from "./SupplyHandler.sol";

/// @title What reports bring about at random: standings, throttling, moves, energy
abstract contract ReportHandler is SupplyHandler, Reports {
    /// @dev How many moves were started; the campaign must see some.
    uint256 public movesStarted;

    function reportNode(uint8 pick, uint16 load, uint16 watts, uint16 renewable, uint8 lease) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (!_inMarket(n)) return;
        ITelemetry.Report memory r = _report(n.id, uint16(load % 10_001));
        r.watts = uint32(bound(watts, 0, n.powerMax));
        r.renewable = renewable % 3 == 0 && r.watts != 0;
        r.latency = uint16(pick) * 2;
        _post(r);
        IEnergyLedger.EnergyReport memory e = energyOf(n.id);
        (e.period, e.joules, e.method) = (1, r.watts, 1 + (pick % 3));
        e.renewableJoules = r.renewable ? e.joules : uint40(bound(renewable, 0, e.joules));
        uint32 count = leases.leaseCount();
        for (uint32 i; i < count; ++i) {
            uint32 id = uint32(1 + ((lease + i) % count));
            ILeaseRegistry.Lease memory held = leases.lease(id);
            if (held.nodeId != n.id || held.status != ILeaseRegistry.LeaseStatus.Active) continue;
            e = withShare(e, id, e.joules / 2);
            e.idleUnitSeconds = lease % 2;
            break;
        }
        reportEnergy(e);
    }

    function setProfile(uint8 pick, uint16 threshold) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.id == 0) return;
        vm.prank(n.operator);
        nodes.setProfile(n.id, profileOf(threshold % 1_000, 1_000));
    }

    function prepayNode(uint8 pick, uint8 reports, uint16 fee) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.id == 0) return;
        fund(n.owner, 7 * 1_000 * MICRO);
        vm.prank(n.owner);
        telemetry.prepay(n.id, reports % 8, fee % 1_000);
    }

    function lapseNode(uint8 pick) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.id == 0 || !telemetry.silent(n.id)) return;
        if (telemetry.reportStateOf(n.id).counted || !n.ineligible) telemetry.lapse(n.id);
    }

    function throttleNode(uint8 pick) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.id == 0) return;
        ITelemetry.ReportState memory s = telemetry.reportStateOf(n.id);
        bool above = n.powerThreshold != 0 && s.watts > n.powerThreshold;
        if (s.throttled && !above) telemetry.unthrottle(n.id);
        else if (!s.throttled && above && s.previousWatts > n.powerThreshold) telemetry.throttle(n.id);
    }

    /// @dev The source reports what a move needs, and another node that it has room; the rest is for the contract to say.
    function moveUnits(uint8 pick, uint8 to, uint8 units) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        INodeRegistry.NodeView memory other = _pickNode(to);
        if (id == 0 || !_inMarket(other)) return;
        INodeRegistry.NodeView memory source = nodes.node(leases.lease(id).nodeId);
        if (!_inMarket(source) || source.id == other.id) return;
        _post(_report(source.id, 10_000));
        _post(_report(other.id, 0));
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        moves[0] = IBalancer.Move(id, uint24(bound(units, 1, leases.lease(id).count)));
        try balancer.move(moves) {
            ++movesStarted;
        } catch (bytes memory reason) {
            require(reason.length >= 4, "a refusal with its reason, no overflow");
            require(bytes4(reason) != 0x4e487b71, "no panic");
        }
    }

    function handOverLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Moving);
        if (id == 0) return;
        if (pick % 2 == 0) return release(id);
        uint256 due = leases.lease(id).due;
        if (block.timestamp <= due) vm.warp(due + 1);
        leases.handOver(id);
    }

    function deliverMoving(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Moving);
        if (id != 0 && pick % 3 == 0 && _inTime(id)) deliver(id);
    }

    function creditLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Paid);
        if (id == 0) return;
        IEnergyLedger.LeaseEnergy memory energy = ledger.leaseEnergyOf(id);
        if (energy.reported && !energy.credited) ledger.credit(ids32(id));
    }

    /// @dev A report of the second that has just passed.
    function _report(uint32 nodeId, uint16 load) private returns (ITelemetry.Report memory r) {
        vm.warp(block.timestamp + 1);
        r = reportOf(nodeId, load);
        r.watts = 0;
    }

    function _post(ITelemetry.Report memory r) private {
        require(post(signed(r)) == 1, "a good report is taken");
    }

    function _inMarket(INodeRegistry.NodeView memory n) private pure returns (bool) {
        return n.status == ISupply.NodeStatus.Active || n.status == ISupply.NodeStatus.Draining;
    }
}
