// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {IVrfSeeds} from "../../../contracts/interfaces/IVrfSeeds.sol";
import {Failures} from "../support/Failures.sol";

/// @title Who would bend a draw, and what stops it
contract FailoverAttacksTest is Failures {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
        for (uint256 i; i < 5; ++i) register(alice, CPU_EU, 6, 3);
        vm.warp(block.timestamp + 61);
        for (uint32 n = 2; n <= 6; ++n) report(n, uint16(n * 1_000), uint16(n * 40));
        expire(id);
    }

    /// @notice One request a batch: there is no asking again for a better seed.
    function test_NoSecondRequest() public {
        openBatch();
        uint256 requestId = reassignment.current().requestId;
        vm.expectPartialRevert(IReassignment.BatchOpen.selector);
        reassignment.open();
        vm.expectRevert(abi.encodeWithSelector(IVrfSeeds.NotModule.selector, address(this)));
        seeds.request();
        fulfilBatch(1);
        bytes32 seed = reassignment.current().seed;
        fulfilAgain(requestId);
        assertEq(reassignment.current().seed, seed);
        // The seed is known: still no way to another one but to wait, and then the range goes to the queue.
        vm.expectPartialRevert(IReassignment.BatchOpen.selector);
        reassignment.open();
        vm.expectPartialRevert(IReassignment.BatchNotTimedOut.selector);
        reassignment.abort();
    }

    /// @notice Whatever nodes do after the seed was asked for, the same node is drawn.
    function testFuzz_NothingAfterTheFreezeCounts(uint256 word) public {
        openBatch();
        uint256 before = vm.snapshotState();
        fulfilBatch(word);
        reassignment.draw(1);
        bytes32 undisturbed = _outcome();
        vm.revertToState(before);

        fulfilBatch(word);
        // Newcomers, leavers, other terms, more stake, other loads and latencies, a failure.
        register(alice, CPU_EU, 60, 0);
        vm.startPrank(alice);
        nodes.drain(2);
        ISupply.Terms memory terms = termsOf(CPU_US, 6, 4_000);
        nodes.setTerms(3, terms);
        terms = termsOf(CPU_EU, 6, 2);
        nodes.setTerms(4, terms);
        vm.stopPrank();
        vm.warp(block.timestamp + 40);
        report(5, 10_000, 500);
        report(6, 0, 0);
        setParam(Param.LatencyFloor, 1_000);
        reassignment.draw(1);
        assertEq(_outcome(), undisturbed);
    }

    /// @notice The failed node never gets its own range back, however often it is drawn.
    function testFuzz_NotTheFailedNode(uint256 word) public {
        // It had units free beside the lease, and is not cooling any more.
        vm.warp(block.timestamp + 11 minutes);
        supply.sync(ids32(1));
        assertGt(nodes.node(1).listedUnits, 0);
        runBatch(word);
        for (uint32 n = id + 1; n <= leases.leaseCount(); ++n) assertTrue(leases.lease(n).nodeId != 1);
    }

    /// @notice The zombie's fence is stale from the moment that its range is drawn.
    function test_Zombie() public {
        runBatch(1);
        uint32 next = id + 1;
        assertEq(leases.lease(next).parent, id);
        vm.startPrank(operatorOf(1));
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.StaleFence.selector, next, 1, 2));
        checkpoints.post(next, 1, RESULT, 0x55, 200, 1, noReceipts());
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.StaleFence.selector, next, 1, 2));
        leases.deliver(next, 1, RESULT, 0x55, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, ILeaseRegistry.LeaseStatus.Expired)
        );
        leases.deliver(id, 1, RESULT, 0x55, 1);
        vm.stopPrank();
    }

    /// @notice Expired once is expired: no second bounty, no second orphan.
    function test_NoSecondExpiry() public {
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, ILeaseRegistry.LeaseStatus.Expired)
        );
        leases.expire(id);
        assertEq(reassignment.orphanCount(), 1);
    }

    /// @notice When the chain stood still nobody can be massacred for it, however many leases look overdue.
    function test_NoMassacreAfterOutage() public {
        runBatch(1);
        uint32 count = leases.leaseCount();
        vm.warp(block.timestamp + 1 days);
        sequencer(false);
        vm.warp(block.timestamp + 1 hours);
        sequencer(true);
        vm.warp(block.timestamp + 30 minutes);
        for (uint32 n = id + 1; n <= count; ++n) {
            vm.expectPartialRevert(ILeaseRegistry.LeaseNotOverdue.selector);
            leases.expire(n);
        }
    }

    /// @notice Only reassignment takes units outside a round, and only while it holds the listings.
    function test_OnlyTheFreezerTakes() public {
        vm.expectRevert(ISupply.ListingsNotFrozen.selector);
        vm.prank(address(reassignment));
        supply.reserve(2, 1);
        openBatch();
        vm.expectRevert(abi.encodeWithSelector(ISupply.NotModule.selector, address(balancer)));
        vm.prank(address(balancer));
        supply.reserve(2, 1);
        vm.expectRevert(abi.encodeWithSelector(ISupply.NotModule.selector, address(rounds)));
        vm.prank(address(rounds));
        supply.thaw();
    }

    function fulfilAgain(uint256 requestId) private {
        uint256[] memory words = new uint256[](1);
        words[0] = 99;
        vm.prank(address(coordinator));
        seeds.rawFulfillRandomWords(requestId, words);
    }

    /// @dev Who has what of the range.
    function _outcome() private view returns (bytes32 hash) {
        for (uint32 n = id + 1; n <= leases.leaseCount(); ++n) {
            ILeaseRegistry.Lease memory held = leases.lease(n);
            hash = keccak256(abi.encode(hash, held.nodeId, held.start, held.count, held.price));
        }
    }
}
