// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
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

    /// @notice Twice as many tasks are looked at as fit, each with all the classes it may name, and as many listings are
    /// brought up to date as opening a round does itself.
    /// hardhat-config: isolate = true
    function test_Open() public compared {
        for (uint256 i; i < CLASSES; ++i) register(alice, uint8(FIRST + i), 1, 2_000 + i);
        for (uint256 i; i < PENDING; ++i) register(alice, CPU_EU, 1, i);
        submit(bob, 1, 1_000_000, CPU_EU);
        openRound();
        fulfil(1);
        for (uint32 i; i < PENDING; ++i) {
            ISupply.Terms memory terms = termsOf(CPU_US, 1, 7 * i);
            vm.prank(alice);
            nodes.setTerms(uint32(CLASSES) + 1 + i, terms);
        }
        settle(optimalPost());
        assertEq(supply.pendingCount(), PENDING);

        for (uint256 i; i < MOST_TASKS; ++i) _submit(1, 1_000_000 + i, i);
        for (uint256 i; i < MOST_TASKS; ++i) _submit(1, 2_015_000, i);
        openRound();
        note("worst-case", "open: 32 tasks of 16 classes looked at, 16 listings pending");
        assertEq(rounds.current().demands.length, MOST_TASKS);
    }

    /// @notice As many leases as a round can hold, each of a node of its own that stands at the marginal tick.
    /// hardhat-config: isolate = true
    function test_Settle() public compared {
        for (uint256 i; i < MOST_UNITS + CLASSES; ++i) register(alice, uint8(FIRST + (i % CLASSES)), 1, 5);
        for (uint256 i; i < MOST_TASKS; ++i) _submit(uint32(MOST_UNITS / MOST_TASKS), 1_000_000, i);
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
    function _submit(uint32 units, uint256 maxPrice, uint256 salt) private {
        uint8[] memory ids = new uint8[](CLASSES);
        uint256[] memory surcharges = new uint256[](CLASSES);
        for (uint256 i; i < CLASSES; ++i) {
            ids[i] = uint8(FIRST + i);
            surcharges[i] = i == salt % CLASSES ? 0 : 10_000 * MICRO;
        }
        ITaskRegistry.Submission memory s = submission(units, maxPrice, ids);
        s.surcharges = surcharges;
        submit(bob, s);
    }
}
