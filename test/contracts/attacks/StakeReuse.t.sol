// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../support/Fixture.sol";
import {Rng} from "../support/Rng.sol";

/// @title A node delivers rubbish as fast as it gets leases, all on one stake
contract StakeReuseTest is Fixture {
    using Rng for Rng.Stream;

    /// @notice Before, delivering made room for new leases at once, so that a stake for two units backed any number of
    /// deliveries that could still be refused, and slashing the first ones left nothing for the others.
    function test_DeliverAndTakeMore() public {
        setParam(Param.SlashBps, 10_000);
        register(alice, CPU_EU, 2, 10);
        for (uint256 i; i < 3; ++i) submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        deliver(1);
        assertEq(nodes.node(1).listedUnits, 0);
        assertFalse(servable(2), "nothing more for this stake");

        // More stake backs more, up to the capacity.
        _addStake(alice, stakeFor(1));
        assertEq(nodes.node(1).listedUnits, 1);
        _addStake(alice, stakeFor(5));
        assertEq(nodes.node(1).listedUnits, 2);
        runRound(2);
        deliver(2);
        assertEq(nodes.node(1).undecided, 4);

        // Both are refused: each takes its full slice.
        for (uint32 id = 1; id <= 2; ++id) {
            dispute(id);
            uint256 before = vault.stakeOf(1);
            vm.prank(arbiter);
            leases.rule(id, false);
            assertEq(before - vault.stakeOf(1), stakeFor(2));
        }
        assertEq(nodes.node(1).undecided, 0);
    }

    /// @notice Being paid frees the stake for the next lease, and so does the end of the dispute window.
    function test_PaidDeliveriesFreeTheStake() public {
        register(alice, CPU_EU, 2, 10);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        deliver(1);
        assertEq(nodes.node(1).listedUnits, 0);
        vm.warp(uint256(leases.lease(1).due) + 1);
        accept(keeper, 1);
        assertEq(nodes.node(1).listedUnits, 2);
        runRound(2);
        assertEq(nodes.node(1).leased, 2);
    }

    /// @notice Whatever a node runs, delivers, and has decided: at the slash that the parameters ask for, its stake
    /// covers all that can still be refused.
    function testFuzz_EveryUndecidedUnitIsBacked(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        register(alice, CPU_EU, uint32(1 + rng.below(4)), 10);
        _addStake(alice, rng.below(5) * stakeFor(1));
        submit(bob, 60, 20_000, CPU_EU);
        for (uint256 i; i < 8; ++i) {
            if (servable(1)) runRound(i);
            for (uint32 id = 1; id <= leases.leaseCount(); ++id) {
                ILeaseRegistry.LeaseStatus status = leases.lease(id).status;
                if (status == ILeaseRegistry.LeaseStatus.Active && rng.oneIn(2)) deliver(id);
                else if (status == ILeaseRegistry.LeaseStatus.Active && rng.oneIn(4)) release(id);
                else if (status == ILeaseRegistry.LeaseStatus.Delivered && rng.oneIn(3)) accept(bob, id);
            }
            INodeRegistry.NodeView memory n = nodes.node(1);
            assertGe(n.stake, stakeFor(n.leased + n.undecided + n.listedUnits));
        }
    }

    function _addStake(address owner, uint256 amount) private {
        fund(owner, amount);
        vm.prank(owner);
        nodes.addStake(1, amount);
    }
}
