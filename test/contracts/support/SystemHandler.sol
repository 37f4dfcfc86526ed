// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ReportHandler} from "./ReportHandler.sol";

/// @title What everybody does at random: contributors, developers, keepers, oracle, arbiter
abstract contract SystemHandler is ReportHandler {
    uint256 private constant MOST_TASKS = 12;

    constructor(Contracts memory c) {
        attach(c);
    }

    function submit(uint8 owner, uint8 units, uint16 price, uint8 set, uint8 extra) external {
        if (tasks.taskCount() == MOST_TASKS) return;
        set = 1 + (set % 7);
        uint8[] memory classIds = new uint8[]((set & 1) + ((set >> 1) & 1) + (set >> 2));
        uint256 count;
        for (uint8 k; k < 3; ++k) if ((set >> k) & 1 == 1) classIds[count++] = k;
        ITaskRegistry.Submission memory s = submission(1 + (units % 12), 1 + (price % 9_000), classIds);
        if (extra % 2 == 0) {
            s.surcharges = new uint256[](count);
            s.surcharges[extra % count] = uint256(extra) * MICRO;
        }
        if (extra % 8 == 7) s.deadline = uint40(block.timestamp + 120);
        submit(_developer(owner), s);
    }

    function cancel(uint8 pick) external {
        uint32 count = tasks.taskCount();
        if (count == 0 || pick % 3 != 0) return;
        ITaskRegistry.TaskView memory t = tasks.task(uint32(1 + (pick % count)));
        if (t.status != ITaskRegistry.TaskStatus.Open) return;
        vm.prank(t.owner);
        tasks.cancel(t.id);
    }

    function close(uint8 pick) external {
        uint32 count = tasks.taskCount();
        if (count == 0) return;
        ITaskRegistry.TaskView memory t = tasks.task(uint32(1 + (pick % count)));
        if (t.status != ITaskRegistry.TaskStatus.Open || block.timestamp <= t.deadline) return;
        tasks.close(t.id);
    }

    function park(uint8 maximum) external {
        tasks.park(maximum % 4);
    }

    /// @dev By somebody, or by its owner.
    function enqueue(uint8 pick) external {
        if (tasks.parkedCount() == 0) return;
        uint32 taskId = lens.parkedPage(pick % tasks.parkedCount(), 1)[0];
        bool own = pick % 2 == 0;
        if (!servable(taskId)) return;
        uint256 needed = (param(Param.SubmissionFee) + param(Param.SeedPrice)) * MICRO;
        if (!own && tasks.task(taskId).roundDeposit < needed) return;
        vm.prank(own ? tasks.task(taskId).owner : keeper);
        tasks.enqueue(ids32(taskId));
    }

    function fundRounds(uint8 pick, uint64 amount) external {
        uint32 count = tasks.taskCount();
        if (count == 0) return;
        uint32 taskId = uint32(1 + (pick % count));
        if (tasks.task(taskId).status != ITaskRegistry.TaskStatus.Open) return;
        fund(_developer(pick), amount);
        vm.prank(_developer(pick));
        tasks.fundRounds(taskId, amount);
    }

    /// @dev The next step of a round or a batch, or the next few, so that other actions fall between any two steps.
    function advance(uint256 word) external {
        for (uint256 steps = 1 + (word % 3); steps != 0; --steps) {
            IRoundManager.RoundStatus status = rounds.current().status;
            IReassignment.BatchStatus batch = reassignment.current().status;
            if (batch == IReassignment.BatchStatus.Seeding) {
                fulfilBatch(word);
            } else if (batch == IReassignment.BatchStatus.Drawing) {
                reassignment.draw(1 + (word % 3));
            } else if (status == IRoundManager.RoundStatus.Seeding) {
                fulfil(word);
            } else if (status == IRoundManager.RoundStatus.Settling) {
                settle(optimalPost());
            } else if (orphanCount() != 0 && (reassignment.hasTurn() || word % 2 == 0)) {
                supply.syncPending(type(uint256).max);
                openBatch();
            } else if (_anythingToAllocate()) {
                openRound();
            }
        }
    }

    function abort(uint8 chance) external {
        IRoundManager.RoundStatus status = rounds.current().status;
        bool open = status == IRoundManager.RoundStatus.Seeding || status == IRoundManager.RoundStatus.Settling;
        IReassignment.BatchStatus batch = reassignment.current().status;
        bool drawing = batch == IReassignment.BatchStatus.Seeding || batch == IReassignment.BatchStatus.Drawing;
        if (!(open || drawing) || chance % 8 != 0) return;
        vm.warp(block.timestamp + 200);
        if (open) rounds.abort();
        else reassignment.abort();
    }

    function acceptLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Delivered);
        if (id == 0) id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Disputed);
        if (id == 0) return;
        ILeaseRegistry.Lease memory held = leases.lease(id);
        bool early = held.status == ILeaseRegistry.LeaseStatus.Delivered && pick % 2 == 0;
        if (!early && block.timestamp <= held.due) vm.warp(uint256(held.due) + 1);
        (address developer, , , ) = tasks.termsOf(held.taskId);
        accept(early ? developer : keeper, id);
    }

    function disputeLease(uint8 pick) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Delivered);
        if (id != 0 && block.timestamp <= leases.lease(id).due) dispute(id);
    }

    function rule(uint8 pick, bool forNode) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Disputed);
        if (id == 0) return;
        ILeaseRegistry.Lease memory held = leases.lease(id);
        uint256 stake = vault.stakeOf(held.nodeId);
        vm.prank(arbiter);
        leases.rule(id, forNode);
        _noteExcess(held, stake);
    }

    function claim(uint8 pick) external {
        address who = accounts()[pick % 7];
        if (vault.claimable(who) == 0) return;
        vm.prank(who);
        vault.claim(keeper);
    }

    function donate(uint64 amount) external {
        ver.transfer(address(vault), amount);
        vault.absorbDonations();
    }

    function setMoney(uint64 fee, uint64 slashBps, uint64 bounty, uint64 seedPrice) external {
        setParam(Param.SeedPrice, uint64(bound(seedPrice, 0, 100_000)));
        setParam(Param.FeeBps, uint64(bound(fee, 0, 1_000)));
        setParam(Param.SlashBps, uint64(bound(slashBps, 0, 10_000)));
        setParam(Param.RoundBounty, uint64(bound(bounty, 0, 1e8)));
    }

    function wait(uint16 time) external {
        vm.warp(block.timestamp + time);
    }

    /// @dev Everybody who can ever have something to claim.
    function accounts() public returns (address[7] memory) {
        return [contributor(0), contributor(1), contributor(2), _developer(0), _developer(1), keeper, arbiter];
    }

    function _developer(uint256 pick) private returns (address) {
        return makeAddr(pick % 2 == 0 ? "developer a" : "developer b");
    }

    /// @dev Whether a round may be opened and would find a task: it must not revert then.
    function _anythingToAllocate() private returns (bool) {
        // Until then a batch of moves may have its turn.
        vm.warp(Math.max(block.timestamp, rounds.nextOpening()));
        if (reassignment.hasTurn()) return false;
        supply.syncPending(type(uint256).max);
        uint32[] memory queue = lens.queuePage(0, type(uint32).max);
        for (uint256 i; i < queue.length; ++i) if (servable(queue[i])) return true;
        return false;
    }
}
