// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer who is developer, node and keeper at once farms bounties
contract BountiesTest is Fixture {
    address private griefer;
    uint32 private size;
    uint256 private ask;

    /// @notice A node that has no stake left to lose, since the stake that a unit needs was raised under it, is failed and
    /// expired by its owner: no bounty comes out of the pool.
    function test_ExpireOneself() public {
        griefer = makeAddr("griefer");
        setParam(Param.SlashBps, 10_000);
        register(griefer, CPU_EU, 3, 0);
        for (uint256 i; i < 3; ++i) submit(griefer, 1, 1, CPU_EU);
        runRound(1);
        // All but the stake of a unit is gone already.
        vm.prank(address(supply));
        vault.slash(1, 20 ether);
        uint256 all = vault.stakeOf(1);

        vm.warp(uint256(leases.lease(1).due) + 1);
        uint256 pool = vault.totals().bountyPool;
        for (uint32 id = 1; id <= 3; ++id) {
            vm.prank(griefer);
            leases.expire(id);
        }
        assertEq(vault.stakeOf(1), 0);
        assertEq(vault.claimable(griefer), param(Param.ExpireBounty) * MICRO, "for the one that cost it its stake");
        assertEq(vault.totals().bountyPool, pool + all - param(Param.ExpireBounty) * MICRO);
        assertBooks();
    }

    /// @notice Developer, node and keeper in one open and settle rounds of their own dust, give the leases back and start
    /// over, with the same task or, after a cancellation, with the next one. Before, each round paid the whole bounty.
    /// Now it pays half of what it can never get back, whatever the price, and each task has its price as well.
    function testFuzz_FarmRounds(uint16 tick, uint8 units, uint8 count, bool newTasks) public {
        griefer = makeAddr("griefer");
        setParam(Param.RoundBounty, 1e8);
        size = uint32(bound(units, 1, 8));
        ask = bound(tick, 0, 4_095);
        register(griefer, CPU_EU, size, ask);
        fund(griefer, 1e6 ether);
        uint32 taskId = _submitOwn();
        uint256 pool = vault.totals().bountyPool;
        uint256 before = _wealth(taskId);
        for (uint256 i = bound(count, 1, 6); i != 0; --i) {
            _ownRound(i);
            release(leases.leaseCount());
            if (newTasks) {
                vm.prank(griefer);
                tasks.cancel(taskId);
                taskId = _submitOwn();
            }
        }
        uint256 lost = before - _wealth(taskId);
        assertEq(vault.totals().bountyPool, pool + lost, "what it lost went to the pool");
        assertGe(lost, firstHalfOfFee(size, ask * 1_000) / 2, "half of the fee of each unit, once");
        if (newTasks) assertGe(lost, bound(count, 1, 6) * param(Param.SubmissionFee) * MICRO, "a fee for each task");
        assertBooks();
    }

    /// @notice Paying the leases out instead of giving them back does not change it.
    function test_FarmRounds_byPaying() public {
        griefer = makeAddr("griefer");
        (size, ask) = (4, 4_095);
        setParam(Param.RoundBounty, 1e8);
        register(griefer, CPU_EU, size, ask);
        fund(griefer, 1e6 ether);
        uint32 taskId = _submitOwn();
        uint256 before = _wealth(taskId);
        _ownRound(1);
        deliver(1);
        accept(griefer, 1);
        emit log_named_decimal_uint("VER that farming one round's bounty costs", before - _wealth(taskId), 18);
        assertEq(before - _wealth(taskId), (firstHalfOfFee(size, ask * 1_000) * 3) / 2);
    }

    function _submitOwn() private returns (uint32) {
        ITaskRegistry.Submission memory s = submission(size, ask * 1_000 + 1, list(CPU_EU));
        vm.prank(griefer);
        return tasks.submit(s);
    }

    function _ownRound(uint256 word) private {
        vm.warp(block.timestamp + 10);
        vm.prank(griefer);
        rounds.open();
        fulfil(word);
        bytes memory post = optimalPost();
        uint32 id = rounds.current().id;
        vm.prank(griefer);
        rounds.settle(id, post);
    }

    /// @dev All that is the griefer's, or would be after its task.
    function _wealth(uint32 taskId) private view returns (uint256) {
        return ver.balanceOf(griefer) + vault.claimable(griefer) + vault.escrowOf(taskId) + vault.stakeOf(1);
    }

    /// @notice Where nothing is slashed, nothing is paid.
    function test_ExpireWithoutSlashing() public {
        setParam(Param.SlashBps, 0);
        register(alice, CPU_EU, 2, 0);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        uint256 before = vault.claimable(keeper);
        expire(1);
        assertEq(vault.claimable(keeper), before);
    }
}
