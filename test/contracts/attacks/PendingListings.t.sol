// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer makes listings wait to be brought up to date before the next round may open
contract PendingListingsTest is Fixture {
    uint8 private constant FIRST = 4;
    uint32 private constant NODES = 98;

    address private griefer = makeAddr("griefer");

    /// @notice The dearest change of terms, of as many nodes as made one step of upkeep dearer than a transaction, for ever: each
    /// to another class, tick and order of capacity. Now a step goes as far as its gas.
    /// hardhat-config: isolate = true
    function test_ChangedDuringAFreeze() public {
        ISupply.Class[] memory added = new ISupply.Class[](32);
        for (uint256 i; i < 32; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1_000);
        supply.addClasses(added);
        for (uint32 i; i < NODES; ++i) register(griefer, uint8(FIRST + (i % 16)), 2, 4_000 - 40 * i);
        register(alice, CPU_EU, 8, 10);
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        uint256 spent;
        for (uint32 i; i < NODES; ++i) {
            fund(griefer, stakeFor(2));
            vm.startPrank(griefer);
            nodes.addStake(i + 1, stakeFor(2));
            spent += vm.lastCallGas().gasTotalUsed;
            ISupply.Terms memory terms = termsOf(uint8(FIRST + 16 + (i % 16)), 4, 40 * i);
            nodes.setTerms(i + 1, terms);
            spent += vm.lastCallGas().gasTotalUsed;
            vm.stopPrank();
        }
        vm.warp(block.timestamp + 1 days);
        rounds.abort();
        assertEq(supply.pendingCount(), NODES);
        uint256 steps;
        uint256 gas_;
        for (uint256 left = NODES; left != 0; ++steps) {
            left = supply.syncPending{gas: GAS_CAP - 30_000}(type(uint256).max);
            assertLe(vm.lastCallGas().gasTotalUsed, GAS_CAP);
            gas_ += vm.lastCallGas().gasTotalUsed;
        }
        emit log_named_uint("transactions that work off 98 dear changes", steps);
        emit log_named_uint("their gas", gas_);
        emit log_named_uint("gas that the griefer spent", spent);
        emit log_named_decimal_uint("its stake, locked until it unbonds, VER", vault.stakeOf(1) * NODES, 18);
        assertLe(steps, 3);
        openRound();
    }

    /// @notice With the gas of one listing one is brought up to date, and never less.
    /// hardhat-config: isolate = true
    function test_LittleGas() public {
        for (uint32 i; i < 4; ++i) register(griefer, CPU_US, 1, i);
        register(alice, CPU_EU, 1, 10);
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        for (uint32 i = 1; i <= 4; ++i) {
            vm.prank(griefer);
            nodes.drain(i);
        }
        fulfil(1);
        settle(optimalPost());
        uint256 before = supply.pendingCount();
        assertLt(supply.syncPending{gas: 300_000}(99), before);
    }

    /// @notice A stranger's stake during a freeze makes nobody's listing wait; it is the node's all the same.
    function test_StrangersTouchNothing() public {
        for (uint256 i; i < 60; ++i) register(alice, CPU_EU, 1, i);
        submit(bob, 1, 20_000, CPU_EU);
        openRound();
        fund(griefer, 60 * stakeFor(1));
        for (uint32 i = 1; i <= 60; ++i) {
            vm.prank(griefer);
            nodes.addStake(i, i == 7 ? stakeFor(1) : 0);
        }
        assertEq(supply.pendingCount(), 0);
        vm.prank(alice);
        nodes.addStake(8, 0);
        assertEq(supply.pendingCount(), 1, "its owner's is");
        fulfil(1);
        settle(optimalPost());
        assertEq(vault.stakeOf(7), 2 * stakeFor(1));
        supply.sync(ids32(7));
        assertBooks();
    }
}
