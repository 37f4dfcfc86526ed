// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "./Fixture.sol";
import {Reports} from "./Reports.sol";

/// @title A small market for moves, and one call for each thing that happens in it
abstract contract Moves is Fixture, Reports {
    /// @dev Node 1 runs all units of lease 1, at tick 10; nodes 2 (same class) and 3 (another class) come later, are of
    /// another owner and ask more. Each holds ten units, so that a unit's worth of load is 10 %.
    function _market() internal {
        register(alice, CPU_EU, 10, 10);
        ITaskRegistry.Submission memory s = submission(10, 20_000, list(CPU_EU));
        s.checkpointInterval = 12 hours;
        s.maxUnitTime = 60 days;
        submit(bob, s);
        runRound(1);
        register(carol, CPU_EU, 10, 12);
        register(carol, CPU_US, 10, 12);
    }

    /// @dev A minute later nodes 1, 2, 3 report these loads.
    function loads(uint16 a, uint16 b, uint16 c) internal {
        vm.warp(block.timestamp + 60);
        report(1, a);
        report(2, b);
        report(3, c);
    }

    /// @dev A minute later a node reports this average power.
    function power(uint32 nodeId, uint16 load, uint40 watts) internal {
        vm.warp(block.timestamp + 60);
        ITelemetry.Report memory r = reportOf(nodeId, load);
        r.watts = uint32(watts);
        report(r);
    }

    function move(uint32 leaseId, uint24 units) internal {
        IBalancer.Move[] memory moves = new IBalancer.Move[](1);
        moves[0] = IBalancer.Move(leaseId, units);
        balancer.move(moves);
    }

    /// @dev Moves units, and draws for them as soon as their node has released them.
    function moveAndDraw(uint32 leaseId, uint24 units, uint256 word) internal {
        move(leaseId, units);
        release(leaseId);
        runBatch(word);
    }
}
