// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer who is developer, node and keeper at once farms bounties
contract BountiesTest is Fixture {
    /// @notice A node that has no stake left to lose, since the stake that a unit needs was raised under it, is failed and
    /// expired by its owner: no bounty comes out of the pool.
    function test_ExpireOneself() public {
        address griefer = makeAddr("griefer");
        register(griefer, CPU_EU, 3, 0);
        for (uint256 i; i < 3; ++i) submit(griefer, 1, 1, CPU_EU);
        runRound(1);
        uint256 all = vault.stakeOf(1);
        setParam(Param.StakePerUnit, 1e9);

        vm.warp(uint256(leases.lease(1).due) + 1);
        uint256 pool = vault.books().bountyPool;
        for (uint32 id = 1; id <= 3; ++id) {
            vm.prank(griefer);
            leases.expire(id);
        }
        assertEq(vault.stakeOf(1), 0);
        assertEq(vault.claimable(griefer), param(Param.ExpireBounty) * MICRO, "for the one that cost it its stake");
        assertEq(vault.books().bountyPool, pool + all - param(Param.ExpireBounty) * MICRO);
        assertBooks();
    }

    /// @notice Where nothing is slashed, nothing is paid.
    function test_ExpireWithoutSlashing() public {
        setParam(Param.SlashBps, 0);
        uint32 id = leaseOf(bob, alice, 2);
        uint256 before = vault.claimable(keeper);
        expire(id);
        assertEq(vault.claimable(keeper), before);
    }
}
