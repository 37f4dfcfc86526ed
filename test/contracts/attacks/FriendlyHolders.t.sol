// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../support/Failures.sol";

/// @title Nobody makes friends holders of its lease
contract FriendlyHoldersTest is Failures {
    address private mallory = makeAddr("mallory");
    uint32 private id;

    /// @dev Nodes 1 to 8 of 20 units are alice's, node 9 of one unit is mallory's; node 10, carol's, runs the lease.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 8; ++i) register(alice, CPU_US, 20, 5);
        register(mallory, CPU_US, 1, 5);
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.replicas = 1;
        id = leaseOn(1, s);
    }

    /// @notice Nodes that join once the seed is known are never holders, however many, and cost their stake.
    function test_JoinOnceTheSeedIsKnown() public {
        bytes memory before = _ranked();
        for (uint256 i; i < 30; ++i) register(mallory, CPU_US, 20, 5);
        assertEq(_ranked(), before);
        emit log_named_decimal_uint("VER staked for 30 nodes, none of which is a holder", 30 * stakeFor(20), 18);
    }

    /// @notice A position that is given up goes to a node that does not count either.
    function test_TakeAFreePosition() public {
        ICheckpointRegistry.Holder[] memory holders = checkpoints.holdersOf(id, 0);
        vm.startPrank(alice);
        nodes.drain(holders[0].nodeId);
        nodes.exit(holders[0].nodeId);
        vm.stopPrank();
        uint32 heir = register(mallory, CPU_US, 20, 5);
        assertEq(candidateOf(id, heir), type(uint8).max);
    }

    /// @notice Stake that is added once the seed is known does not make a small node count.
    function test_AddStakeOnceTheSeedIsKnown() public {
        bytes memory before = _ranked();
        fund(mallory, stakeFor(400));
        vm.prank(mallory);
        nodes.addStake(9, stakeFor(400));
        assertEq(_ranked(), before);
    }

    /// @notice A second node of the owner whose node runs the lease is no holder of it, nor is the owner's only helper.
    function test_SecondNodeOfTheOwner() public {
        register(carol, CPU_EU, 20, 0);
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.replicas = 4;
        submit(bob, s);
        runRound(7);
        ICheckpointRegistry.Holder[] memory holders = checkpoints.holdersOf(leases.leaseCount(), 64);
        assertGt(holders.length, 4);
        for (uint256 i; i < holders.length; ++i) assertLt(holders[i].nodeId, 10);
    }

    /// @dev All that count, in their order.
    function _ranked() private view returns (bytes memory) {
        return abi.encode(checkpoints.holdersOf(id, 64));
    }
}
