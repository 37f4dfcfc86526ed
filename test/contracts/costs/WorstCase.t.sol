// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {MAX_CLASSES} from "../../../contracts/types/Units.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {Post} from "../support/Post.sol";
import {Reference} from "../support/Reference.sol";

/// @title The largest rounds that the parameters' hard bounds allow must fit a transaction
contract WorstCaseTest is GasSnapshots {
    uint8 private constant FIRST = 4;
    uint256 private constant CLASSES = 16;
    uint256 private constant MOST_TASKS = 16;
    uint256 private constant MOST_UNITS = 192;
    /// @dev Listings that opening a round brings up to date itself.
    uint256 private constant PENDING = 16;

    function setUp() public override {
        super.setUp();
        ISupply.Class[] memory added = new ISupply.Class[](CLASSES);
        for (uint256 i; i < CLASSES; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1_000);
        supply.addClasses(added);
        setParam(Param.RoundMaxTasks, uint64(MOST_TASKS));
        setParam(Param.RoundMaxUnits, uint64(MOST_UNITS));
    }

    /// @notice A task of a unit, and behind it tasks that nothing serves, until the look at the next one is too dear: each
    /// with all the classes that it may name, as many of them new as there can be. And as many listings are brought up to
    /// date as opening a round does itself.
    /// hardhat-config: isolate = true
    function test_Open() public compared {
        uint256 groups = (MAX_CLASSES - FIRST) / CLASSES;
        ISupply.Class[] memory added = new ISupply.Class[]((groups - 1) * CLASSES);
        for (uint256 i; i < added.length; ++i) added[i] = ISupply.Class(bytes32(100 + i), 1_000);
        supply.addClasses(added);
        for (uint256 i; i < groups * CLASSES; ++i) register(alice, uint8(FIRST + i), 1, 2_000 + i);
        for (uint256 i; i < PENDING; ++i) register(alice, CPU_EU, 1, i);
        submit(bob, 1, 1_000_000, CPU_EU);
        openRound();
        fulfil(1);
        for (uint32 i; i < PENDING; ++i) {
            ISupply.Terms memory terms = termsOf(CPU_US, 1, 7 * i);
            vm.prank(alice);
            nodes.setTerms(uint32(groups * CLASSES) + 1 + i, terms);
        }
        settle(optimalPost());
        assertEq(supply.pendingCount(), PENDING);

        setParam(Param.RoundMaxTasks, parameters.bounded(Param.RoundMaxTasks).max);
        submit(bob, 1, 1_000_000, CPU_US);
        for (uint256 i; i < 100; ++i) _submit(FIRST + (i % groups) * CLASSES, 1, 1_000_000 + i, i);
        openRound();
        note("worst-case", "open: tasks of 16 classes parked, 16 listings pending");
        assertEq(rounds.current().demands.length, 1);
        assertGt(tasks.queueLength(), 0, "the look at the next one would be too dear");
        emit log_named_uint("tasks parked", tasks.parkedCount());
    }

    /// @notice As many tasks as a round can have, of a unit and a class each.
    /// hardhat-config: isolate = true
    function test_OpenManyTasks() public compared {
        setParam(Param.RoundMaxTasks, parameters.bounded(Param.RoundMaxTasks).max);
        for (uint256 i; i < 120; ++i) register(alice, uint8(FIRST + (i % CLASSES)), 1, 5);
        for (uint256 i; i < 120; ++i) submit(bob, 1, 1_000_000, uint8(FIRST + (i % CLASSES)));
        openRound();
        note("worst-case", "open: tasks of a unit and a class, 16 classes");
        emit log_named_uint("tasks in a round", rounds.current().demands.length);
        assertGt(rounds.current().demands.length, 90);
    }

    /// @notice As many leases as a round can hold, each of a node of its own that stands at the marginal tick.
    /// hardhat-config: isolate = true
    function test_Settle() public compared {
        for (uint256 i; i < MOST_UNITS + CLASSES; ++i) register(alice, uint8(FIRST + (i % CLASSES)), 1, 5);
        for (uint256 i; i < MOST_TASKS; ++i) _submit(FIRST, uint32(MOST_UNITS / MOST_TASKS), 1_000_000, i);
        openRound();
        fulfil(1);
        settle(_knownPost());
        note("worst-case", "settle: 16 tasks of 16 classes, 192 leases");
        assertEq(leases.leaseCount(), MOST_UNITS);
    }

    /// @dev Each class has one node more than its two tasks need, and is by far the cheapest for just these two.
    function _knownPost() private view returns (bytes memory) {
        Reference.Instance memory p = instance();
        Reference.Solution memory s;
        s.clearing = new uint256[](CLASSES);
        for (uint256 k; k < CLASSES; ++k) s.clearing[k] = 5 * 1_000 * 1024;
        s.flows = new uint256[][](MOST_TASKS);
        for (uint256 t; t < MOST_TASKS; ++t) {
            s.flows[t] = new uint256[](CLASSES);
            s.flows[t][t % CLASSES] = p.tasks[t].demand;
        }
        return Post.encode(p, s);
    }

    /// @dev A task that accepts sixteen classes and prefers one of them.
    function _submit(uint256 first, uint32 units, uint256 maxPrice, uint256 salt) private {
        uint8[] memory ids = new uint8[](CLASSES);
        uint256[] memory surcharges = new uint256[](CLASSES);
        for (uint256 i; i < CLASSES; ++i) {
            ids[i] = uint8(first + i);
            surcharges[i] = i == salt % CLASSES ? 0 : 10_000 * MICRO;
        }
        ITaskRegistry.Submission memory s = submission(units, maxPrice, ids);
        s.surcharges = surcharges;
        submit(bob, s);
    }
}
