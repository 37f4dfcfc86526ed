// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VmSafe} from "forge-std/Vm.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPoolOutlet} from "../../../../contracts/interfaces/IPoolOutlet.sol";
import {IVault} from "../../../../contracts/interfaces/IVault.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title Governance pays from the bounty pool, slowly
contract PoolOutletTest is Fixture {
    function setUp() public override {
        super.setUp();
        _spend(0);
        _fund(1_000_000);
    }

    function test_Pay() public {
        vm.expectEmit(address(outlet));
        emit IPoolOutlet.PoolPaid(keeper, 4_000, 6_000);
        outlet.pay(keeper, 4_000);
        assertEq(vault.claimable(keeper), 4_000);
        assertEq(vault.totals().bountyPool, 996_000);
        uint256 until = block.timestamp + 7 days;
        _assertAvailable(6_000, until);
        vm.warp(until - 1);
        // What comes in meanwhile counts from the next period on.
        _fund(1_000_000);
        vm.expectRevert(abi.encodeWithSelector(IPoolOutlet.OutletTooFast.selector, 6_001, 6_000, until));
        outlet.pay(keeper, 6_001);
        outlet.pay(bob, 6_000);
        vm.warp(until);
        _assertAvailable(19_900, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IPoolOutlet.OutletTooFast.selector, 19_901, 19_900, block.timestamp + 7 days)
        );
        outlet.pay(keeper, 19_901);
        assertBooks();
    }

    /// @notice A share is rounded down, for the pool.
    function test_Available_roundsDown() public {
        _fund(99);
        _assertAvailable(10_000, 0);
        _fund(1);
        _assertAvailable(10_001, 0);
    }

    /// @notice However governance pays: after a year most of the pool is left.
    function testFuzz_Rate(uint256 seed) public {
        uint256 end = block.timestamp + 364 days;
        while (block.timestamp < end) {
            (uint256 left, ) = outlet.available();
            outlet.pay(keeper, seed % 3 == 0 ? left : left / 2);
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + (seed % 3 days));
        }
        assertGe(vault.totals().bountyPool, 580_000);
        assertBooks();
    }

    function test_OnlyGovernance() public {
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, keeper));
        outlet.pay(keeper, 1);
    }

    /// @notice An empty pool pays nothing, says so, and blocks nothing that work depends on.
    function test_EmptyPool() public {
        _spend(300);
        vm.prank(address(leases));
        vm.expectEmit(address(vault));
        emit IVault.BountyShort(keeper, 1_000, 300);
        assertEq(vault.payBounty(keeper, 1_000), 300);
        vm.prank(address(leases));
        vm.expectEmit(address(vault));
        emit IVault.BountyShort(keeper, 1_000, 0);
        assertEq(vault.payBounty(keeper, 1_000), 0);
        assertBooks();
    }

    /// @notice Bounties of rounds and of failures are never more than what the same transaction brought into the pool: they are
    /// paid in full from an empty one.
    function test_EmptyPool_paysAsItGoes() public {
        _spend(0);
        vm.recordLogs();
        uint32 id = leaseOf(bob, alice, 2);
        expire(id);
        VmSafe.Log[] memory logs = vm.getRecordedLogs();
        uint256 paid;
        for (uint256 i; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IVault.BountyShort.selector);
            if (logs[i].topics[0] == IVault.BountyPaid.selector) ++paid;
        }
        assertEq(paid, 3, "opening, settling, expiring");
        assertBooks();
    }

    /// @dev Leaves only `rest` wei in the pool.
    function _spend(uint256 rest) private {
        uint256 amount = vault.totals().bountyPool - rest;
        vm.prank(address(rounds));
        vault.payBounty(bob, amount);
    }

    function _fund(uint256 amount) private {
        ver.approve(address(vault), amount);
        vault.fundBountyPool(amount);
    }

    function _assertAvailable(uint256 left, uint256 until) private view {
        (uint256 leftNow, uint256 untilNow) = outlet.available();
        assertEq(leftNow, left, "left");
        assertEq(untilNow, until, "until");
    }
}
