// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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

    uint256 private mostTasks;
    uint256 private mostUnits;
    /// @dev One task in this many names the same classes: the first group's first class serves it.
    uint256 private groups;

    /// @notice All at once: as many tasks, units and classes as the hard bounds allow; each unit was leased, alone, and
    /// given back, but for one of each task; each lease goes to a node of its own, and each place that it leaves is filled by
    /// another node. Once the seed is known the developers have the last units given back and cancel, so that settling
    /// refunds each of them and ends each task.
    /// hardhat-config: isolate = true
    function test_DearestSettlement() public {
        mostTasks = parameters.bounded(Param.RoundMaxTasks).max;
        mostUnits = parameters.bounded(Param.RoundMaxUnits).max;
        setParam(Param.RoundMaxTasks, uint64(mostTasks));
        setParam(Param.RoundMaxUnits, uint64(mostUnits));
        uint256 classes = MAX_ROUND_CLASSES;
        _addClasses(classes);
        for (uint256 i; i < 3 * mostUnits; ++i) {
            register(alice, uint8(FIRST + MAX_TASK_CLASSES * (i % groups)), 1, TICK);
        }
        for (uint256 i; i < classes; ++i) register(alice, uint8(FIRST + i), 1, 4_095);
        uint256 units = mostUnits / mostTasks + 1;
        for (uint256 i; i < mostTasks; ++i) _submit(_developer(i), uint32(units), i);

        uint32[] memory kept = _leaseAll(units);
        openRound();
        assertEq(rounds.current().demands.length, mostTasks);
        fulfil(7);
        bytes memory post = _post();
        for (uint32 i = 1; i <= mostTasks; ++i) {
            release(kept[i]);
            vm.prank(_developer(i - 1));
            tasks.cancel(i);
        }
        uint32 roundId = rounds.current().id;
        uint32 before = leases.leaseCount();
        uint256 intrinsic = 21_000 + 16 * (post.length + 100);
        vm.prank(makeAddr("someone new"));
        rounds.settle{gas: ((GAS_CAP - intrinsic) * (100 - MARGIN)) / 100}(roundId, post);
        emit log_named_uint("gas of the dearest settlement", intrinsic + vm.lastCallGas().gasTotalUsed);
        assertStatus(roundId, IRoundManager.RoundStatus.Settled);
        assertEq(leases.leaseCount() - before, mostUnits);
    }

    /// @dev Leases all units of all tasks, and gives all of them back but for the first of each task.
    function _leaseAll(uint256 units) private returns (uint32[] memory kept) {
        while (leases.leaseCount() < units * mostTasks) {
            openRound();
            fulfil(leases.leaseCount() + 1);
            settle(_post());
        }
        kept = new uint32[](mostTasks + 1);
        for (uint32 i = 1; i <= units * mostTasks; ++i) {
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
        _addClasses(MAX_ROUND_CLASSES + MAX_TASK_CLASSES);
        for (uint256 i; i < groups; ++i) register(alice, uint8(FIRST + MAX_TASK_CLASSES * i), 1, TICK);
        for (uint256 i; i < groups; ++i) _submit(bob, 1, i);
        submit(bob, 1, 1_000_000, FIRST);
        openRound();
        assertEq(rounds.current().demands.length, groups - 1);
        assertEq(tasks.queuePage(0, 9)[0], groups);
        fulfil(1);
        settle(_post());
        openRound();
        assertEq(rounds.current().demands[0].taskId, groups);
    }

    function _addClasses(uint256 count) private {
        ISupply.Class[] memory added = new ISupply.Class[](count);
        for (uint256 i; i < count; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1_000);
        supply.addClasses(added);
        groups = count / MAX_TASK_CLASSES;
    }

    /// @dev Each task is served by the first of its classes; the others list a unit that is too dear for it.
    function _post() private view returns (bytes memory) {
        Reference.Instance memory p = instance();
        Reference.Solution memory s;
        s.clearing = new uint256[](p.classes.length);
        for (uint256 k; k < p.classes.length; ++k) {
            bool serves = (p.classes[k].id - FIRST) % MAX_TASK_CLASSES == 0;
            s.clearing[k] = (serves ? TICK : 4_095) * 1_000 * 1024;
        }
        s.flows = new uint256[][](p.tasks.length);
        for (uint256 t; t < p.tasks.length; ++t) {
            s.flows[t] = new uint256[](MAX_TASK_CLASSES);
            s.flows[t][0] = p.tasks[t].demand;
        }
        return Post.encode(p, s);
    }

    function _submit(address developer, uint32 units, uint256 salt) private {
        uint8[] memory ids = new uint8[](MAX_TASK_CLASSES);
        uint256[] memory surcharges = new uint256[](MAX_TASK_CLASSES);
        for (uint256 i; i < MAX_TASK_CLASSES; ++i) {
            ids[i] = uint8(FIRST + (salt % groups) * MAX_TASK_CLASSES + i);
            surcharges[i] = i * 10 * MICRO;
        }
        ITaskRegistry.Submission memory s = submission(units, 1_000_000, ids);
        s.surcharges = surcharges;
        submit(developer, s);
    }
}
