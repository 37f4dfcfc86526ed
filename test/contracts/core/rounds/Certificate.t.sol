// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Changes} from "../../support/Changes.sol";
import {Judge} from "../../support/Judge.sol";
import {Post} from "../../support/Post.sol";
import {RandomRounds} from "../../support/RandomRounds.sol";
import {Reference} from "../../support/Reference.sol";
import {Rng} from "../../support/Rng.sol";

/// @title Optimal posts pass, changed ones do not
contract CertificateTest is RandomRounds {
    using Rng for Rng.Stream;

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
        build(rng, Size({tasks: 2, classes: 2, nodes: 3, units: 3}));
        if (!openRandom(rng)) return;
        Reference.Instance memory p = instance();
        Reference.Solution memory s = Reference.solve(p);
        uint256[][] memory flows = new uint256[][](p.tasks.length);
        for (uint256 t; t < flows.length; ++t) flows[t] = new uint256[](p.tasks[t].columns.length);
        assertEq(_bestOf(p, flows, 0, 0), s.cost, "cost of the reference");
    }

    /// @notice Several rounds in a row on one system: the reference's post is accepted each time, gives exactly the
    /// leases it has to, and moves money and capacity as it should.
    function testFuzz_OptimalPostIsAccepted(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        build(rng, Size({tasks: 4, classes: 4, nodes: 7, units: 9}));
        for (uint256 i; i < 3; ++i) {
            if (!openRandom(rng)) return;
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

    /// @notice A post that differs from the honest one by one unit, one tick, one node or one swap is refused, with an
    /// error that says why, unless the reference finds it equally optimal and what the seed chose: then it is accepted.
    function testFuzz_EveryChange(uint256 seed) public {
        _everyChange(seed);
    }

    /// @notice What {testFuzz_EveryChange} tries is much, refused mostly, and accepted at times.
    function test_EveryChange_isTried() public {
        (uint256 refused, uint256 right) = (0, 0);
        for (uint256 seed = 1; seed <= 24; ++seed) {
            uint256 before = vm.snapshotState();
            (uint256 tried, uint256 accepted) = _everyChange(seed);
            vm.revertToStateAndDelete(before);
            (refused, right) = (refused + tried - accepted, right + accepted);
        }
        assertGt(refused, 400, "refused");
        assertGt(right, 20, "accepted");
    }

    /// @return tried Changed posts.
    /// @return accepted How many of them are as good as the honest one.
    function _everyChange(uint256 seed) private returns (uint256 tried, uint256 accepted) {
        Rng.Stream memory rng = Rng.from(seed);
        build(rng, Size({tasks: 3, classes: 3, nodes: 5, units: 5}));
        if (!openRandom(rng)) return (0, 0);
        Reference.Instance memory p = instance();
        Reference.Solution memory s = Reference.solve(p);
        Post.Parts memory honest = Post.parts(p, s);
        assertTrue(Judge.isRight(p, s.cost, honest), "the honest post is right");
        Post.Parts[] memory posts = Changes.all(p, honest, nodes.nodeCount());
        for (uint256 i; i < posts.length; ++i) {
            if (Judge.isRight(p, s.cost, posts[i])) {
                _passes(p, posts[i]);
                ++accepted;
            } else {
                _fails(posts[i]);
            }
        }
        tried = posts.length;
        // Nobody is stuck: the honest post still passes.
        ILeaseRegistry.Lease[] memory expected = Post.leasesOf(p, s);
        settle(Post.pack(honest));
        _assertLeases(1, expected);
    }

    /// @dev A post that is as good as the honest one settles the round, which is then as if it had not been.
    function _passes(Reference.Instance memory p, Post.Parts memory post) private {
        uint256 before = vm.snapshotState();
        settle(Post.pack(post));
        Reference.Solution memory s;
        (s.flows, ) = Judge.flowsOf(p, post.flows);
        _assertLeases(1, Post.leasesOf(p, s));
        vm.revertToStateAndDelete(before);
    }

    function _fails(Post.Parts memory parts) private {
        bytes memory post = Post.pack(parts);
        uint32 roundId = rounds.current().id;
        try rounds.settle(roundId, post) {
            assertTrue(false, string.concat("accepted: ", vm.toString(post)));
        } catch (bytes memory reason) {
            assertGe(reason.length, 36, "an error with its arguments");
            assertTrue(bytes4(reason) != 0x4e487b71, "not a panic");
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
            (ILeaseRegistry.Draw memory draw, , ) = leases.drawOf(first + i);
            assertEq(draw.firstLease, first, "drawn by the round's seed");
            (expected[i].due, expected[i].draw) = (held.due, held.draw);
            assertEq(keccak256(abi.encode(held)), keccak256(abi.encode(expected[i])), "lease");
        }
    }

    /// @dev Minimum cost over all flows from cell (t, f) on.
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
}
