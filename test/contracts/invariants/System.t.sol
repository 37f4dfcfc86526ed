// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {IReleaseFees} from "../../../contracts/interfaces/IReleaseFees.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IWorkShares} from "../../../contracts/core/interfaces/IWorkShares.sol";
import {StdInvariant} from "forge-std/StdInvariant.sol";
import {Fixture} from "../support/Fixture.sol";
import {ReportHandler} from "../support/ReportHandler.sol";
import {Sums} from "../support/Sums.sol";
import {SupplyHandler} from "../support/SupplyHandler.sol";
import {Ending} from "../support/Ending.sol";
import {ForbiddenHandler} from "../support/ForbiddenHandler.sol";
import {SystemHandler} from "../support/SystemHandler.sol";

/// @dev Stands here, and not where it is written, for the fuzzer only calls contracts of the test's own file.
contract Everybody is Ending {
    constructor(Contracts memory c) SystemHandler(c) {}
}

/// @title What holds at any time, whatever everybody does
contract SystemInvariants is Fixture, Sums, StdInvariant {
    Ending private handler;

    function setUp() public override {
        super.setUp();
        handler = new Everybody(contracts());
        manager.grantRole(ROLE_PARAMETERS, address(handler), 0);
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](2);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(12_600, 213_020));
        settings[1] = IEnergyLedger.ClassSetting(GPU_EU, IEnergyLedger.ClassEnergy(3_488_400, 213_020));
        ledger.setClassEnergies(settings);
        ver.transfer(address(handler), ver.balanceOf(address(this)));
        // Few, so that ranges are also given up.
        setParam(Param.MaxReassignments, 4);
        setParam(Param.SeedPrice, 20_000);
        // As on chains, but for a shorter bar, or little would be leased again.
        chargeReleases();
        setParam(Param.ReleaseBar, 10);
        for (uint8 i; i < 6; ++i) handler.register(i / 2, i, 3 + i, i);
        for (uint8 i; i < 4; ++i) handler.submit(i, 7 + i, 6_000, 6, i);
        // A round is settled and another one waits for its seed: every campaign starts amid the life of leases.
        handler.advance(2);
        handler.releaseLease(0);
        assertGt(handler.heldFees(leases.lease(1).taskId), 0, "a fee");
        handler.register(2, 0, 7, 0);
        handler.submit(0, 5, 8_000, 0, 1);
        handler.advance(0);
        assertGt(leases.leaseCount(), 0);
        assertTrue(supply.frozen(), "a round");
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), _selectors()));
    }

    /// @dev One campaign for all of them: a state that is hard to reach is checked for everything.
    function invariant_System() public {
        _listings();
        INodeRegistry.NodeView[] memory ns = nodes.nodePage(1, nodes.nodeCount());
        ILeaseRegistry.LeaseView[] memory ls = new ILeaseRegistry.LeaseView[](leases.leaseCount());
        for (uint32 i; i < ls.length; ++i) {
            ls[i] = ILeaseRegistry.LeaseView(i + 1, leases.lease(i + 1), leases.result(i + 1));
        }
        ITaskRegistry.TaskView[] memory ts = new ITaskRegistry.TaskView[](tasks.taskCount());
        for (uint32 i; i < ts.length; ++i) ts[i] = tasks.task(i + 1);
        _capacity(ns, ls);
        _listings(ns);
        _active(ns);
        _atRisk(ns, ls);
        _fences(ls);
        uint256 withFees;
        for (uint256 i; i < ts.length; ++i) {
            _units(ts[i], ls);
            if (_releaseFees(ts[i].id)) ++withFees;
        }
        assertEq(releaseFees.heldCount(), withFees, "tasks with release fees");
        _lines(ts, ls);
        _queue(ts);
        _reports(ns.length);
        _energies(ns.length, ts.length);
        _records(ns);
    }

    /// @dev From wherever a campaign has come to, anyone ends everything, and everybody gets what is theirs.
    function afterInvariant() public {
        handler.endAll();
        handler.leaveAll();
        _listings();
        INodeRegistry.NodeView[] memory ns = nodes.nodePage(1, nodes.nodeCount());
        _listings(ns);
        for (uint256 i; i < ns.length; ++i) {
            assertEq(ns[i].leased + ns[i].undecided + ns[i].listedUnits, 0, "units of a node that has left");
        }
        assertFalse(supply.frozen(), "frozen for ever");
    }

    /// @dev The vault holds what it owes, and each total is the sum of its parts.
    function _listings() private {
        IVault.Totals memory b = vault.totals();
        assertEq(ver.balanceOf(address(vault)), b.escrow + b.stake + b.claimable + b.bountyPool, "balance");
        uint256 sum;
        for (uint32 i = 1; i <= tasks.taskCount(); ++i) sum += vault.escrowOf(i) + vault.feesOf(i);
        assertEq(sum, b.escrow, "escrow");
        sum = 0;
        for (uint32 i = 1; i <= nodes.nodeCount(); ++i) sum += vault.stakeOf(i);
        assertEq(sum, b.stake, "stake");
        sum = 0;
        address[7] memory accounts = handler.accounts();
        for (uint256 i; i < accounts.length; ++i) sum += vault.claimable(accounts[i]);
        uint256 prepaid;
        for (uint32 i = 1; i <= nodes.nodeCount(); ++i) {
            ITelemetry.ReportState memory s = telemetry.reportStateOf(i);
            prepaid += uint256(s.prepaid) * s.feeMicroVer * MICRO;
        }
        assertEq(vault.claimable(address(telemetry)), prepaid, "prepaid reports");
        assertEq(sum + prepaid, b.claimable, "claimable");
    }

    /// @dev Nobody is overbooked.
    function _capacity(INodeRegistry.NodeView[] memory ns, ILeaseRegistry.LeaseView[] memory ls) private pure {
        for (uint256 i; i < ns.length; ++i) {
            (uint256 leased, uint256 undecided) = (0, 0);
            for (uint256 j; j < ls.length; ++j) {
                ILeaseRegistry.Lease memory held = ls[j].lease;
                bool moving = held.status == ILeaseRegistry.LeaseStatus.Moving;
                if (held.nodeId != ns[i].id) continue;
                if (moving || held.status == ILeaseRegistry.LeaseStatus.Active) leased += held.count;
                bool waits =
                    held.status == ILeaseRegistry.LeaseStatus.Delivered ||
                        held.status == ILeaseRegistry.LeaseStatus.Disputed;
                if (waits) undecided += held.count;
            }
            assertEq(ns[i].leased, leased, "leased");
            assertEq(ns[i].undecided, undecided, "undecided");
            assertLe(leased + ns[i].listedUnits, ns[i].capacity, "capacity");
        }
    }

    /// @dev The trees hold just what is listed, and each tick's array has each place once.
    function _listings(INodeRegistry.NodeView[] memory ns) private view {
        for (uint8 k; k < 4; ++k) {
            for (uint16 tick; tick < 7; ++tick) {
                (uint256 units, uint256 count, uint256 places) = (0, 0, 0);
                for (uint256 i; i < ns.length; ++i) {
                    INodeRegistry.NodeView memory n = ns[i];
                    if (n.listedUnits == 0 || n.listedClassId != k || n.listedTick != tick) continue;
                    units += n.listedUnits;
                    places |= 1 << n.listedPosition;
                    ++count;
                }
                assertEq(supply.unitsBelow(k, tick + 1) - supply.unitsBelow(k, tick), units, "units at a tick");
                assertEq(places, (1 << count) - 1, "places");
            }
            assertEq(supply.unitsBelow(k, 4095), supply.unitsBelow(k, 6), "nothing elsewhere");
        }
        if (supply.frozen() || supply.pendingCount() != 0) return;
        for (uint256 i; i < ns.length; ++i) {
            bool out = ns[i].status != ISupply.NodeStatus.Active || ns[i].ineligible;
            if (out) assertEq(ns[i].listedUnits, 0, "inactive or ineligible");
        }
    }

    /// @dev Once brought up to date, a node is listed with just what its record says: its class, its ask, and the units that its
    /// capacity leaves and its stake covers. Comes last, for it changes listings.
    function _records(INodeRegistry.NodeView[] memory ns) private {
        if (supply.frozen()) return;
        supply.syncPending(type(uint256).max);
        uint256 perUnit = param(Param.StakePerUnit) * MICRO;
        for (uint256 i; i < ns.length; ++i) {
            uint32[] memory one = new uint32[](1);
            one[0] = ns[i].id;
            supply.sync(one);
            INodeRegistry.NodeView memory n = nodes.node(ns[i].id);
            (uint40 barredUntil, ) = supply.barOf(n.owner);
            bool out =
                n.status != ISupply.NodeStatus.Active ||
                    n.ineligible ||
                    block.timestamp < n.cooldownUntil ||
                    block.timestamp < barredUntil;
            // Asks of handlers are below a unit's stake.
            uint256 covered = n.stake / perUnit;
            uint256 backed = uint256(n.leased) + n.undecided;
            covered = covered > backed ? covered - backed : 0;
            uint256 free = n.capacity > n.leased ? n.capacity - n.leased : 0;
            assertEq(
                n.listedUnits,
                out
                    ? 0
                    : free < covered
                        ? free
                        : covered,
                "listed as its record says"
            );
            if (n.listedUnits == 0) continue;
            assertEq(n.listedClassId, n.classId, "class of a listing");
            assertEq(n.listedTick, n.askTick, "ask of a listing");
        }
    }

    /// @dev A node's stake pays for all of its leases' failing, but for what fees have taken of it. Where `StakePerUnit` has changed, it pays
    /// for the lowest that was asked for: a raise waits for no listing to be brought up to date.
    function _atRisk(INodeRegistry.NodeView[] memory ns, ILeaseRegistry.LeaseView[] memory ls) private view {
        bool changed = handler.stakeChanged();
        uint256 lowest = handler.LOWEST_STAKE();
        uint256[] memory risk = new uint256[](ns.length + 1);
        for (uint256 i; i < ls.length; ++i) {
            ILeaseRegistry.Lease memory held = ls[i].lease;
            if (!_live(held.status)) continue;
            (ILeaseRegistry.Draw memory draw, , ) = leases.drawOf(ls[i].id);
            uint256 penalty = changed && draw.minPenalty > lowest ? lowest : draw.minPenalty;
            uint256 unit = penalty > held.priceMicroVer ? penalty : held.priceMicroVer;
            risk[held.nodeId] += unit * held.count * MICRO;
        }
        for (uint32 id = 1; id <= ns.length; ++id) {
            uint256 taken = handler.feesTaken(id) + (changed ? handler.excess(id) : 0);
            assertGe(vault.stakeOf(id) + taken, risk[id], "stake covers what is at risk");
        }
    }

    /// @dev A range's fence grows whenever it changes hands, and its lineage is made of leases that are over.
    function _fences(ILeaseRegistry.LeaseView[] memory ls) private view {
        for (uint256 i; i < ls.length; ++i) {
            ILeaseRegistry.Lease memory held = ls[i].lease;
            assertGt(held.count, 0, "empty lease");
            assertLe(held.reassignments, param(Param.MaxReassignments), "hands");
            assertLe(held.fence, 64, "leases of a range");
            if (held.parent == 0) continue;
            ILeaseRegistry.Lease memory parent = ls[held.parent - 1].lease;
            assertLt(held.parent, ls[i].id, "parents come first");
            assertEq(held.fence, parent.fence + 1, "fence");
            assertEq(held.taskId, parent.taskId, "task");
            assertTrue(held.start >= parent.start && held.start + held.count <= parent.start + parent.count, "range");
            assertTrue(
                parent.status == ILeaseRegistry.LeaseStatus.Released ||
                    parent.status == ILeaseRegistry.LeaseStatus.Expired,
                "the parent is over"
            );
        }
    }

    /// @dev Each unit is in one place; the counts and the escrow say the same.
    function _units(ITaskRegistry.TaskView memory t, ILeaseRegistry.LeaseView[] memory ls) private view {
        assertEq(t.openUnits + t.leasedUnits + t.paidUnits + t.refundedUnits, t.units, "units");
        bool[] memory orphaned = _orphaned(ls.length);
        bool[] memory taken = new bool[](t.units);
        (uint256 live, uint256 paid, uint256 bonds) = (0, 0, 0);
        for (uint256 i; i < ls.length; ++i) {
            ILeaseRegistry.Lease memory held = ls[i].lease;
            if (held.taskId != t.id) continue;
            uint256 delivered = ls[i].result.deliveredAt;
            assertLe(delivered, t.deadline, "delivered after the deadline");
            if (held.status == ILeaseRegistry.LeaseStatus.Disputed) bonds += ls[i].result.bondMicroVer * MICRO;
            if (orphaned[i]) (held, , ) = leases.orphanOf(ls[i].id);
            if (held.status == ILeaseRegistry.LeaseStatus.Paid) paid += held.count;
            else if (_live(held.status) || orphaned[i]) live += held.count;
            else continue;
            _mark(taken, held.start, held.count);
        }
        assertEq(live, t.leasedUnits, "leased units");
        assertEq(paid, t.paidUnits, "paid units");

        uint256 fresh;
        if (t.status == ITaskRegistry.TaskStatus.Open || t.inRound) {
            ITaskRegistry.OpenRange[] memory ranges = lens.reopenedRanges(t.id);
            uint256 reopened;
            for (uint256 i; i < ranges.length; ++i) {
                _mark(taken, ranges[i].start, ranges[i].count);
                reopened += ranges[i].count;
            }
            assertLe(reopened, t.openUnits, "reopened");
            // Fresh units are the last ones, and nobody has had them.
            fresh = t.openUnits - reopened;
            _mark(taken, t.units - fresh, fresh);
        }
        if (t.status == ITaskRegistry.TaskStatus.Ended) {
            assertEq(t.escrow, 0, "escrow of an ended task");
            assertEq(t.openUnits + t.leasedUnits, 0, "units of an ended task");
        } else {
            // Half of the fee of units that were leased before has gone to the pool.
            uint256 half = (t.maxPrice * t.feeBps) / 20_000;
            uint256 reserved =
                (t.openUnits + t.leasedUnits) * (t.maxPrice + half) + fresh * half + t.roundDeposit + bonds;
            assertGe(t.escrow, reserved, "escrow covers what may be paid");
        }
    }

    /// @dev Leases whose range waits for a batch, or for its turn in the open one: each of them once, and expired or moved.
    function _orphaned(uint256 count) private view returns (bool[] memory orphaned) {
        orphaned = new bool[](count);
        uint32[] memory waiting = reassignment.orphanPage(0, type(uint256).max);
        for (uint256 i; i < waiting.length; ++i) _orphan(orphaned, waiting[i]);
        IReassignment.BatchView memory b = reassignment.current();
        bool open = b.status == IReassignment.BatchStatus.Seeding || b.status == IReassignment.BatchStatus.Drawing;
        assertLe(b.leaseIds.length, 32, "batch");
        for (uint256 i = b.drawn; open && i < b.leaseIds.length; ++i) _orphan(orphaned, b.leaseIds[i]);
    }

    function _orphan(bool[] memory orphaned, uint32 leaseId) private view {
        assertFalse(orphaned[leaseId - 1], "an orphan in two places");
        (ILeaseRegistry.Lease memory range, bool moved, ) = leases.orphanOf(leaseId);
        assertGt(range.count, 0, "units of an orphan");
        assertStatus(leaseId, moved ? ILeaseRegistry.LeaseStatus.Released : ILeaseRegistry.LeaseStatus.Expired);
        orphaned[leaseId - 1] = true;
    }

    /// @dev The vault holds under a task what giving its leases back took, until it is distributed; shares are in whole micro-VER.
    function _releaseFees(uint32 taskId) private view returns (bool any) {
        uint256 fees = vault.feesOf(taskId);
        assertEq(fees, handler.heldFees(taskId), "release fees");
        IReleaseFees.HeldFees memory held = releaseFees.heldOf(taskId);
        uint256 shares = (uint256(held.roundShare) + held.taskShare) * MICRO;
        assertLe(shares, fees, "shares of release fees");
        // A stake that was too low for a whole fee left less than a micro-VER of it over.
        assertLe(fees - shares, uint256(leases.leaseCount()) * (MICRO - 1), "fees that are nobody's share");
        any = held.owners != 0;
        if (!any) assertEq(fees, 0, "fees that nobody paid");
        else assertEq(releaseFees.heldPage(held.place, 1)[0], taskId, "where keepers find them");
    }

    /// @dev What was delivered at the end of a line of leases costs its task no more than its maximum price.
    function _lines(ITaskRegistry.TaskView[] memory ts, ILeaseRegistry.LeaseView[] memory ls) private view {
        for (uint256 i; i < ls.length; ++i) {
            ILeaseRegistry.Lease memory held = ls[i].lease;
            bool delivered =
                held.status == ILeaseRegistry.LeaseStatus.Delivered ||
                    held.status == ILeaseRegistry.LeaseStatus.Disputed ||
                    held.status == ILeaseRegistry.LeaseStatus.Paid;
            if (held.parent == 0 || !delivered) continue;
            IWorkShares.Share[] memory shares = checkpoints.sharesOf(ls[i].id);
            (uint256 work, uint256 owed) = (0, 0);
            for (uint256 j; j < shares.length; ++j) {
                work += shares[j].work;
                owed += shares[j].work * shares[j].priceMicroVer;
            }
            uint256 whole = uint256(held.count) * 10_000;
            assertLe(work, whole, "more work than the units are");
            owed += (whole - work) * held.priceMicroVer;
            assertLe(owed * MICRO, ts[held.taskId - 1].maxPrice * whole, "more than the units' price");
        }
    }

    function _active(INodeRegistry.NodeView[] memory ns) private view {
        uint256 active;
        for (uint256 i; i < ns.length; ++i) if (ns[i].status == ISupply.NodeStatus.Active) ++active;
        assertEq(holderPool.activeNodes(), active, "active nodes");
    }

    function _live(ILeaseRegistry.LeaseStatus status) private pure returns (bool) {
        return status <= ILeaseRegistry.LeaseStatus.Disputed || status == ILeaseRegistry.LeaseStatus.Moving;
    }

    function _mark(bool[] memory taken, uint256 start, uint256 count) private pure {
        for (uint256 i = start; i < start + count; ++i) {
            assertFalse(taken[i], "a unit in two places");
            taken[i] = true;
        }
    }

    /// @dev Each task stands in the queue or is parked at most once, and whatever has open units stands somewhere.
    function _queue(ITaskRegistry.TaskView[] memory ts) private view {
        uint256 parked;
        uint32[] memory list = lens.parkedPage(0, type(uint32).max);
        assertEq(list.length, tasks.parkedCount(), "parked");
        for (uint256 i; i < list.length; ++i) {
            assertEq(parked & (1 << list[i]), 0, "parked twice");
            parked |= 1 << list[i];
        }
        uint256 seen;
        uint32[] memory queue = lens.queuePage(0, type(uint32).max);
        for (uint256 i; i < queue.length; ++i) {
            assertEq(seen & (1 << queue[i]), 0, "twice in the queue");
            seen |= 1 << queue[i];
        }
        IRoundManager.RoundView memory r = rounds.current();
        bool open = r.status == IRoundManager.RoundStatus.Seeding || r.status == IRoundManager.RoundStatus.Settling;
        IReassignment.BatchStatus batch = reassignment.current().status;
        bool drawing = batch == IReassignment.BatchStatus.Seeding || batch == IReassignment.BatchStatus.Drawing;
        assertFalse(open && drawing, "rounds and batches exclude one another");
        assertEq(supply.frozen(), open || drawing, "frozen while a round or a batch is open");
        uint256 inRound;
        for (uint256 i; open && i < r.demands.length; ++i) inRound |= 1 << r.demands[i].taskId;
        for (uint256 i; i < ts.length; ++i) {
            bool queued = seen & (1 << ts[i].id) != 0;
            bool dealt = inRound & (1 << ts[i].id) != 0;
            assertEq(ts[i].queued, queued, "queued");
            assertEq(ts[i].inRound, dealt, "in the round");
            assertFalse(queued && dealt, "queued and in the round");
            assertEq(ts[i].parked, parked & (1 << ts[i].id) != 0, "parked");
            assertFalse(ts[i].parked && (queued || dealt), "parked and elsewhere");
            bool waits = ts[i].status == ITaskRegistry.TaskStatus.Open && ts[i].openUnits != 0;
            assertTrue(!waits || queued || dealt || ts[i].parked, "a task that nobody finds again");
            assertTrue(waits || !ts[i].parked, "parked without a reason");
        }
    }

    function _selectors() private pure returns (bytes4[] memory s) {
        s = new bytes4[](48);
        s[47] = ForbiddenHandler.look.selector;
        s[46] = ForbiddenHandler.forbiddenClaim.selector;
        s[39] = ForbiddenHandler.forbiddenLease.selector;
        s[40] = ForbiddenHandler.forbiddenLeaseState.selector;
        s[41] = ForbiddenHandler.forbiddenProgress.selector;
        s[42] = ForbiddenHandler.forbiddenNode.selector;
        s[43] = ForbiddenHandler.forbiddenTask.selector;
        s[44] = ForbiddenHandler.forbiddenRound.selector;
        s[45] = ForbiddenHandler.forbiddenModule.selector;
        s[0] = SupplyHandler.register.selector;
        s[1] = SupplyHandler.setTerms.selector;
        s[2] = SupplyHandler.addStake.selector;
        s[3] = SupplyHandler.drainOrResume.selector;
        s[4] = SupplyHandler.leave.selector;
        s[5] = SupplyHandler.sync.selector;
        s[6] = SupplyHandler.setStakePerUnit.selector;
        s[7] = SupplyHandler.checkpointLease.selector;
        s[8] = SupplyHandler.deliverLease.selector;
        s[9] = SupplyHandler.releaseLease.selector;
        s[10] = SupplyHandler.expireLease.selector;
        s[11] = SystemHandler.submit.selector;
        s[12] = SystemHandler.cancel.selector;
        s[13] = SystemHandler.close.selector;
        s[14] = SystemHandler.park.selector;
        s[15] = SystemHandler.advance.selector;
        // Twice: rounds come up more often than anything else.
        s[16] = SystemHandler.advance.selector;
        s[17] = SystemHandler.abort.selector;
        s[18] = SystemHandler.acceptLease.selector;
        s[19] = SystemHandler.disputeLease.selector;
        s[20] = SystemHandler.rule.selector;
        s[21] = SystemHandler.claim.selector;
        s[22] = SystemHandler.donate.selector;
        s[23] = SystemHandler.setMoney.selector;
        s[24] = SystemHandler.wait.selector;
        s[25] = ReportHandler.reportNode.selector;
        s[26] = ReportHandler.reportNode.selector;
        s[27] = ReportHandler.lapseNode.selector;
        s[28] = ReportHandler.throttleNode.selector;
        s[29] = ReportHandler.moveUnits.selector;
        s[30] = ReportHandler.moveUnits.selector;
        s[31] = ReportHandler.handOverLease.selector;
        s[32] = ReportHandler.deliverMoving.selector;
        s[33] = ReportHandler.creditLease.selector;
        s[38] = ReportHandler.prepayNode.selector;
        s[34] = ReportHandler.setProfile.selector;
        s[35] = SystemHandler.enqueue.selector;
        s[36] = SystemHandler.fundRounds.selector;
        s[37] = SupplyHandler.distribute.selector;
    }
}
