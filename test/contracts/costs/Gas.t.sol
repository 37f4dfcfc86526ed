// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {CODEC_DAG_PB} from "../../../contracts/types/Units.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";

/// @title What each step costs, as a transaction of its own
contract GasTest is GasSnapshots {
    /// @dev Maximum that a lease may add to a settlement.
    uint256 private constant MOST_PER_LEASE = 70_000;

    /// hardhat-config: isolate = true
    function test_Node() public compared {
        register(alice, CPU_EU, 1, 10);
        register(alice, CPU_EU, 4, 10);
        _note("node: register");
        ISupply.Terms memory terms = termsOf(CPU_US, 3, 20);
        vm.prank(alice);
        nodes.setTerms(2, terms);
        _note("node: set terms to another class and tick");
        vm.prank(alice);
        nodes.drain(2);
        _note("node: drain");
    }

    /// hardhat-config: isolate = true
    function test_LifeOfALease() public compared {
        register(alice, CPU_EU, 4, 10);
        submit(bob, 1, 20_000, GPU_EU);
        submit(bob, 4, 20_000, CPU_EU);
        _note("task: submit");
        openRound();
        _note("round: open");
        fulfil(1);
        settle(optimalPost());
        _note("round: settle, 1 lease");
        address operator = operatorOf(1);
        for (uint40 i = 1; i <= 3; ++i) {
            vm.prank(operator);
            checkpoints.post(ICheckpointRegistry.Claim(1, 1, SPEC, CODEC_DAG_PB, i, 1_000), noReceipts());
            if (i == 1) _note("checkpoint: first");
            if (i == 3) _note("checkpoint: next");
        }
        vm.prank(operator);
        leases.deliver(1, 1, RESULT, CODEC_DAG_PB, 1_000);
        _note("lease: deliver");
        uint32[] memory ids = ids32(1);
        vm.prank(bob);
        leases.accept(ids);
        _note("lease: accept, the last of its task");
        vm.prank(alice);
        vault.claim(alice);
        _note("vault: claim");
    }

    /// hardhat-config: isolate = true
    function test_Failure() public compared {
        leaseOf(bob, alice, 4);
        vm.warp(uint256(leases.lease(1).due) + 1);
        vm.prank(keeper);
        leases.expire(1);
        _note("lease: expire");
        submit(bob, 4, 20_000, CPU_EU);
        vm.prank(bob);
        tasks.cancel(2);
        _note("task: cancel");
    }

    /// hardhat-config: isolate = true
    function test_Settle10() public compared {
        _settle(10, 0, "round: settle, 10 leases");
    }

    /// hardhat-config: isolate = true
    function test_Settle100() public compared {
        uint256 gas_ = _settle(100, 0, "round: settle, 100 leases of 100 nodes");
        assertLe(gas_ / 100, MOST_PER_LEASE, "gas a lease");
    }

    /// @notice The cost grows with what is granted, not with what is registered.
    /// hardhat-config: isolate = true
    function test_Settle100_of1000Nodes() public compared {
        uint256 gas_ = _settle(100, 900, "round: settle, 100 leases of 1,000 nodes");
        assertLe(gas_ / 100, MOST_PER_LEASE, "gas a lease");
        assertApproxEqRel(gas_, _settled[0], 0.03e18, "flat");
    }

    /// @notice Nothing is shared: each lease has a task of its own.
    /// hardhat-config: isolate = true
    function test_SettleOneUnitTasks() public compared {
        for (uint256 i; i < 16; ++i) register(alice, CPU_EU, 1, i / 4);
        for (uint256 i; i < 16; ++i) submit(bob, 1, 1_000_000, CPU_EU);
        openRound();
        _note("round: open, 16 tasks of a unit");
        fulfil(1);
        settle(optimalPost());
        _note("round: settle, 16 tasks of a unit");
        assertEq(leases.leaseCount(), 16);
    }

    /// @notice The oracle's answer as a transaction of its own: 21,000 and its calldata are the oracle's anyway.
    /// hardhat-config: isolate = true
    function test_Callback() public compared {
        register(alice, CPU_EU, 1, 0);
        submit(bob, 1, 1_000_000, CPU_EU);
        openRound();
        uint256[] memory words = new uint256[](1);
        words[0] = uint256(keccak256("word"));
        uint256 requestId = rounds.current().requestId;
        vm.prank(address(coordinator));
        seeds.rawFulfillRandomWords(requestId, words);
        _note("seed: the oracle's answer");
        assertTrue(seeds.seedOf(requestId) != 0);
    }

    uint256[] private _settled;

    /// @dev A round of `count` leases, one to a node, with `others` more nodes at the marginal tick and above it. Where
    /// there are others, the same round without them comes first, for comparison.
    function _settle(uint256 count, uint256 others, string memory name) private returns (uint256 gas_) {
        if (others != 0) {
            uint256 before = vm.snapshotState();
            uint256 plain = _settle(count, 0, "");
            vm.revertToState(before);
            _settled.push(plain);
        }
        for (uint256 i; i < count; ++i) register(alice, CPU_EU, 1, i / 4);
        for (uint256 i; i < others; ++i) register(alice, CPU_EU, 1, i < others / 2 ? (count - 1) / 4 : count + i / 4);
        submit(bob, uint32(count), 1_000_000, CPU_EU);
        openRound();
        fulfil(1);
        settle(optimalPost());
        if (bytes(name).length == 0) return vm.lastCallGas().gasTotalUsed;
        gas_ = note("transactions", name);
        assertEq(leases.leaseCount(), count);
    }

    function _note(string memory name) private {
        note("transactions", name);
    }
}
