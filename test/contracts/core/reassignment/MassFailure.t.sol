// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {IReassignment} from "../../../../contracts/interfaces/IReassignment.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Failures} from "../../support/Failures.sol";

/// @title Many leases lost at once: expiries together, full batches in a row
contract MassFailureTest is Failures {
    /// @dev {Reassignment.BATCH} and {Reassignment.RETURNS}, written once more.
    uint32 private constant BATCH = 128;
    uint32 private constant RETURNS = 32;

    /// @notice Those that are overdue end, others and such as do not exist are passed over; one sum pays for all.
    function test_ExpireOverdue() public {
        _lose(2);
        uint32 inTime = leaseOn(1);
        uint256 before = vault.claimable(keeper);
        vm.prank(keeper);
        assertEq(leases.expireOverdue(_ids(1, 4)), 2);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Expired);
        assertStatus(2, ILeaseRegistry.LeaseStatus.Expired);
        assertStatus(inTime, ILeaseRegistry.LeaseStatus.Active);
        assertEq(vault.claimable(keeper) - before, 2 * param(Param.ExpireBounty) * 1e12);
        assertEq(orphanCount(), 2);
        assertEq(reassignment.orphanPage(0, 9)[1], 2);
        vm.expectRevert(ILeaseRegistry.NoLeaseOverdue.selector);
        leases.expireOverdue(_ids(1, 4));
        vm.expectRevert(ILeaseRegistry.NoLeaseOverdue.selector);
        leases.expireOverdue(new uint32[](0));
        assertBooks();
    }

    /// @notice A lease whose task is past its deadline ends without bounty or penalty, also among others.
    function test_ExpireOverdue_pastDeadline() public {
        uint32 id = leaseOn(1);
        uint256 stake = vault.stakeOf(leases.lease(id).nodeId);
        (, , , uint40 deadline) = tasks.termsOf(1);
        // Nobody is at fault while the sequencer is down.
        vm.warp(deadline - 1);
        sequencer(false);
        vm.warp(deadline);
        vm.expectRevert(ILeaseRegistry.NoLeaseOverdue.selector);
        leases.expireOverdue(_ids(1, 1));
        vm.warp(deadline + 1);
        assertEq(leases.expireOverdue(_ids(1, 1)), 1);
        assertEq(vault.stakeOf(leases.lease(id).nodeId), stake);
        assertEq(vault.claimable(address(this)), 0);
    }

    /// @notice A batch takes the oldest. While failed ranges are left behind a full one, the next batch goes before rounds,
    /// and needs no pause; behind the last one a round may go first, as ever.
    function test_FullBatchesInARow() public {
        _lose(BATCH + 3);
        leases.expireOverdue(_ids(1, BATCH + 3));
        register(alice, CPU_EU, 127, 3);
        register(alice, CPU_EU, 127, 3);
        submit(bob, 1, 20_000, CPU_EU);
        openBatch();
        IReassignment.BatchView memory b = reassignment.current();
        assertEq(b.leaseIds.length, BATCH);
        assertEq(b.leaseIds[0], 1);
        assertEq(orphanCount(), 3);
        assertEq(reassignment.orphanPage(1, 5)[0], BATCH + 2);
        fulfilBatch(1);
        for (uint256 left = BATCH; left != 0;) left = reassignment.draw(50);
        assertTrue(reassignment.hasTurn());
        vm.warp(rounds.nextOpening());
        vm.expectRevert(IRoundManager.BatchPending.selector);
        rounds.open();
        assertLe(reassignment.nextOpening(), block.timestamp);
        runBatch(2);
        assertEq(orphanCount(), 0);
        assertFalse(reassignment.hasTurn());
        vm.prank(keeper);
        rounds.open();
    }

    /// @notice Giving up a full batch fits a transaction.
    /// hardhat-config: isolate = true
    function test_AbortOfAFullBatch() public {
        _lose(BATCH);
        leases.expireOverdue(_ids(1, BATCH / 2));
        leases.expireOverdue(_ids(BATCH / 2 + 1, BATCH));
        openBatch();
        vm.warp(block.timestamp + param(Param.SeedTimeout) + 1);
        reassignment.abort();
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas to abort a full batch", used);
        assertLt(used, (GAS_CAP * 9) / 10);
        assertUnits(BATCH, 1, 0, 0, 0);
        (, , bool inARow) = reassignment.orphanCounts();
        assertFalse(inARow, "nothing is left behind it");
    }

    /// @notice Opening gives no more ranges back to tasks that were cancelled than fit a transaction; the rest waits.
    /// hardhat-config: isolate = true
    function test_ReturnsAreBounded() public {
        _lose(BATCH);
        leases.expireOverdue(_ids(1, BATCH / 2));
        leases.expireOverdue(_ids(BATCH / 2 + 1, BATCH));
        vm.startPrank(bob);
        for (uint32 id = 1; id < BATCH; ++id) tasks.cancel(id);
        vm.stopPrank();
        for (uint32 left = BATCH; left > RETURNS; left -= RETURNS) {
            assertEq(orphanCount(), left);
            assertEq(openBatch(), 0);
            emit log_named_uint("gas to give back", vm.lastCallGas().gasTotalUsed);
        }
        assertEq(openBatch(), 1);
        assertEq(reassignment.current().leaseIds.length, 1);
        assertEq(reassignment.current().leaseIds[0], BATCH);
    }

    /// @dev Leases of one unit, each of a task and a node of its own, that are all overdue.
    function _lose(uint32 count) private {
        for (uint256 i; i < count; ++i) leaseOn(1);
        vm.warp(uint256(leases.lease(count).due) + 1);
    }

    function _ids(uint32 from, uint32 to) private pure returns (uint32[] memory ids) {
        ids = new uint32[](to - from + 1);
        for (uint32 i; i < ids.length; ++i) ids[i] = from + i;
    }
}
