// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title An owner lets leases expire, rather than give them back, to avoid the release fee and the bar
/// @dev With BASE's parameters. The owner expires its leases itself, and so has the bounty as well.
contract ExpiryTest is Fixture {
    address private developer = makeAddr("developer");

    function setUp() public override {
        super.setUp();
        setParam(Param.StakePerUnit, 100_000_000);
        setParam(Param.Cooldown, 2 hours);
        setParam(Param.LeaseGrace, 90 seconds);
        setParam(Param.ReleaseFee, 1_000_000);
        setParam(Param.ReleaseUnitFee, 10_000);
        setParam(Param.ReleaseBar, 1 hours);
    }

    /// @notice Whatever a lease's size and price, expiry takes the fee and the penalty, and bars the owner as well.
    function testFuzz_GivingBackCostsLess(uint8 units, uint16 tick) public {
        _compare(uint32(bound(units, 1, 192)), bound(tick, 0, 4_095));
    }

    function test_GivingBackCostsLess() public {
        (uint256 back, uint256 expired) = _compare(1, 20);
        emit log_named_decimal_uint("VER for giving a unit back", back, 18);
        emit log_named_decimal_uint("VER for letting it expire", expired, 18);
        assertGt(expired, 4 * back);
    }

    function test_GivingBackCostsLess_aWholeRound() public {
        (uint256 back, uint256 expired) = _compare(192, 20);
        emit log_named_decimal_uint("VER for giving 192 units back", back, 18);
        emit log_named_decimal_uint("VER for letting them expire", expired, 18);
        assertGt(expired, 300 * back);
    }

    /// @notice Also where governance lets a failure cost nothing, and units are given away.
    function test_WithoutSlashing() public {
        setParam(Param.SlashBps, 0);
        (uint256 back, uint256 expired) = _compare(1, 0);
        assertEq(expired, back);
        assertEq(back, releaseFees.feeFor(1));
    }

    /// @notice A lease that got its range further costs the penalty alone, as giving it back would cost nothing: an owner of many
    /// nodes is not barred because one of them broke down.
    function test_HeadwayBarsNobody() public {
        register(alice, CPU_EU, 10, 0);
        submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        vm.warp(block.timestamp + 60);
        checkpoint(1, 5_000);
        assertTrue(releaseFees.isFree(1));
        assertEq(_letExpire(1), 10 * 5 ether - param(Param.ExpireBounty) * MICRO);
        (uint40 barred, ) = supply.barOf(alice);
        assertEq(barred, 0);
        assertGt(nodes.node(1).cooldownUntil, block.timestamp);
    }

    /// @notice Those who were held up get their share when the task was run after all.
    function test_DeveloperIsPaid() public {
        register(alice, CPU_EU, 10, 0);
        uint32 task = submit(developer, 10, 20_000, CPU_EU);
        runRound(1);
        register(bob, CPU_EU, 10, 0);
        _letExpire(1);
        runBatch(1);
        uint32 second = leases.leaseCount();
        assertEq(leases.lease(second).nodeId, 2);
        deliver(second);
        accept(developer, second);
        uint256 before = vault.claimable(developer);
        releaseFees.distribute(task);
        assertEq(vault.claimable(developer) - before, 10 * param(Param.ReleaseUnitFee) * MICRO);
        assertBooks();
    }

    /// @notice The bar is the owner's and doubles, however a lease was lost: who takes units for nothing all day holds up no
    /// more rounds by expiry, and pays more than four times as much for each.
    function test_ADay() public {
        uint32 node = register(alice, CPU_EU, 1, 0);
        (uint256 given, uint256 back) = _day(node, false);
        vm.prank(alice);
        nodes.drain(node);
        node = register(bob, CPU_EU, 1, 0);
        // More than a unit needs, or the first penalty would be the last.
        fund(bob, 1_000 ether);
        vm.prank(bob);
        nodes.addStake(node, 1_000 ether);
        (uint256 expiries, uint256 expired) = _day(node, true);
        emit log_named_uint("rounds in a day by giving back", given);
        emit log_named_decimal_uint("VER for these", back, 18);
        emit log_named_uint("rounds in a day by expiry", expiries);
        emit log_named_decimal_uint("VER for these", expired, 18);
        assertLe(given, 5);
        assertLe(expiries, given);
        assertGt(expired * given, 4 * back * expiries, "for each round");
        assertBooks();
    }

    /// @notice Many leases of an owner that all fail without headway fit a transaction: one bar takes its nodes out.
    /// hardhat-config: isolate = true
    function test_ManyAtOnce() public {
        for (uint256 i; i < 32; ++i) {
            register(alice, CPU_EU, 1, 0);
            submit(developer, 1, 20_000, CPU_EU);
        }
        for (uint256 w = 1; leases.leaseCount() < 32; ++w) runRound(w);
        // Listed still, so that the bar has something to do.
        for (uint256 i; i < 20; ++i) register(alice, CPU_EU, 1, i);
        vm.warp(uint256(leases.lease(32).due) + 1);
        uint32[] memory ids = new uint32[](32);
        for (uint32 i; i < 32; ++i) ids[i] = i + 1;
        assertEq(leases.expireOverdue(ids), 32);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("gas for 32", used);
        assertLt(used, GAS_CAP / 2);
        assertEq(releaseFees.heldCount(), 32);
        (, uint8 level) = supply.barOf(alice);
        assertEq(level, 1, "they count once");
        assertBooks();
    }

    /// @dev Two owners have the same units of one task in turn: one gives them back, the other lets them expire.
    function _compare(uint32 units, uint256 tick) private returns (uint256 back, uint256 expired) {
        register(alice, CPU_EU, units, tick);
        submit(developer, units, tick * 1_000 + 1_000, CPU_EU);
        runRound(1);
        uint256 granted = block.timestamp;
        back = _giveBack(1);
        (uint40 barred, ) = supply.barOf(alice);
        uint256 outByBack = barred - granted;

        register(bob, CPU_EU, units, tick);
        runRound(2);
        granted = block.timestamp;
        assertEq(leases.lease(2).nodeId, 2);
        assertEq(leases.lease(2).count, units);
        expired = _letExpire(2);
        assertGe(expired, back, "VER");
        assertGt(nodes.node(2).cooldownUntil - granted, outByBack, "time without new leases");
        assertBooks();
    }

    /// @dev Takes a unit and does nothing with it as often as a day lets it.
    function _day(uint32 node, bool byExpiry) private returns (uint256 times, uint256 cost) {
        uint256 end = block.timestamp + 1 days;
        for (; block.timestamp < end; ++times) {
            // The fee and the penalty take stake that the unit needs.
            address owner = nodes.node(node).owner;
            fund(owner, 10 ether);
            vm.prank(owner);
            nodes.addStake(node, 10 ether);
            supply.sync(ids32(node));
            uint32 task = submit(developer, 1, 20_000, CPU_EU);
            runRound(times + 1);
            uint32 id = leases.leaseCount();
            assertEq(leases.lease(id).nodeId, node);
            cost += byExpiry ? _letExpire(id) : _giveBack(id);
            vm.warp(nodes.node(node).cooldownUntil);
            // No other node can take the range: it goes back to the task, and the next one has the market to itself.
            if (orphanCount() != 0) runBatch(times + 1);
            vm.prank(developer);
            tasks.cancel(task);
        }
    }

    function _giveBack(uint32 id) private returns (uint256) {
        uint32 node = leases.lease(id).nodeId;
        uint256 stake = vault.stakeOf(node);
        release(id);
        return stake - vault.stakeOf(node);
    }

    function _letExpire(uint32 id) private returns (uint256) {
        uint32 node = leases.lease(id).nodeId;
        address owner = nodes.node(node).owner;
        uint256 wealth = vault.stakeOf(node) + vault.claimable(owner);
        vm.warp(uint256(leases.lease(id).due) + 1);
        vm.prank(owner);
        leases.expire(id);
        return wealth - vault.stakeOf(node) - vault.claimable(owner);
    }
}
