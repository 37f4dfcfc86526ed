// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Permits} from "../../support/Permits.sol";
import {NotTaskOwner} from "../../../../contracts/types/Errors.sol";
import {Permit} from "../../../../contracts/types/Permit.sol";

/// @title Raising the price of a task that waits
contract RaisePriceTest is Fixture, Permits {
    /// @notice A task that is too cheap for every node is served after the raise, at the node's ask and without a second fee.
    function test_Raise_serves() public {
        register(alice, CPU_EU, 5, 10);
        submit(bob, 5, 9_999, CPU_EU);
        assertFalse(servable(1));
        uint256 pool = vault.totals().bountyPool;
        uint256 deposit = tasks.depositToRaise(1, 12_000 * MICRO);
        assertEq(deposit, escrowFor(5, 12_000) - escrowFor(5, 9_999));
        fund(bob, deposit);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.PriceRaised(1, 9_999 * MICRO, 12_000 * MICRO, deposit);
        vm.prank(bob);
        tasks.raisePrice(1, 12_000 * MICRO);
        assertEq(ver.balanceOf(bob), 0);
        assertEq(vault.escrowOf(1), escrowFor(5, 12_000));
        assertEq(vault.totals().bountyPool, pool);
        assertEq(tasks.task(1).maxPrice, 12_000 * MICRO);
        assertEq(lens.queuePage(0, 9).length, 1);
        runRound(1);
        assertEq(leases.lease(1).priceMicroVer, 10_000);
        assertBooks();
    }

    function test_Raise_refusals() public {
        submit(bob, 5, 9_999, CPU_EU);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, 2));
        tasks.raisePrice(2, 10_000 * MICRO);
        vm.expectRevert(abi.encodeWithSelector(NotTaskOwner.selector, 1, alice));
        vm.prank(alice);
        tasks.raisePrice(1, 10_000 * MICRO);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.PriceNotRaised.selector, 1, 9_999 * MICRO, 9_999 * MICRO));
        tasks.raisePrice(1, 9_999 * MICRO);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.PriceNotOnGrid.selector, 10_000 * MICRO + 1, MICRO));
        tasks.raisePrice(1, 10_000 * MICRO + 1);
        vm.expectPartialRevert(ITaskRegistry.PriceTooHigh.selector);
        tasks.raisePrice(1, type(uint256).max - (type(uint256).max % MICRO));
        tasks.cancel(1);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TaskNotOpen.selector, 1, ITaskRegistry.TaskStatus.Ended));
        tasks.raisePrice(1, 10_000 * MICRO);
    }

    /// @notice Who knows the seed cannot choose another outcome by the price: neither of a round nor of a draw.
    function test_Raise_notWhileListingsAreFrozen() public {
        register(alice, CPU_EU, 3, 10);
        submit(bob, 3, 10_000, CPU_EU);
        openRound();
        fulfil(1);
        fund(bob, 1 ether);
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        vm.prank(bob);
        tasks.raisePrice(1, 20_000 * MICRO);
        settle(optimalPost());
        vm.prank(bob);
        tasks.raisePrice(1, 20_000 * MICRO);
    }

    function test_RaiseWithPermit() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        submit(signer, 3, 1_001, CPU_EU);
        uint256 deposit = tasks.depositToRaise(1, 5_001 * MICRO);
        ver.transfer(signer, deposit);
        vm.prank(signer);
        ver.approve(address(vault), 0);
        Permit memory p = signPermit(ver, key, address(vault), deposit);
        vm.prank(signer);
        tasks.raisePriceWithPermit(1, 5_001 * MICRO, p);
        assertEq(vault.escrowOf(1), escrowFor(3, 5_001));
    }

    /// @notice Whatever part of the task was leased, paid or refunded before, the escrow covers the rest and comes back in full.
    function testFuzz_Raise_escrowCoversTheRest(uint256 seed) public {
        uint32 units = uint32(bound(seed, 2, 12));
        uint256 first = bound(seed >> 8, 1_000, 40_000);
        uint256 raised = bound(seed >> 40, first + 1, 80_000);
        register(alice, CPU_EU, uint32(bound(seed >> 72, 1, units - 1)), 1);
        submit(bob, units, first, CPU_EU);
        runRound(1);
        if (seed & 1 == 0) deliver(1);
        else release(1);
        if (seed & 3 == 0) accept(bob, 1);
        fund(bob, tasks.depositToRaise(1, raised * MICRO));
        vm.prank(bob);
        tasks.raisePrice(1, raised * MICRO);
        vm.prank(bob);
        tasks.cancel(1);
        if (seed & 3 == 2) accept(bob, 1);
        assertEq(uint8(tasks.task(1).status), uint8(ITaskRegistry.TaskStatus.Ended));
        assertEq(vault.escrowOf(1), 0);
        assertBooks();
    }
}
