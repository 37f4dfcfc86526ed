// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Moves} from "../support/Moves.sol";

/// @title A node baits with a low ask, and would have the work handed to a dear node of its owner's or a friend's
contract BaitAndSwitchTest is Moves {
    address private mallory = makeAddr("mallory");
    address private friend = makeAddr("friend of mallory");

    /// @dev Node 1 is honest and asks 10,000. Mallory's node 2 asks nothing and wins four units; mallory's node 3 and the
    /// friend's node 4 ask all that the developer pays.
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 10, 10);
        register(mallory, CPU_EU, 10, 0);
        register(mallory, CPU_EU, 10, 20);
        register(friend, CPU_EU, 10, 20);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        assertEq(abi.encode(leases.lease(1).nodeId, leases.lease(1).priceMicroVer), abi.encode(2, 0));
        _report(1, 0);
        _report(2, 0);
        _report(3, 0);
        _report(4, 0);
    }

    function test_Costs() public {
        uint256 before = vm.snapshotState();
        uint256 gas_ = gasleft();
        testFuzz_FalseLoad(1);
        emit log_named_uint("bait, then a false load: micro-VER paid to the attacker, of 80,000 aimed for", _paid());
        emit log_named_uint(
            "its cost: the lease, and the gas of the lie, the move and all that follows",
            gas_ - gasleft()
        );
        vm.revertToState(before);
        uint256 stake = vault.stakeOf(2);
        testFuzz_Failing(1);
        emit log_named_uint("bait, then failing: micro-VER paid to the attacker, of 80,000 aimed for", _paid());
        emit log_named_uint("its cost: the lease, and of its stake, micro-VER", (stake - vault.stakeOf(2)) / MICRO);
    }

    /// @notice The lie about the load moves the units: to the honest node, at what it asks.
    function testFuzz_FalseLoad(uint64 word) public {
        _report(2, 10_000);
        move(1, 4);
        release(1);
        runBatch(word);
        _assertHonest();
    }

    /// @notice Failing on purpose leads to the same node, and costs a slice of the stake.
    function testFuzz_Failing(uint64 word) public {
        uint256 stake = vault.stakeOf(2);
        expire(1);
        runBatch(word);
        _assertHonest();
        assertLt(vault.stakeOf(2), stake);
    }

    /// @notice Nor does a class that only the attacker serves help, though it is more efficient and its node is throttled.
    function testFuzz_Throttled(uint64 word) public {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](2);
        settings[0] = IEnergyLedger.ClassSetting(CPU_EU, IEnergyLedger.ClassEnergy(12_600, 0));
        settings[1] = IEnergyLedger.ClassSetting(GPU_EU, IEnergyLedger.ClassEnergy(9_000, 0));
        ledger.setClassEnergies(settings);
        register(mallory, CPU_EU, 4, 0);
        register(friend, GPU_EU, 10, 13);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU, GPU_EU));
        s.checkpointInterval = 12 hours;
        submit(bob, s);
        vm.prank(mallory);
        nodes.drain(2);
        runRound(1);
        assertEq(leases.lease(2).nodeId, 5);
        power(6, 0, 10);
        power(5, 5_000, 301);
        power(5, 5_000, 301);
        _report(1, 0);
        telemetry.throttle(5);
        move(2, 4);
        release(2);
        runBatch(word);
        for (uint32 id = 3; id <= leases.leaseCount(); ++id) assertLe(leases.lease(id).priceMicroVer, 10_000);
        assertEq(nodes.node(6).leased, 0);
        // What found no node waits for a round, which serves it as cheaply as can be.
        runRound(2);
        assertEq(nodes.node(1).leased, 4);
    }

    /// @notice The owner's node is not drawn even where nobody is cheaper.
    function testFuzz_OwnNodeIsCheapest(uint64 word) public {
        vm.startPrank(mallory);
        nodes.setTerms(3, termsOf(CPU_EU, 10, 1));
        vm.stopPrank();
        _report(2, 10_000);
        move(1, 4);
        release(1);
        runBatch(word);
        assertEq(nodes.node(3).leased, 0);
    }

    /// @notice Random markets of three owners: no taker is of the owner of the lease that ended, and none is paid more than that
    /// lease, or than the price at which the market had the units free.
    function testFuzz_NoTakerIsChosen(uint256 random) public {
        address[3] memory owners = [alice, mallory, friend];
        uint32 first = nodes.nodeCount() + 1;
        for (uint256 i; i < 9; ++i) {
            uint256 word = uint256(keccak256(abi.encode(random, i)));
            register(owners[word % 3], CPU_EU, uint32(1 + ((word >> 8) % 9)), 1 + ((word >> 16) % 19));
        }
        for (uint32 n = first; n < first + 9; ++n) {
            uint256 word = uint256(keccak256(abi.encode(random, n)));
            submit(bob, uint32(1 + (word % 5)), 20_000, CPU_EU);
        }
        runRound(random % 1_000_003);
        uint32 before = leases.leaseCount();
        vm.warp(block.timestamp + 60);
        for (uint32 n = 1; n <= nodes.nodeCount(); ++n) {
            report(n, uint16(uint256(keccak256(abi.encode(n, random))) % 10_001));
        }
        // Whatever may move moves, and one fails.
        for (uint32 id = 1; id < before; ++id) _tryToMove(id);
        expire(before);
        vm.warp(block.timestamp + 60);
        for (uint32 n = 1; n <= nodes.nodeCount(); ++n) {
            report(n, uint16(uint256(keccak256(abi.encode(random, n, "later"))) % 10_001));
        }
        for (uint32 id = 1; id < before; ++id) {
            if (leases.lease(id).status == ILeaseRegistry.LeaseStatus.Moving) release(id);
        }
        openBatch();
        uint256 drawnFrom = leases.leaseCount() + 1;
        uint32[] memory orphans = reassignment.current().leaseIds;
        fulfilBatch(random);
        for (uint256 i; i < orphans.length; ++i) {
            (ILeaseRegistry.Lease memory range, , ) = leases.orphanOf(orphans[i]);
            uint256 market = supply.priceOf(CPU_EU, range.count);
            uint32 count = leases.leaseCount();
            reassignment.draw(1);
            for (uint32 id = count + 1; id <= leases.leaseCount(); ++id) _assertFair(id, range, market);
        }
        assertGe(leases.leaseCount() + 1, drawnFrom);
    }

    function _assertFair(uint32 id, ILeaseRegistry.Lease memory range, uint256 market) private view {
        ILeaseRegistry.Lease memory taken = leases.lease(id);
        (address owner, ) = nodes.keysOf(taken.nodeId);
        (address before, ) = nodes.keysOf(range.nodeId);
        assertTrue(owner != before, "another owner");
        assertLe(taken.priceMicroVer, 20_000, "no more than the task pays");
        assertTrue(
            taken.priceMicroVer <= range.priceMicroVer || taken.priceMicroVer <= market,
            "no more than the market asks"
        );
    }

    function _tryToMove(uint32 id) private {
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        for (uint24 units = leases.lease(id).count; units != 0; --units) {
            moves[0] = IBalancer.Move(id, units);
            try balancer.move(moves) {
                return;
            } catch {
                // This node has nothing to give, or not so much of it.
                continue;
            }
        }
    }

    function _report(uint32 nodeId, uint16 load) private {
        vm.warp(block.timestamp + 10);
        report(nodeId, load);
    }

    /// @dev All is paid: to the honest node alone, be it that it was drawn or that a round gave it what was left over.
    function _assertHonest() private {
        if (tasks.task(1).openUnits != 0) runRound(9);
        for (uint32 id = 2; id <= leases.leaseCount(); ++id) {
            assertEq(abi.encode(leases.lease(id).nodeId, leases.lease(id).priceMicroVer), abi.encode(1, 10_000));
            deliver(id);
            accept(bob, id);
        }
        assertEq(_paid(), 0, "paid to the attackers");
        assertEq(vault.claimable(alice), 4 * 10_000 * MICRO, "paid to the honest node");
    }

    function _paid() private view returns (uint256) {
        return (vault.claimable(mallory) + vault.claimable(friend)) / MICRO;
    }
}
