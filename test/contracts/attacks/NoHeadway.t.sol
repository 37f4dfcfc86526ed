// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A node holds a lease to the deadline by one basis point of progress an interval
contract NoHeadwayTest is Fixture {
    address private mallory = makeAddr("mallory");
    ITaskRegistry.Submission private terms;

    function setUp() public override {
        super.setUp();
        register(mallory, CPU_EU, 4, 0);
        register(alice, CPU_EU, 4, 10);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        // A unit takes at most an hour; the deadline is a day away.
        s.maxUnitTime = 1 hours;
        s.deadline = uint40(block.timestamp + 1 days);
        terms = s;
        submit(bob, s);
        runRound(1);
    }

    function test_OneBasisPointAnInterval() public {
        uint256 granted = block.timestamp;
        uint40 progress;
        while (block.timestamp <= leases.lease(1).due) {
            checkpoint(1, ++progress);
            vm.warp(block.timestamp + 85);
        }
        // Two intervals with their graces of delay, one more until it is due, and no more.
        assertLe(leases.lease(1).due, granted + 4 * 90);
        vm.prank(keeper);
        leases.expire(1);
        uint256 penalty = stakeFor(4) - vault.stakeOf(1);
        assertEq(penalty, (stakeFor(4) * param(Param.SlashBps)) / 10_000);
        assertGt(nodes.node(1).cooldownUntil, block.timestamp);
        emit log_named_uint("seconds that a lease is held, of a day", block.timestamp - granted);
        emit log_named_uint("penalty, micro-VER", penalty / MICRO);
        // The honest node has the range at once.
        runBatch(3);
        assertEq(leases.lease(2).nodeId, 2);
        assertBooks();
    }

    /// @notice To the last second of the longest time nine tenths are enough; after it nothing is.
    function test_LastSecond() public {
        vm.warp(block.timestamp + 2 * 90 + 1 hours);
        checkpoint(1, 4 * 9_000);
        assertEq(leases.lease(1).due, block.timestamp + 90);
        vm.warp(block.timestamp + 1);
        uint32 due = leases.lease(1).due;
        checkpoint(1, 4 * 10_000 - 1);
        assertEq(leases.lease(1).due, due);
    }

    /// @notice Made-up progress that keeps pace holds a lease no longer than the longest time that was agreed.
    function test_MadeUpProgress() public {
        uint256 granted = block.timestamp;
        while (block.timestamp <= leases.lease(1).due) {
            uint256 elapsed = block.timestamp - granted;
            uint256 progress = (40_000 * elapsed) / 1 hours + 1;
            if (progress < 40_000) checkpoint(1, uint40(progress));
            vm.warp(block.timestamp + 85);
        }
        assertLe(block.timestamp, granted + 1 hours + 4 * 90);
        leases.expire(1);
        assertLt(vault.stakeOf(1), stakeFor(4));
        emit log_named_uint("seconds held with a longest time of an hour", block.timestamp - granted);
    }

    /// @notice A claim of nearly everything at once satisfies the pace, but not for longer than was agreed.
    function test_EarlyClaim() public {
        uint256 granted = block.timestamp;
        uint40 progress = 39_000;
        while (block.timestamp <= leases.lease(1).due) {
            checkpoint(1, ++progress);
            vm.warp(block.timestamp + 85);
        }
        assertLe(block.timestamp, granted + 1 hours + 4 * 90);
        leases.expire(1);
        assertLt(vault.stakeOf(1), stakeFor(4));
    }

    /// @notice What is demanded is said, and the checkpoint counts all the same.
    function test_NotRenewed() public {
        uint256 granted = block.timestamp;
        for (uint40 i = 1; i < 4; ++i) {
            vm.warp(leases.lease(1).due);
            checkpoint(1, i);
        }
        // The third one used up the delay.
        uint256 due = granted + 3 * 90;
        assertEq(leases.lease(1).due, due);
        vm.warp(due + 1);
        // 91 s of the hour that were not forgiven: 40,000 x 91 / 3,600, rounded up.
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseNotRenewed(1, 4, 1_012);
        checkpoint(1, 4);
        assertEq(leases.lease(1).due, due);
        assertEq(checkpoints.newestOfMany(ids32(1))[0].progress, 4);
        checkpoint(1, 1_012);
        assertEq(leases.lease(1).due, due + 91);
    }

    /// @notice A node that works at the pace that was agreed keeps its lease to the end, whatever the interval between its posts.
    function testFuzz_HonestPace(uint256 seed) public {
        uint256 granted = block.timestamp;
        uint40 last;
        while (block.timestamp < granted + 1 hours) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 captured = block.timestamp;
            // Copying and posting takes up to half a minute.
            vm.warp(block.timestamp + 1 + (seed % 30));
            uint40 progress = uint40((40_000 * (captured - granted)) / 1 hours);
            // Programs are taken at their word up to 95 %.
            if (progress > 38_000) progress = last < 38_000 ? 38_000 : last + 1;
            if (progress > last) {
                checkpoint(1, progress);
                last = progress;
                assertEq(leases.lease(1).due, block.timestamp + 90);
            }
            vm.warp(block.timestamp + 31 + ((seed >> 128) % 29));
        }
        deliver(1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Delivered);
    }

    /// @notice A successor is measured by what it adds, and an unusable claim of its predecessor is not held against it.
    function test_Successor() public {
        checkpoint(1, 39_000);
        release(1);
        // Mallory's node is the cheaper one: let it leave.
        vm.prank(mallory);
        nodes.drain(1);
        runRound(2);
        assertEq(leases.lease(2).parent, 1);
        uint256 granted = block.timestamp;
        // It starts again.
        for (uint256 i = 1; i < 60; ++i) {
            vm.warp(granted + 60 * i);
            checkpoint(2, uint40((40_000 * i) / 61));
            assertEq(leases.lease(2).due, block.timestamp + 90);
        }
        deliver(2);
    }

    function test_Terms() public {
        assertEq(tasks.task(1).maxUnitTime, 1 hours);
        (uint32 interval, uint32 longest) = tasks.paceOf(1);
        assertEq(interval, 60);
        assertEq(longest, 1 hours);
        _refused(59);
        _refused(uint32(type(uint24).max) + 1);
        terms.maxUnitTime = type(uint24).max;
        uint32 id = submit(bob, terms);
        assertEq(tasks.task(id).maxUnitTime, type(uint24).max);
    }

    function _refused(uint32 maxUnitTime) private {
        terms.maxUnitTime = maxUnitTime;
        vm.expectRevert(
            abi.encodeWithSelector(ITaskRegistry.UnitTimeOutOfBounds.selector, maxUnitTime, 60, type(uint24).max)
        );
        tasks.submit(terms);
    }
}
