// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IVault} from "../../../../contracts/interfaces/IVault.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotModule} from "../../../../contracts/types/Errors.sol";

/// @title The vault's ledgers, and who may move what
contract VaultTest is Fixture {
    function test_EscrowToClaim() public {
        fund(bob, 100);
        vm.expectEmit(address(vault));
        emit IVault.EscrowLocked(1, bob, 100);
        vm.prank(address(tasks));
        vault.lockEscrow(1, bob, 100);
        assertEq(vault.escrowOf(1), 100);

        vm.startPrank(address(leases));
        vm.expectRevert(abi.encodeWithSelector(IVault.EscrowTooLow.selector, 1, 100, 101));
        vault.releaseEscrow(1, alice, 101);
        vm.expectRevert(abi.encodeWithSelector(IVault.EscrowTooLow.selector, 2, 0, 1));
        vault.collectFee(2, 1);
        vm.expectEmit(address(vault));
        emit IVault.EscrowReleased(1, alice, 60);
        vault.releaseEscrow(1, alice, 60);
        uint256 pool = vault.totals().bountyPool;
        vm.expectEmit(address(vault));
        emit IVault.FeeCollected(1, 40);
        vault.collectFee(1, 40);
        vm.stopPrank();
        assertEq(vault.totals().bountyPool, pool + 40);
        assertEq(vault.totals().escrow, 0);

        vm.startPrank(alice);
        vm.expectRevert(IVault.InvalidReceiver.selector);
        vault.claim(address(0));
        vm.expectEmit(address(vault));
        emit IVault.Claimed(alice, keeper, 60);
        assertEq(vault.claim(keeper), 60);
        vm.expectRevert(abi.encodeWithSelector(IVault.NothingToClaim.selector, alice));
        vault.claim(alice);
        vm.stopPrank();
        assertEq(ver.balanceOf(keeper), 60);
        _assertBooks();
    }

    function test_Stake() public {
        fund(bob, 100);
        vm.startPrank(address(nodes));
        vm.expectEmit(address(vault));
        emit IVault.StakeLocked(1, bob, 100);
        vault.lockStake(1, bob, 100);
        vm.stopPrank();
        vm.startPrank(address(supply));
        vm.expectEmit(address(vault));
        emit IVault.StakeSlashed(1, 30);
        assertEq(vault.slash(1, 30), 30);
        assertEq(vault.stakeOf(1), 70);
        assertEq(vault.slash(1, type(uint256).max), 70);
        assertEq(vault.slash(1, 5), 0);
        assertEq(vault.slash(2, 5), 0);
        vm.stopPrank();
        vm.startPrank(address(nodes));
        assertEq(vault.releaseStake(1, bob), 0);
        vm.stopPrank();
        _assertBooks();
    }

    function test_Bounties_saturate() public {
        uint256 pool = vault.totals().bountyPool;
        vm.startPrank(address(rounds));
        vm.expectEmit(address(vault));
        emit IVault.BountyPaid(keeper, 5);
        assertEq(vault.payBounty(keeper, 5), 5);
        assertEq(vault.payBounty(keeper, type(uint256).max), pool - 5);
        assertEq(vault.payBounty(keeper, 1), 0);
        vm.stopPrank();
        assertEq(vault.claimable(keeper), pool);
        _assertBooks();
    }

    function test_FundAndAbsorb() public {
        uint256 pool = vault.totals().bountyPool;
        assertEq(vault.absorbDonations(), 0);
        // What is locked, staked and claimed for others is no donation.
        fund(carol, 500);
        vm.prank(address(tasks));
        vault.lockEscrow(1, carol, 300);
        vm.prank(address(nodes));
        vault.lockStake(1, carol, 200);
        vm.prank(address(leases));
        vault.releaseEscrow(1, alice, 100);
        assertEq(vault.absorbDonations(), 0);
        ver.transfer(address(vault), 7);
        vm.expectEmit(address(vault));
        emit IVault.BountyPoolFunded(address(vault), 7);
        vm.prank(bob);
        assertEq(vault.absorbDonations(), 7);
        vm.expectEmit(address(vault));
        emit IVault.BountyPoolFunded(address(this), 3);
        vault.fundBountyPool(3);
        assertEq(vault.totals().bountyPool, pool + 10);
        vm.prank(bob);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        vault.fundBountyPool(1);
        // An amount that no 128 bits hold is nobody's to give.
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientBalance.selector);
        vault.fundBountyPool((1 << 128) + 1);
        _assertBooks();
    }

    /// @notice A verifier is paid from stake and pool, from each as far as it reaches, and nobody else loses by it.
    function testFuzz_PayVerifier(uint128 ofStake, uint128 ofPool, uint32 nodeId) public {
        nodeId = uint32(bound(nodeId, 0, 3));
        register(alice, CPU_EU, 4, 10);
        fund(bob, 3 ether);
        vm.prank(bob);
        vault.fundBountyPool(3 ether);
        IVault.Totals memory before = vault.totals();
        uint256 stake = vault.stakeOf(nodeId);
        vm.prank(address(audits));
        (uint256 taken, uint256 paid) = vault.payVerifier(nodeId, keeper, ofStake, ofPool);
        assertEq(taken, ofStake < stake ? ofStake : stake);
        assertEq(paid, ofPool < before.bountyPool ? ofPool : before.bountyPool);
        assertEq(vault.claimable(keeper), taken + paid);
        assertEq(vault.stakeOf(nodeId), stake - taken);
        IVault.Totals memory b = vault.totals();
        assertEq(b.stake, before.stake - taken);
        assertEq(b.bountyPool, before.bountyPool - paid);
        assertEq(b.claimable, before.claimable + taken + paid);
        assertEq(b.escrow, before.escrow);
        _assertBooks();
    }

    /// @notice Every door, tried by each module that has no business there.
    function test_OnlyModules() public {
        address[6] memory callers = [
            address(this),
            address(nodes),
            address(supply),
            address(tasks),
            address(leases),
            address(rounds)
        ];
        for (uint256 i; i < callers.length; ++i) {
            address by = callers[i];
            bool lease = by == address(leases);
            bool node = by == address(nodes);
            if (!lease && by != address(tasks)) {
                _refused(by, abi.encodeCall(IVault.lockEscrow, (1, bob, 0)));
                _refused(by, abi.encodeCall(IVault.releaseEscrow, (1, bob, 0)));
                _refused(by, abi.encodeCall(IVault.collectFee, (1, 0)));
            }
            if (!node) _refused(by, abi.encodeCall(IVault.lockStake, (1, bob, 0)));
            if (!node) _refused(by, abi.encodeCall(IVault.releaseStake, (1, bob)));
            if (by != address(supply)) _refused(by, abi.encodeCall(IVault.slash, (1, 0)));
            if (!lease && by != address(rounds)) _refused(by, abi.encodeCall(IVault.payBounty, (bob, 0)));
            _refused(by, abi.encodeCall(IVault.payVerifier, (1, bob, 0, 0)));
            _refused(by, abi.encodeCall(IVault.holdFee, (1, 1, 0)));
            _refused(by, abi.encodeCall(IVault.releaseFee, (1, bob, 0)));
            _refused(by, abi.encodeCall(IVault.forfeitFee, (1, 0)));
        }
    }

    function _refused(address by, bytes memory call) private {
        vm.prank(by);
        (bool ok, bytes memory reason) = address(vault).call(call);
        assertFalse(ok);
        assertEq(reason, abi.encodeWithSelector(NotModule.selector, by));
    }

    function _assertBooks() private view {
        IVault.Totals memory b = vault.totals();
        assertEq(ver.balanceOf(address(vault)), b.escrow + b.stake + b.claimable + b.bountyPool);
    }
}
