// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title Nobody can react to a seed: what changes during a round stays out of it
contract IsolationTest is Fixture {
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
    }

    /// @notice While a round is open, what nodes and leases do reaches no listing; after it, all does.
    function test_Isolation() public {
        register(alice, CPU_EU, 3, 11);
        register(alice, CPU_US, 3, 5);
        register(bob, CPU_EU, 3, 12);
        submit(bob, 6, 20_000, CPU_EU);
        runRound(1);
        submit(bob, 2, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        bytes32 listed = keccak256(abi.encode(instance().classes));
        bytes memory post = optimalPost();

        ISupply.Terms memory cheapUs = termsOf(CPU_US, 3, 1);
        ISupply.Terms memory cheapEu = termsOf(CPU_EU, 3, 1);
        vm.startPrank(alice);
        nodes.setTerms(2, cheapUs);
        nodes.setTerms(3, cheapEu);
        nodes.drain(3);
        nodes.addStake(2, 0);
        vm.stopPrank();
        release(1);
        release(2);
        vm.prank(address(leases));
        supply.slash(4, 1 ether);
        register(alice, CPU_EU, 5, 0);
        assertEq(supply.pendingCount(), 5);
        assertEq(keccak256(abi.encode(instance().classes)), listed, "the same supply");
        assertEq(keccak256(optimalPost()), keccak256(post), "the same post");

        // Promised to the round: neither capacity can go below it, nor can the node leave.
        ISupply.Terms memory low = termsOf(CPU_EU, 2, 11);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(ISupply.CapacityInUse.selector, 4, 2, 3));
        nodes.setTerms(4, low);
        vm.prank(alice);
        vm.expectPartialRevert(ISupply.NodeBusy.selector);
        nodes.exit(3);
        uint32[] memory ids = ids32(1);
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        supply.sync(ids);
        vm.expectRevert(ISupply.ListingsFrozen.selector);
        supply.syncPending(9);

        settle(post);
        assertEq(nodes.node(2).listedClassId, CPU_EU, "still as listed, until synced");
        assertEq(supply.syncPending(9), 0);
        assertEq(nodes.node(2).listedClassId, CPU_US);
        assertEq(nodes.node(3).listedUnits, 0);
        assertEq(nodes.node(1).listedUnits, 4);
        assertEq(nodes.node(4).listedUnits, 0);
        assertEq(nodes.node(5).listedUnits, 5);
    }

    /// @notice Neither what is delivered nor what is paid during a round reaches a listing before its end, and cancelled
    /// tasks and new ones leave the round's demand alone.
    function test_Isolation_ofDeliveriesAndTasks() public {
        register(alice, CPU_EU, 3, 11);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        submit(bob, 2, 20_000, CPU_EU);
        openRound();
        fulfil(1);
        bytes memory post = optimalPost();
        deliver(1);
        accept(bob, 1);
        vm.prank(bob);
        tasks.cancel(2);
        submit(bob, 9, 20_000, CPU_EU);
        assertEq(nodes.node(1).listedUnits, 0);
        assertEq(supply.pendingCount(), 1);
        assertEq(keccak256(optimalPost()), keccak256(post), "the same post");
        settle(post);
        assertUnits(2, 0, 2, 0, 0);
        assertEq(supply.syncPending(9), 0);
        assertEq(nodes.node(1).listedUnits, 4);
    }

    /// @notice What changed in a round must be in the listings before the next may open.
    function test_Open_waitsForListings() public {
        for (uint256 i; i < 17; ++i) register(alice, CPU_US, 1, 1);
        submit(bob, 1, 20_000, CPU_EU);
        submit(bob, 1, 20_000, CPU_US);
        openRound();
        for (uint32 id = 2; id <= 18; ++id) {
            vm.prank(alice);
            nodes.drain(id);
        }
        // Twice does not count twice.
        vm.prank(alice);
        nodes.resume(2);
        assertEq(supply.pendingCount(), 17);
        fulfil(1);
        settle(optimalPost());
        submit(bob, 1, 20_000, CPU_EU);
        vm.warp(rounds.nextOpening());
        vm.expectRevert(abi.encodeWithSelector(ISupply.ListingsPending.selector, 1));
        rounds.open();
        assertEq(supply.syncPending(1), 16);
        openRound();
        assertEq(supply.pendingCount(), 0);
    }
}
