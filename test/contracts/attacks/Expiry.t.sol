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

    /// @notice Whatever a lease's size and price, expiry takes more VER, and the first time more hours.
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

    /// @notice The bar doubles and the cooldown does not: who takes units for nothing all day holds up more rounds by expiry,
    /// but pays more than four times as much for each of them.
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
        assertLe(expiries, 1 days / param(Param.Cooldown));
        assertGt(expired * given, 4 * back * expiries, "for each round");
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
        assertGt(expired, back, "VER");
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
