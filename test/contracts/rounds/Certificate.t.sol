// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";
import {Post} from "../support/Post.sol";
import {Reference} from "../support/Reference.sol";
import {Rng} from "../support/Rng.sol";

/// @title Optimal posts pass, spoilt ones do not
contract CertificateTest is Fixture {
    using Rng for Rng.Stream;

    address private developer = makeAddr("developer");
    address private contributor = makeAddr("contributor");

    /// @notice The textbook case: asks 10, 15, 20; capacities 100, 80, 50; demand 150.
    function test_Textbook() public {
        setParam(Param.RoundMaxUnits, 192);
        register(contributor, CPU_EU, 100, 10);
        register(contributor, CPU_EU, 80, 15);
        register(contributor, CPU_EU, 50, 20);
        submit(developer, 150, 20_000, CPU_EU);
        runRound(7);
        assertEq(nodes.node(1).leased, 100);
        assertEq(nodes.node(2).leased, 50);
        assertEq(nodes.node(3).leased, 0);
    }

    /// @notice Successive shortest paths against all allocations there are.
    function testFuzz_ReferenceIsOptimal(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        _build(rng, 2, 2, 3, 3);
        if (!_open(rng)) return;
        Reference.Instance memory p = instance();
        Reference.Solution memory s = Reference.solve(p);
        uint256[][] memory flows = new uint256[][](p.tasks.length);
        for (uint256 t; t < flows.length; ++t) flows[t] = new uint256[](p.tasks[t].lanes.length);
        assertEq(_bestOf(p, flows, 0, 0), s.cost, "cost of the reference");
    }

    /// @notice Several rounds in a row on one system: the reference's post is accepted each time, gives exactly the
    /// leases it has to, and moves money and capacity as it should.
    function testFuzz_OptimalPostIsAccepted(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        _build(rng, 4, 4, 7, 9);
        for (uint256 i; i < 3; ++i) {
            if (!_open(rng)) return;
            Reference.Instance memory p = instance();
            Reference.Solution memory s = Reference.solve(p);
            ILeaseRegistry.Lease[] memory expected = Post.leasesOf(p, s);
            uint32 first = leases.leaseCount() + 1;
            settle(Post.encode(p, s));
            _assertLeases(first, expected);
            _releaseSome(rng, first);
        }
        assertBooks();
    }

    /// @notice A spoilt post is refused with an error that says why, or gives the very same leases.
    /// hardhat-config: fuzz.runs = 512
    function testFuzz_SpoiltPost(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        _build(rng, 3, 3, 6, 8);
        if (!_open(rng)) return;
        Reference.Instance memory p = instance();
        Reference.Solution memory s = Reference.solve(p);
        ILeaseRegistry.Lease[] memory expected = Post.leasesOf(p, s);
        bytes memory honest = Post.encode(p, s);
        bytes memory spoilt = _spoil(rng, p, Post.parts(p, s));
        if (keccak256(spoilt) == keccak256(honest)) return;

        uint32 first = leases.leaseCount() + 1;
        uint32 roundId = rounds.current().id;
        vm.prank(keeper);
        try rounds.settle(roundId, spoilt) {
            _assertLeases(first, expected);
        } catch (bytes memory reason) {
            assertGe(reason.length, 36, "an error with its arguments");
            assertTrue(bytes4(reason) != 0x4e487b71, "not a panic");
            // Nobody is stuck: the honest post still passes.
            settle(honest);
            _assertLeases(first, expected);
        }
    }

    function _spoil(
        Rng.Stream memory rng,
        Reference.Instance memory p,
        Post.Parts memory v
    ) private pure returns (bytes memory) {
        uint256 kind = rng.below(9);
        uint256 k = rng.below(v.clearing.length);
        uint256 n = v.nodeIds[k].length;
        if (kind == 0) {
            v.flows[rng.below(v.flows.length)] += 1;
        } else if (kind == 1) {
            uint256 cell = rng.below(v.flows.length);
            if (v.flows[cell] != 0) v.flows[cell] -= 1;
        } else if (kind == 2) {
            uint64 step = rng.oneIn(2) ? 1 : uint64(1024 * p.classes[k].tickSize);
            if (rng.oneIn(2)) v.clearing[k] += step;
            else v.clearing[k] = v.clearing[k] < step ? 0 : v.clearing[k] - step;
        } else if (kind == 3 && n != 0) {
            // Somebody else in a granted node's place.
            v.nodeIds[k][rng.below(n)] = uint32(1 + rng.below(10));
        } else if (kind == 4 && n != 0) {
            v.nodeIds[k] = _without(v.nodeIds[k], rng.below(n));
        } else if (kind == 5) {
            v.nodeIds[k] = _with(v.nodeIds[k], n != 0 && rng.oneIn(2) ? v.nodeIds[k][n - 1] : uint32(1 + rng.below(9)));
        } else if (kind == 6 && n > 1) {
            uint256 i = rng.below(n - 1);
            (v.nodeIds[k][i], v.nodeIds[k][i + 1]) = (v.nodeIds[k][i + 1], v.nodeIds[k][i]);
        } else if (kind == 7) {
            bytes memory whole = Post.pack(v);
            bytes memory cut = new bytes(rng.below(whole.length));
            for (uint256 i; i < cut.length; ++i) cut[i] = whole[i];
            return cut;
        } else {
            return bytes.concat(Post.pack(v), new bytes(1 + rng.below(40)));
        }
        return Post.pack(v);
    }

    /// @dev Random nodes and tasks, with ties, gaps, surcharges and more of either side than of the other.
    function _build(
        Rng.Stream memory rng,
        uint256 taskCount,
        uint256 classCount,
        uint256 nodeCount,
        uint256 most
    ) private {
        uint256 ticks = 1 + rng.below(6);
        nodeCount = rng.oneIn(8) ? 1 : 1 + rng.below(nodeCount);
        for (uint256 i; i < nodeCount; ++i) {
            uint8 classId = uint8(rng.below(classCount));
            register(contributor, classId, uint32(1 + rng.below(most)), rng.below(ticks));
        }
        taskCount = 1 + rng.below(taskCount);
        for (uint256 i; i < taskCount; ++i) {
            uint256 set = 1 + rng.below((1 << classCount) - 1);
            ITaskRegistry.Submission memory s = submission(
                uint32(1 + rng.below(most)),
                1 + rng.below(7_000),
                _classesIn(set)
            );
            if (rng.oneIn(2)) {
                s.surcharges = new uint256[](s.classIds.length);
                for (uint256 f; f < s.surcharges.length; ++f) s.surcharges[f] = rng.below(3) * 1_000 * MICRO;
            }
            submit(developer, s);
        }
    }

    /// @dev False if there is nothing to allocate.
    function _open(Rng.Stream memory rng) private returns (bool) {
        vm.warp(block.timestamp + 10);
        try rounds.open() {
            fulfil(rng.below(type(uint256).max));
            return true;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), ITaskRegistry.NothingToAllocate.selector);
            return false;
        }
    }

    /// @dev Gives some leases back, so that the next round has reopened ranges and other positions.
    function _releaseSome(Rng.Stream memory rng, uint32 first) private {
        for (uint32 id = first; id <= leases.leaseCount(); ++id) if (rng.oneIn(3)) release(id);
    }

    function _assertLeases(uint32 first, ILeaseRegistry.Lease[] memory expected) private view {
        assertEq(leases.leaseCount() + 1 - first, expected.length, "leases");
        for (uint32 i; i < expected.length; ++i) {
            ILeaseRegistry.Lease memory held = leases.lease(first + i);
            expected[i].due = held.due;
            assertEq(keccak256(abi.encode(held)), keccak256(abi.encode(expected[i])), "lease");
        }
    }

    /// @dev Least cost over all flows from cell (t, f) on.
    function _bestOf(
        Reference.Instance memory p,
        uint256[][] memory flows,
        uint256 t,
        uint256 f
    ) private pure returns (uint256 best) {
        if (t == flows.length) return Reference.cost(p, flows);
        if (f == flows[t].length) return _bestOf(p, flows, t + 1, 0);
        best = type(uint256).max;
        uint256 used;
        for (uint256 g; g < f; ++g) used += flows[t][g];
        for (uint256 units; units + used <= p.tasks[t].demand; ++units) {
            flows[t][f] = units;
            uint256 cost = _bestOf(p, flows, t, f + 1);
            if (cost < best) best = cost;
        }
        flows[t][f] = 0;
    }

    function _classesIn(uint256 set) private pure returns (uint8[] memory ids) {
        ids = new uint8[](8);
        uint256 count;
        for (uint8 k; k < 8; ++k) if ((set >> k) & 1 == 1) ids[count++] = k;
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    function _without(uint32[] memory ids, uint256 at) private pure returns (uint32[] memory out) {
        out = new uint32[](ids.length - 1);
        for (uint256 i; i < out.length; ++i) out[i] = ids[i < at ? i : i + 1];
    }

    function _with(uint32[] memory ids, uint32 id) private pure returns (uint32[] memory out) {
        out = new uint32[](ids.length + 1);
        for (uint256 i; i < ids.length; ++i) out[i] = ids[i];
        out[ids.length] = id;
    }
}
