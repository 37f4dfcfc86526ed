// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Moves} from "../support/Moves.sol";

/// @title A developer has units moved to a node of its own when they are nearly done, or a node claims work it did not do
contract WorkTakenTest is Moves {
    address private developer = makeAddr("developer");
    uint256 private constant UNIT = 10_000 * 1e12;

    /// @dev Alice runs ten units for ten hours, to 95 %; six of them move to the developer's node. No lie.
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 10, 10);
        ITaskRegistry.Submission memory s = submission(10, 20_000, list(CPU_EU));
        s.checkpointInterval = 12 hours;
        s.maxUnitTime = 1 days;
        submit(developer, s);
        runRound(1);
        register(developer, CPU_EU, 10, 10);
        vm.warp(block.timestamp + 10 hours);
        checkpoint(1, 95_000);
        report(1, 10_000);
        report(2, 0);
        move(1, 6);
        vm.warp(block.timestamp + param(Param.MoveGrace) + 1);
        leases.handOver(1);
        // Nobody else has room for it.
        runBatch(5);
        assertEq(leases.lease(3).nodeId, 2);
        assertEq(leases.lease(3).count, 6);
    }

    /// @notice The developer's node delivers at once: the work is paid to who did it.
    function test_MovedAndDelivered() public {
        deliver(3);
        accept(developer, 3);
        assertEq(vault.claimable(alice), (6 * UNIT * 9_500) / 10_000);
        deliver(2);
        accept(developer, 2);
        emit log_named_uint(
            "honest node paid, hundredths of a unit of ten units",
            (vault.claimable(alice) * 100) / UNIT
        );
        // Her four units whole, and 95 % of the six.
        assertEq(vault.claimable(alice), 4 * UNIT + (6 * UNIT * 9_500) / 10_000);
        assertBooks();
    }

    /// @notice It waits with the delivery, to make its own part of the time larger: by no more than the agreed longest time.
    function test_MovedAndHeldBack() public {
        uint256 granted = block.timestamp;
        checkpoint(3, 1);
        vm.warp(granted + 12 hours);
        checkpoint(3, 2);
        vm.warp(granted + 24 hours);
        deliver(3);
        accept(developer, 3);
        // 10 of at most 24 hours.
        assertGe(vault.claimable(alice), (6 * UNIT * 10) / 24);
        emit log_named_uint(
            "held back for a day: honest node paid, basis points",
            (vault.claimable(alice) * 10_000) / (6 * UNIT)
        );
        assertBooks();
    }

    /// @notice Saying that it began again takes nothing from who was before.
    function test_MovedAndSaidToBeginAnew() public {
        vm.warp(block.timestamp + 30 minutes);
        checkpoint(3, 1);
        release(3);
        vm.prank(alice);
        nodes.drain(1);
        vm.warp(uint256(nodes.node(2).cooldownUntil) + 1);
        runRound(2);
        uint32 last = leases.leaseCount();
        assertEq(leases.lease(last).parent, 3);
        deliver(last);
        accept(developer, last);
        assertGe(vault.claimable(alice), (6 * UNIT * 9_000) / 10_000);
        assertBooks();
    }

    /// @notice A claim of 95 % a minute after the grant, and the units given back: next to nothing.
    function test_EarlyClaim() public {
        address mallory = makeAddr("mallory");
        vm.prank(developer);
        nodes.drain(2);
        vm.prank(alice);
        nodes.drain(1);
        register(mallory, CPU_EU, 4, 20);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        s.checkpointInterval = 12 hours;
        s.maxUnitTime = 1 days;
        submit(bob, s);
        runRound(3);
        uint32 claimed = leases.leaseCount();
        vm.warp(block.timestamp + 60);
        checkpoint(claimed, 38_000);
        release(claimed);
        vm.prank(mallory);
        nodes.drain(3);
        address carol = makeAddr("carol");
        register(carol, CPU_EU, 4, 10);
        runRound(4);
        uint32 done = leases.leaseCount();
        assertEq(leases.lease(done).parent, claimed);
        vm.warp(block.timestamp + 10 hours);
        deliver(done);
        accept(bob, done);
        emit log_named_uint(
            "early claim of 95 %: paid, basis points of its price",
            (vault.claimable(mallory) * 10_000) / (8 * UNIT)
        );
        // A minute of ten hours and a minute.
        assertLe(vault.claimable(mallory), (8 * UNIT * 17) / 10_000);
        assertGe(vault.claimable(carol), (4 * UNIT * 9_983) / 10_000);
        assertBooks();
    }
}
