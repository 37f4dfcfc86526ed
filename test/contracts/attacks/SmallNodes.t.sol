// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../support/Moves.sol";

/// @title Small nodes that report no load pull the average down, so that busy honest nodes get no new work
contract SmallNodesTest is Moves {
    address private mallory = makeAddr("mallory");

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 4; ++i) register(alice, CPU_EU, 100, 10);
        vm.warp(block.timestamp + 60);
        for (uint32 n = 1; n <= 4; ++n) report(n, 9_000);
    }

    /// @notice Eight nodes of a unit are eight units of 408: the honest nodes stay listed, and the work is theirs.
    function test_EightUnits() public {
        for (uint256 i; i < 8; ++i) register(mallory, GPU_US, 1, 0);
        register(mallory, CPU_EU, 20, 20);
        _reports();
        assertEq(_listed(), 400);
        submit(bob, 50, 20_000, CPU_EU);
        runRound(1);
        assertLe(leases.lease(1).nodeId, 4);
        assertEq(leases.lease(1).price, 10_000);
    }

    /// @notice What it takes to make nodes at 90 % ineligible: a stake of an eighth of theirs, locked up and slashable, where two
    /// nodes of one unit did; and with {Param.LoadFloor} nodes below it are never made ineligible, at no price.
    function test_CostOfMakingOthersUnfit() public {
        uint256 units;
        while (_listed() == 400) {
            register(mallory, GPU_US, 10, 0);
            units += 10;
            _reports();
        }
        emit log_named_uint("VER staked to make 400 units at 90 % ineligible", stakeFor(units) / 1e18);
        assertGe(units, 50);
        setParam(Param.LoadFloor, 9_000);
        _reports();
        assertEq(_listed(), 400, "the floor");
    }

    function _reports() private {
        vm.warp(block.timestamp + 60);
        for (uint32 n = 5; n <= nodes.nodeCount(); ++n) report(n, 0);
        for (uint32 n = 1; n <= 4; ++n) report(n, 9_000);
    }

    function _listed() private view returns (uint256 units) {
        for (uint32 n = 1; n <= 4; ++n) units += nodes.node(n).listedUnits;
    }
}
