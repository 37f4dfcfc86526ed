// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RoundBudget} from "../../../contracts/core/tasks/RoundBudget.sol";
import {MAX_ROUND_CLASSES, MAX_TASK_CLASSES} from "../../../contracts/types/Units.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";
import {Post} from "../support/Post.sol";
import {Reference} from "../support/Reference.sol";

/// @title A griefer makes the round that opens next as dear to settle as it can
/// @dev A round that needs more gas than a transaction may have could not be settled: after its time-out it would go back
/// to the front of the queue, as the next round, for ever. What counts is the gas limit, not what is left after refunds.
contract SettleGasTest is Fixture {
    uint8 private constant FIRST = 4;
    uint256 private constant TICK = 5;
    /// @dev Share of a transaction's gas that the dearest settlement leaves, per cent.
    uint256 private constant MARGIN = 5;

    /// @dev Classes that each task accepts; one task in `groups` names the same ones, of which the first serves it.
    uint256 private accepts;
    uint256 private groups;

    /// hardhat-config: isolate = true
    function test_DearestSettlement() public {
        _settle("16 tasks of 16 classes, 64 classes", 16, MAX_TASK_CLASSES, MAX_ROUND_CLASSES / MAX_TASK_CLASSES, 13);
    }

    /// hardhat-config: isolate = true
    function test_OneTask() public {
        _settle("one task of 16 classes", 1, MAX_TASK_CLASSES, 1, 260);
    }

    /// hardhat-config: isolate = true
    function test_ManyTasks() public {
        _settle("tasks of one unit and one class", 112, 1, 1, 1);
    }

    /// hardhat-config: isolate = true
    function test_ManyTasksOfManyClasses() public {
        _settle("tasks of one unit, 64 classes", 90, 1, MAX_ROUND_CLASSES, 1);
    }

    /// hardhat-config: isolate = true
    function test_TasksOfAFewUnits() public {
        _settle("tasks of four units and four classes, 64 classes", 42, 4, MAX_ROUND_CLASSES / 4, 4);
    }

    /// @notice All at once: each unit was leased, alone, and given back, but for one of each task; each lease goes to a node
    /// of its own, and each place that it leaves is filled by another node. Once the seed is known the developers have the
    /// last units given back and cancel, so that settling refunds each of them and ends each task.
    function _settle(string memory name, uint256 count, uint256 accepts_, uint256 groups_, uint256 each) private {
        (accepts, groups) = (accepts_, groups_);
        setParam(Param.SeedPrice, 20_000);
        setParam(Param.RoundMaxTasks, parameters.bounded(Param.RoundMaxTasks).max);
        setParam(Param.RoundMaxUnits, parameters.bounded(Param.RoundMaxUnits).max);
        uint256 classes = accepts * groups;
        _addClasses(classes);
        uint256 units = each + 1;
        for (uint256 i; i < 3 * count * units; ++i) register(alice, uint8(FIRST + accepts * (i % groups)), 1, TICK);
        for (uint256 i; i < classes; ++i) register(alice, uint8(FIRST + i), 1, 4_095);
        for (uint256 i; i < count; ++i) _submit(_developer(i), uint32(units), i);

        uint32[] memory kept = _leaseAll(count, units);
        openRound();
        IRoundManager.RoundView memory round = rounds.current();
        fulfil(7);
        bytes memory post = _post();
        uint256 granted;
        for (uint256 i; i < round.demands.length; ++i) {
            uint32 taskId = round.demands[i].taskId;
            granted += round.demands[i].units;
            release(kept[taskId]);
            vm.prank(_developer(taskId - 1));
            tasks.cancel(taskId);
        }
        uint32 before = leases.leaseCount();
        uint256 intrinsic = 21_000 + 16 * (post.length + 100);
        vm.prank(makeAddr("someone new"));
        rounds.settle{gas: ((GAS_CAP - intrinsic) * (100 - MARGIN)) / 100}(round.id, post);
        uint256 used = intrinsic + vm.lastCallGas().gasTotalUsed;
        emit log_named_uint(string.concat(name, ": tasks"), round.demands.length);
        emit log_named_uint("leases", granted);
        emit log_named_uint("gas of the dearest settlement", used);
        assertStatus(round.id, IRoundManager.RoundStatus.Settled);
        assertEq(leases.leaseCount() - before, granted);
        assertLe(used, RoundBudget.SETTLING, "what was reckoned");
        assertGe(used, (RoundBudget.SETTLING * 3) / 4, "little is left unused");
    }

    /// @dev Leases all units of all tasks, and gives all of them back but for the first of each task.
    function _leaseAll(uint256 count, uint256 units) private returns (uint32[] memory kept) {
        while (leases.leaseCount() < units * count) {
            openRound();
            fulfil(leases.leaseCount() + 1);
            settle(_post());
        }
        kept = new uint32[](count + 1);
        for (uint32 i = 1; i <= units * count; ++i) {
            uint32 taskId = leases.lease(i).taskId;
            if (kept[taskId] == 0) kept[taskId] = i;
            else release(i);
        }
    }

    function _developer(uint256 i) private returns (address) {
        return makeAddr(string.concat("developer ", vm.toString(i)));
    }

    /// @notice Tasks of more classes than a round may have: those that come too late are first in the next one.
    function test_ClassesOfARound() public {
        accepts = MAX_TASK_CLASSES;
        groups = MAX_ROUND_CLASSES / MAX_TASK_CLASSES + 1;
        _addClasses(MAX_ROUND_CLASSES + MAX_TASK_CLASSES);
        for (uint256 i; i < groups; ++i) register(alice, uint8(FIRST + MAX_TASK_CLASSES * i), 1, TICK);
        for (uint256 i; i < groups; ++i) _submit(bob, 1, i);
        submit(bob, 1, 1_000_000, FIRST);
        openRound();
        assertEq(rounds.current().demands.length, groups - 1);
        assertEq(lens.queuePage(0, 9)[0], groups);
        fulfil(1);
        settle(_post());
        openRound();
        assertEq(rounds.current().demands[0].taskId, groups);
    }

    function _addClasses(uint256 count) private {
        ISupply.Class[] memory added = new ISupply.Class[](count);
        for (uint256 i; i < count; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1_000);
        supply.addClasses(added);
    }

    /// @dev Each task is served by the first of its classes; the others list a unit that is too dear for it.
    function _post() private view returns (bytes memory) {
        Reference.Instance memory p = instance();
        Reference.Solution memory s;
        s.clearing = new uint256[](p.classes.length);
        for (uint256 k; k < p.classes.length; ++k) {
            bool serves = (p.classes[k].id - FIRST) % accepts == 0;
            s.clearing[k] = (serves ? TICK : 4_095) * 1_000 * 1024;
        }
        s.flows = new uint256[][](p.tasks.length);
        for (uint256 t; t < p.tasks.length; ++t) {
            s.flows[t] = new uint256[](accepts);
            s.flows[t][0] = p.tasks[t].demand;
        }
        return Post.encode(p, s);
    }

    function _submit(address developer, uint32 units, uint256 salt) private {
        uint8[] memory ids = new uint8[](accepts);
        uint256[] memory surcharges = new uint256[](accepts);
        for (uint256 i; i < accepts; ++i) {
            ids[i] = uint8(FIRST + (salt % groups) * accepts + i);
            surcharges[i] = i * 10 * MICRO;
        }
        ITaskRegistry.Submission memory s = submission(units, 1_000_000, ids);
        s.surcharges = surcharges;
        submit(developer, s);
    }
}
