// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {SeedDraw} from "../../../../contracts/core/seeds/SeedDraw.sol";
import {Failures} from "../../support/Failures.sol";

/// @title Single tries to find a node, at the borders of what a node takes
/// @dev The words are looked for here: of what few seeds show, no other seed would show anything.
contract TriesTest is Failures {
    uint32 private constant TRIES = 64;

    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
    }

    /// @notice The 64th try still finds a node, and there is no 65th.
    function test_LastTry() public {
        uint32 next = register(alice, CPU_EU, 4, 3);
        // Of three million parts it takes 46,200: one in 65.
        report(next, 9_846, 20);
        expire(id);
        openBatch();
        uint256 snapshot = vm.snapshotState();
        runSeed(_firstUnder(46_200, 3_000_000, TRIES - 1));
        assertUnits(1, 0, 4, 0, 0);
        vm.revertToState(snapshot);
        runSeed(_firstUnder(46_200, 3_000_000, TRIES));
        assertUnits(1, 4, 0, 0, 0);
    }

    /// @notice A node that is full takes nothing, not even by the smallest of all numbers.
    function test_FullNode() public {
        _coarse();
        uint32 next = register(alice, CPU_EU, 4, 3);
        report(next, 10_000, 5);
        expire(id);
        openBatch();
        runSeed(_between(0, 1));
        assertUnits(1, 4, 0, 0, 0);
    }

    /// @notice What the chain knows of a node's load is rounded up: a node that could take one unit of 7,000 is full but for
    /// one basis point, not for two.
    function test_LoadRoundsUp() public {
        _coarse();
        setParam(Param.StakePerUnit, 1_000_000);
        uint32 next = register(alice, CPU_EU, 7_000, 3);
        report(next, 0, 5);
        expire(id);
        // Now its stake is enough for one unit.
        setParam(Param.StakePerUnit, 7_000_000_000);
        supply.sync(ids32(next));
        assertEq(nodes.node(next).listedUnits, 1);
        openBatch();
        // Six parts of 6,000 to a basis point.
        runSeed(_between(6, 12));
        assertUnits(1, 4, 0, 0, 0);
    }

    /// @notice An idle node at least latency takes what it is drawn for, however small that latency.
    function test_LeastLatency() public {
        setParam(Param.MaxLatency, 2 * uint64(param(Param.LatencyFloor)));
        uint32 next = register(alice, CPU_EU, 4, 3);
        report(next, 0, 20);
        expire(id);
        runBatch(1);
        assertUnits(1, 0, 4, 0, 0);
    }

    /// @notice A node is drawn as long as its last report is no older than may be; later it is silent, unlike one that never
    /// reported.
    function test_OldReport() public {
        uint32 next = register(alice, CPU_EU, 4, 3);
        report(next, 0, 20);
        uint256 last = block.timestamp + param(Param.ReportTimeout);
        expire(id);
        uint256 snapshot = vm.snapshotState();
        vm.warp(last);
        runBatch(1);
        assertUnits(1, 0, 4, 0, 0);
        vm.revertToState(snapshot);
        vm.warp(last + 1);
        runBatch(1);
        assertUnits(1, 4, 0, 0, 0);
    }

    /// @notice A node that may not have the range is remembered again for what is left of the range after a part of it was drawn.
    function test_UnfitIsNotedAgain() public {
        register(carol, CPU_EU, 4, 3);
        register(alice, CPU_EU, 1, 2);
        expire(id);
        openBatch();
        uint256 word;
        // First to carol's four units, whose lease it was, then to alice's one.
        while (_unitOf(word, 0) == 0 || _unitOf(word, 1) != 0) ++word;
        vm.expectCall(address(supply), abi.encodeWithSelector(ISupply.draw.selector), 3);
        runSeed(word);
        assertUnits(1, 3, 1, 0, 0);
    }

    function runSeed(uint256 word) private {
        assertEq(fulfilBatch(word), _seed(word));
        reassignment.draw(1);
    }

    /// @dev As few parts as parameters allow: 6,000 for all that a node can take.
    function _coarse() private {
        setParam(Param.MaxLatency, 10);
        setParam(Param.LatencyFloor, 1);
        setParam(Param.LoadFloor, 9_000);
    }

    /// @dev A word by which this try is the first whose number, of `parts`, is under `bound`.
    function _firstUnder(uint256 bound, uint256 parts, uint32 attempt) private view returns (uint256 word) {
        for (uint32 i; i != attempt; ++word) {
            bytes32 seed = _seed(word);
            for (i = 0; i <= attempt && _low(seed, i) % parts >= bound; ++i) {}
            if (i == attempt) return word;
        }
    }

    /// @dev A word by which a try's number, of 6,000, is in the span, and none under it.
    function _between(uint256 from, uint256 to) private view returns (uint256 word) {
        for (bool found; ; ++word) {
            bytes32 seed = _seed(word);
            uint32 i;
            for (found = false; i < TRIES; ++i) {
                uint256 number = _low(seed, i) % 6_000;
                if (number < from) break;
                if (number < to) found = true;
            }
            if (found && i == TRIES) return word;
        }
    }

    function _low(bytes32 seed, uint32 attempt) private view returns (uint256 low) {
        (, low) = SeedDraw.reassign(seed, id, attempt);
    }

    function _unitOf(uint256 word, uint32 attempt) private view returns (uint256) {
        (uint256 high, ) = SeedDraw.reassign(_seed(word), id, attempt);
        return high % 5;
    }

    function _seed(uint256 word) private pure returns (bytes32) {
        return keccak256(abi.encode(word));
    }
}
