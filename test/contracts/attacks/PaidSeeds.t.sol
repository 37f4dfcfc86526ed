// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer has rounds opened that bring nothing in
contract PaidSeedsTest is Fixture {
    uint256 private constant SEED_PRICE = 20_000;

    address private griefer = makeAddr("griefer");
    address private developer = makeAddr("developer");

    function setUp() public override {
        super.setUp();
        setParam(Param.SeedPrice, uint64(SEED_PRICE));
    }

    /// @notice A unit at a micro-VER on the griefer's own node, again and again. Before, each made the subscription pay for a
    /// seed, for a submission fee; now each round brings its price to the pool, and no bounty comes out of it.
    function test_OneUnitTasks() public {
        register(griefer, CPU_US, 10, 0);
        uint256 pool = vault.totals().bountyPool;
        for (uint256 i; i < 10; ++i) {
            submit(griefer, 1, 1, CPU_US);
            runRound(i);
        }
        uint256 brought = vault.totals().bountyPool - pool;
        emit log_named_decimal_uint("what ten rounds of a unit cost the griefer, VER", brought, 18);
        assertEq(brought, 10 * (SEED_PRICE + param(Param.SubmissionFee)) * MICRO);
        assertEq(vault.claimable(keeper), 0);
        assertBooks();
    }

    /// @notice One task that is leased and given back round after round pays each time; when its deposit is used up, it is in
    /// no round.
    function test_SameTaskAgainAndAgain() public {
        register(griefer, CPU_US, 1, 0);
        uint32 id = submit(griefer, 2, 1, CPU_US);
        uint256 pool = vault.totals().bountyPool;
        uint256 run;
        for (; servable(id); ++run) {
            runRound(run);
            release(leases.leaseCount());
        }
        assertEq(run, tasks.ROUNDS_IN_ADVANCE());
        assertEq(vault.totals().bountyPool - pool, run * SEED_PRICE * MICRO);
        assertEq(tasks.park(1), 1);
        assertTrue(tasks.task(id).parked);
        assertBooks();
    }

    /// @notice Huge tasks that the griefer's node serves and gives back fill the places of rounds: each place costs its share,
    /// each time.
    function test_PlacesCostEachTime() public {
        uint256 places = 6;
        setParam(Param.RoundMaxTasks, uint64(places));
        setParam(Param.RoundMaxUnits, 24);
        register(griefer, CPU_US, 24, 0);
        for (uint256 i; i < places; ++i) submit(griefer, 1 << 9, 1, CPU_US);
        uint256 pool = vault.totals().bountyPool;
        for (uint256 i; i < 5; ++i) {
            uint32 first = leases.leaseCount() + 1;
            runRound(i);
            for (uint32 id = first; id <= leases.leaseCount(); ++id) release(id);
        }
        uint256 brought = vault.totals().bountyPool - pool;
        emit log_named_decimal_uint("what filling five rounds cost the griefer, VER", brought, 18);
        assertGe(brought, 5 * SEED_PRICE * MICRO);
        assertBooks();
    }

    /// @notice Honest work whose fee is worth its share pays nothing else, whoever else is in the round.
    function test_HonestWorkPaysItsFee() public {
        register(alice, CPU_EU, 100, 40);
        register(griefer, CPU_US, 1, 0);
        uint32 honest = submit(developer, 100, 40_000, CPU_EU);
        uint32 dust = submit(griefer, 1, 1, CPU_US);
        uint256 deposit = tasks.task(honest).roundDeposit;
        runRound(1);
        assertEq(tasks.task(honest).roundDeposit, deposit);
        assertGe(firstHalfOfFee(100, 40_000), (SEED_PRICE * MICRO) / 2);
        assertEq(tasks.task(dust).roundDeposit, deposit - (SEED_PRICE / 2) * MICRO);
        deliver(1);
        accept(developer, 1);
        assertEq(vault.escrowOf(honest), 0);
        assertEq(vault.claimable(developer), deposit, "the whole deposit comes back");
        assertBooks();
    }

    /// @notice Whatever is in a round: the pool has the price of its seed more at the end, and bounties are at most half of what
    /// came in beyond it.
    function testFuzz_PoolGains(uint8 count, uint8 units, uint16 tick, uint64 seedPrice, uint64 bounty) public {
        seedPrice = uint64(bound(seedPrice, 0, 1e6));
        setParam(Param.SeedPrice, seedPrice);
        setParam(Param.RoundBounty, uint64(bound(bounty, 0, 1e8)));
        uint32 size = uint32(bound(units, 1, 12));
        uint256 ask = bound(tick, 0, 4_095);
        uint256 tasks_ = bound(count, 1, param(Param.RoundMaxTasks));
        register(alice, CPU_EU, uint32(size * tasks_), ask);
        for (uint256 i; i < tasks_; ++i) submit(developer, size, 1_000 * ask + 1, CPU_EU);
        uint256 pool = vault.totals().bountyPool;
        runRound(1);
        assertEq(rounds.current().demands.length, tasks_);
        assertGe(vault.totals().bountyPool - pool, seedPrice * MICRO);
        assertGe(vault.totals().bountyPool - pool - seedPrice * MICRO, vault.claimable(keeper));
        assertBooks();
    }

    /// @notice A round that is aborted because the oracle was silent costs its tasks nothing.
    function test_AbortCostsNothing() public {
        register(alice, CPU_EU, 1, 0);
        uint32 id = submit(developer, 1, 1, CPU_EU);
        uint256 escrow = vault.escrowOf(id);
        openRound();
        vm.warp(block.timestamp + 1 days);
        rounds.abort();
        assertEq(vault.escrowOf(id), escrow);
        assertTrue(tasks.task(id).queued);
    }

    /// @notice Cancelled once the round is open, the task pays its share all the same.
    function test_CancelledInTheRound() public {
        register(griefer, CPU_US, 1, 0);
        uint32 id = submit(griefer, 3, 1, CPU_US);
        openRound();
        vm.prank(griefer);
        tasks.cancel(id);
        fulfil(1);
        uint256 pool = vault.totals().bountyPool;
        settle(optimalPost());
        assertEq(vault.totals().bountyPool - pool, SEED_PRICE * MICRO);
        assertEq(uint8(leases.lease(1).status), uint8(ILeaseRegistry.LeaseStatus.Active));
        assertBooks();
    }
}
