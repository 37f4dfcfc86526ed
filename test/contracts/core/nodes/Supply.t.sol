// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title What the supply says of listings and freezes, and what it tells the holder pool
contract SupplyTest is Fixture {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = register(alice, GPU_EU, 5, 7);
    }

    function test_ListingOf() public {
        _assertListing(id, 5, GPU_EU, 7 * 1_500);
        _assertListing(id + 1, 0, 0, 0);
        vm.prank(alice);
        nodes.drain(id);
        _assertListing(id, 0, 0, 0);
    }

    /// @notice While the listings are frozen a node is listed at its old terms.
    function test_ListingOf_frozen() public {
        vm.prank(address(rounds));
        supply.freeze(0);
        ISupply.Terms memory terms = termsOf(GPU_US, 5, 8);
        vm.prank(alice);
        nodes.setTerms(id, terms);
        _assertListing(id, 5, GPU_EU, 7 * 1_500);
        vm.prank(address(rounds));
        supply.thaw();
        supply.syncPending(1);
        _assertListing(id, 5, GPU_US, 8 * 7);
    }

    /// @notice A change of class alone moves a listing; what has not changed is not listed again.
    function test_SyncListsOnce() public {
        vm.recordLogs();
        supply.sync(ids32(id));
        assertEq(vm.getRecordedLogs().length, 0);
        ISupply.Terms memory terms = termsOf(GPU_US, 5, 7);
        vm.prank(alice);
        nodes.setTerms(id, terms);
        _assertListing(id, 5, GPU_US, 7 * 7);
        assertEq(supply.unitsBelow(GPU_EU, 8), 0);
    }

    /// @notice A node that lost stake may change its terms, as long as it offers no more units.
    function test_SetTerms_withLessStake() public {
        _slash(1 ether);
        ISupply.Terms memory terms = termsOf(GPU_EU, 5, 8);
        vm.prank(alice);
        nodes.setTerms(id, terms);
        terms = termsOf(GPU_EU, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, 49 ether, 60 ether));
        vm.prank(alice);
        nodes.setTerms(id, terms);
    }

    /// @notice The largest node there may be.
    function test_LargestCapacity() public {
        setParam(Param.StakePerUnit, 1_000_000);
        uint32 largest = register(alice, CPU_EU, type(uint24).max, 0);
        _assertListing(largest, type(uint24).max, CPU_EU, 0);
        ISupply.Terms memory terms = termsOf(CPU_EU, uint32(type(uint24).max) + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISupply.InvalidCapacity.selector, terms.capacity));
        vm.prank(alice);
        nodes.setTerms(largest, terms);
    }

    /// @notice Neither in a round, nor after a batch: only while the batch holds the listings.
    function test_ReserveOnlyInABatch() public {
        _freezeBy(address(rounds));
        vm.expectRevert(ISupply.ListingsNotFrozen.selector);
        vm.prank(address(reassignment));
        supply.reserve(id, 1);
        _thawBy(address(rounds));

        _freezeBy(address(reassignment));
        vm.prank(address(reassignment));
        supply.reserve(id, 1);
        _assertListing(id, 4, GPU_EU, 7 * 1_500);
        _thawBy(address(reassignment));

        vm.expectRevert(ISupply.ListingsNotFrozen.selector);
        vm.prank(address(reassignment));
        supply.reserve(id, 1);
    }

    /// @notice Which freeze was the last, and when a batch last had one: rounds leave that as it is.
    function test_LastFreeze() public {
        _freezeBy(address(rounds));
        _assertFreeze(ISupply.Freeze(true, false, 1, 0, 0));
        vm.warp(block.timestamp + 10);
        _thawBy(address(rounds));
        _assertFreeze(ISupply.Freeze(false, false, 1, 0, uint40(block.timestamp)));

        vm.warp(block.timestamp + 10);
        _freezeBy(address(reassignment));
        uint40 batchAt = uint40(block.timestamp);
        _assertFreeze(ISupply.Freeze(true, true, 2, batchAt, 0));
        vm.warp(block.timestamp + 10);
        _thawBy(address(reassignment));

        vm.warp(block.timestamp + 10);
        _freezeBy(address(rounds));
        _assertFreeze(ISupply.Freeze(true, false, 3, batchAt, 0));
    }

    /// @notice What a node lost counts against it in the holder pool once anybody brings it up to date.
    function test_SyncNotesStake() public {
        _slash(20 ether);
        supply.sync(ids32(id));
        assertEq(_averageStake(), 30);
    }

    /// @notice A draining node may be active again: it must not come back with stake that it lost meanwhile.
    function test_SyncNotesStake_draining() public {
        vm.prank(alice);
        nodes.drain(id);
        _slash(20 ether);
        supply.sync(ids32(id));
        vm.prank(alice);
        nodes.resume(id);
        assertEq(_averageStake(), 30);
    }

    /// @notice The position of a node that left is another's by now: syncing the one changes nothing of the other.
    function test_SyncNotesNoStake_left() public {
        vm.startPrank(alice);
        nodes.drain(id);
        nodes.exit(id);
        vm.stopPrank();
        register(bob, CPU_EU, 1, 1);
        supply.sync(ids32(id));
        assertEq(_averageStake(), 10, "a node that unbonds");
    }

    /// @notice Nor does syncing a node that never was.
    function test_SyncNotesNoStake_unknown() public {
        supply.sync(ids32(id + 1));
        assertEq(_averageStake(), 50);
    }

    function _slash(uint256 amount) private {
        vm.prank(address(leases));
        supply.slash(id, amount);
    }

    function _freezeBy(address module) private {
        vm.prank(module);
        supply.freeze(0);
    }

    function _thawBy(address module) private {
        vm.prank(module);
        supply.thaw();
    }

    /// @dev Average stake of the pool's active nodes, whole VER, as the next freeze fixes it.
    function _averageStake() private returns (uint40 average) {
        _freezeBy(address(rounds));
        (, , average) = holderPool.lastFreeze();
    }

    function _assertFreeze(ISupply.Freeze memory expected) private view {
        assertEq(abi.encode(supply.lastFreeze()), abi.encode(expected));
    }

    function _assertListing(uint32 nodeId, uint32 units, uint8 classId, uint40 priceMicroVer) private view {
        (uint32 listed, uint8 listedClass, uint40 price) = supply.listingOf(nodeId);
        assertEq(listed, units, "units");
        assertEq(listedClass, classId, "class");
        assertEq(price, priceMicroVer, "price");
    }
}
