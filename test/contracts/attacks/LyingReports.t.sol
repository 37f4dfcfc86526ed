// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Failures} from "../support/Failures.sol";

/// @title A node reports no load and no latency, to be drawn for more often than honest ones
contract LyingReportsTest is Failures {
    uint256 private constant HONEST = 4;
    uint256 private constant DRAWS = 200;

    uint32 private id;
    uint32 private liar;

    /// @dev As on BASE. The band is wide, so that the lie, which lowers the average, puts no honest node out of the draw.
    function setUp() public override {
        super.setUp();
        setParam(Param.LoadFloor, 5_000);
        setParam(Param.MaxLatency, 1_000);
        setParam(Param.LatencyFloor, 50);
        setParam(Param.BalanceBand, 5_000);
        id = leaseOn(1);
        liar = register(bob, CPU_EU, 10, 3);
        for (uint256 i; i < HONEST; ++i) register(alice, CPU_EU, 10, 3);
    }

    /// @notice Among ordinary nodes (up to half loaded, up to half the highest latency) the lie changes no draw at all.
    function test_OrdinaryNodes() public {
        _fail();
        uint16[2][3] memory mixes = [[uint16(1_000), 20], [uint16(3_000), 120], [uint16(5_000), 500]];
        for (uint256 i; i < mixes.length; ++i) {
            (uint16 load, uint16 latency) = (mixes[i][0], mixes[i][1]);
            uint256 lying = _wins(0, 0, load, latency);
            assertEq(lying, _wins(load, latency, load, latency), "as often as by the truth");
            assertEq(lying, _wins(load, latency, 0, 0), "and no more often where all lie");
            _print(lying, load, latency);
        }
    }

    /// @notice Beyond that the honest ones are told apart, within bounds: load above the floor, latency above the half.
    function test_LoadedNodes() public {
        _fail();
        uint256 lying = _wins(0, 0, 7_000, 900);
        _print(lying, 7_000, 900);
        // Its weight is (1 - 0.5) / (1 - 0.7) x (900 + 50) / (500 + 50) = 2.9 times an honest one's; 33 times by the words alone.
        assertApproxEqAbs(lying, (DRAWS * 288) / 688, 25);
    }

    /// @notice What is leased counts as load, whatever the report says.
    function test_LeasedUnits() public {
        uint32 busy = register(bob, CPU_EU, 80, 2);
        submit(bob, 72, 20_000, CPU_EU);
        runRound(1);
        vm.startPrank(bob);
        nodes.setTerms(busy, termsOf(CPU_EU, 80, 3));
        vm.stopPrank();
        assertEq(nodes.node(busy).listedUnits, 8);
        _fail();
        report(busy, 0, 0);
        for (uint32 n = liar; n <= liar + HONEST; ++n) _report(n, 0, 0);
        uint256 wins;
        for (uint256 word = 1; word <= DRAWS; ++word) {
            uint256 before = vm.snapshotState();
            runBatch(word);
            if (nodes.node(busy).leased != 72) ++wins;
            vm.revertToState(before);
        }
        // Eight of 58 free units, at a fifth of the weight: 90 % of it is leased, where half counts for all.
        emit log_named_uint("of 200 draws, those of a node that runs 72 of 80 units and says that it is idle", wins);
        assertApproxEqAbs(wins, (DRAWS * 16) / 516, 9);
    }

    /// @dev The lease whose range is drawn for is lost.
    function _fail() private {
        expire(id);
        vm.warp(block.timestamp + 60);
    }

    /// @dev How often the first node wins with a report of its own among honest ones with another.
    function _wins(uint16 load, uint16 latency, uint16 others, uint16 otherLatency) private returns (uint256 wins) {
        uint256 fresh = vm.snapshotState();
        _report(liar, load, latency);
        for (uint32 n = liar + 1; n <= liar + HONEST; ++n) _report(n, others, otherLatency);
        for (uint256 word = 1; word <= DRAWS; ++word) {
            uint256 before = vm.snapshotState();
            runBatch(word);
            assertEq(leases.leaseCount(), id + 1, "somebody is drawn");
            if (leases.lease(id + 1).nodeId == liar) ++wins;
            vm.revertToState(before);
        }
        vm.revertToState(fresh);
    }

    function _report(uint32 nodeId, uint16 load, uint16 latency) private {
        report(nodeId, load, latency);
        assertFalse(nodes.node(nodeId).ineligible, "fit");
    }

    function _print(uint256 wins, uint256 load, uint256 latency) private {
        // By the words alone: (1 - 0) / (0 + L0) against (1 - load) / (latency + L0).
        uint256 honest = ((10_000 - load) * 50) / (latency + 50);
        emit log_named_uint("four nodes report this load (bps), a fifth none", load);
        emit log_named_uint("and this latency (ms), the fifth none", latency);
        emit log_named_uint("draws of the fifth, of 200", wins);
        emit log_named_uint("what its words alone would give", 2_000_000 / (10_000 + 4 * honest));
    }
}
