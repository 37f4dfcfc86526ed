// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {IRoundManager} from "../../../../contracts/interfaces/IRoundManager.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Post} from "../../support/Post.sol";
import {Reference} from "../../support/Reference.sol";

/// @title Each way to cheat in a post, and the error it ends in
/// @dev Two tasks, two classes. CPU_EU: nodes 1 (4 at tick 10), 2 and 3 (3 each at tick 12), 4 (5 at tick 20).
/// CPU_US: node 5 (4 at tick 15). Task 1 wants 6 of CPU_EU, task 2 wants 2 of either. So task 2 gets its units from
/// CPU_EU as well, at tick 12, where 4 of 6 units are needed: the marginal tick.
contract RefusalsTest is Fixture {
    address private developer = makeAddr("developer");
    Post.Parts private honest;

    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
        register(alice, CPU_EU, 3, 12);
        register(alice, CPU_EU, 3, 12);
        register(alice, CPU_EU, 5, 20);
        register(alice, CPU_US, 4, 15);
        submit(developer, 6, 50_000, CPU_EU);
        submit(developer, submission(2, 50_000, list(CPU_EU, CPU_US)));
        openRound();
        fulfil(1);
        Reference.Instance memory p = instance();
        honest = Post.parts(p, Reference.solve(p));
        assertEq(honest.clearing[0], 12_000 * 1024);
        assertEq(honest.nodeIds[0].length, 3);
    }

    function test_Honest() public {
        settle(Post.pack(honest));
        assertUnits(1, 0, 6, 0, 0);
        assertUnits(2, 0, 2, 0, 0);
    }

    function test_TaskOverfilled() public {
        honest.flows[1] = 3;
        _refused(abi.encodeWithSelector(IRoundManager.TaskOverfilled.selector, 2, 3, 2));
    }

    function test_OpenUnitsAffordable() public {
        honest.flows[0] = 5;
        uint256 cost = _cost(0, 0);
        _refused(abi.encodeWithSelector(IRoundManager.OpenUnitsAffordable.selector, 1, cost, 50_000 * 1024 + 1023));
    }

    /// @notice A dearer class than the cheapest.
    function test_FlowNotCheapest() public {
        (honest.flows[1], honest.flows[2]) = (1, 1);
        honest.clearing[1] = 15_000 * 1024;
        _refused(abi.encodeWithSelector(IRoundManager.FlowNotCheapest.selector, 2, CPU_US, _cost(1, 1), _cost(1, 0)));
    }

    /// @notice A price too low for the units granted, and one too high.
    function test_ClearingPriceMismatch() public {
        honest.clearing[0] = 11_999 * 1024;
        _refused(abi.encodeWithSelector(ISupply.ClearingPriceMismatch.selector, CPU_EU, 8, 4, 4));
        honest.clearing[0] = 12_000 * 1024 + 1;
        _refused(abi.encodeWithSelector(ISupply.ClearingPriceMismatch.selector, CPU_EU, 8, 10, 10));
        honest.clearing[0] = 20_000 * 1024;
        honest.clearing[1] = 21_000 * 1024;
        _refused(abi.encodeWithSelector(ISupply.ClearingPriceMismatch.selector, CPU_EU, 8, 10, 15));
    }

    /// @notice A class that is left out although its price says that it is cheaper.
    function test_SkippedClass() public {
        honest.clearing[1] = 15_000 * 1024 + 1;
        _refused(abi.encodeWithSelector(ISupply.ClearingPriceMismatch.selector, CPU_US, 0, 4, 4));
    }

    function test_AskAboveClearing() public {
        _replace(1, 4);
        _refused(abi.encodeWithSelector(ISupply.AskAboveClearing.selector, 4, 20, 12_000 * 1024));
    }

    function test_NodeNotListed() public {
        _replace(1, 5);
        _refused(abi.encodeWithSelector(ISupply.NodeNotListed.selector, 5, CPU_EU));
        _replace(5, 77);
        _refused(abi.encodeWithSelector(ISupply.NodeNotListed.selector, 77, CPU_EU));
    }

    function test_NodesOutOfOrder() public {
        uint32[] memory ids = honest.nodeIds[0];
        (honest.nodeIds[0][0], honest.nodeIds[0][1]) = (ids[1], ids[0]);
        _refused(abi.encodeWithSelector(ISupply.NodesOutOfOrder.selector, ids[0]));
        (honest.nodeIds[0][0], honest.nodeIds[0][1]) = (ids[0], ids[0]);
        _refused(abi.encodeWithSelector(ISupply.NodesOutOfOrder.selector, ids[0]));
    }

    function test_ClassUnitsMismatch() public {
        honest.nodeIds[0].pop();
        uint32 dropped = _missing();
        uint256 left = dropped == 1 ? 4 : 8 - _shareOf(dropped);
        _refused(abi.encodeWithSelector(ISupply.ClassUnitsMismatch.selector, CPU_EU, left, 8));
    }

    /// @notice The seed says where the marginal tick is filled from: nobody else's node comes in there.
    function test_NotInFilling() public {
        // One unit less is needed, so that one node of the marginal tick suffices; then the other is offered.
        vm.warp(block.timestamp + 1 days);
        rounds.abort();
        vm.prank(developer);
        tasks.cancel(2);
        openRound();
        fulfil(2);
        Reference.Instance memory p = instance();
        honest = Post.parts(p, Reference.solve(p));
        uint32 chosen = honest.nodeIds[0][0] == 1 ? honest.nodeIds[0][1] : honest.nodeIds[0][0];
        uint32 other = chosen == 2 ? 3 : 2;
        honest.nodeIds[0] = _inOrder(p.seed, 1, other);
        _refused(abi.encodeWithSelector(ISupply.NotInFilling.selector, other));
        honest.nodeIds[0] = _inOrder(p.seed, 1, chosen);
        settle(Post.pack(honest));
        assertEq(nodes.node(chosen).leased, 2);
    }

    function test_MalformedPost() public {
        bytes memory whole = Post.pack(honest);
        for (uint256 length; length < whole.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i; i < length; ++i) cut[i] = whole[i];
            _refusedBytes(cut, abi.encodeWithSelector(IRoundManager.MalformedPost.selector, length));
        }
        _refusedBytes(
            bytes.concat(whole, hex"00"),
            abi.encodeWithSelector(IRoundManager.MalformedPost.selector, whole.length + 1)
        );
    }

    function _refused(bytes memory reason) private {
        _refusedBytes(Post.pack(honest), reason);
    }

    function _refusedBytes(bytes memory post, bytes memory reason) private {
        uint32 roundId = rounds.current().id;
        vm.expectRevert(reason);
        rounds.settle(roundId, post);
    }

    function _cost(uint256 t, uint256 f) private view returns (uint256) {
        Reference.Instance memory p = instance();
        return honest.clearing[p.tasks[t].columns[f]] + Reference.surcharge(p, t, f);
    }

    /// @dev Puts `id` in the place of `old`, and the list in order again.
    function _replace(uint32 old, uint32 id) private {
        uint32[] storage ids = honest.nodeIds[0];
        bytes32 seed = rounds.current().seed;
        for (uint256 i; i < ids.length; ++i) if (ids[i] == old) ids[i] = id;
        for (uint256 i = 1; i < ids.length; ++i) {
            for (uint256 j = i; j != 0 && _order(seed, ids[j - 1]) > _order(seed, ids[j]); --j) {
                (ids[j - 1], ids[j]) = (ids[j], ids[j - 1]);
            }
        }
    }

    function _inOrder(bytes32 seed, uint32 a, uint32 b) private pure returns (uint32[] memory ids) {
        ids = new uint32[](2);
        (ids[0], ids[1]) = _order(seed, a) < _order(seed, b) ? (a, b) : (b, a);
    }

    function _order(bytes32 seed, uint32 id) private pure returns (uint256) {
        return Reference.draw(seed, 3, id);
    }

    /// @dev The one of nodes 1 to 3 that the list lacks.
    function _missing() private view returns (uint32) {
        return 6 - honest.nodeIds[0][0] - honest.nodeIds[0][1];
    }

    function _shareOf(uint32 id) private view returns (uint256) {
        Reference.Instance memory p = instance();
        Post.Fill[] memory fills = Post.fillsOf(p, Reference.solve(p), 0);
        for (uint256 i; i < fills.length; ++i) if (fills[i].nodeId == id) return fills[i].units;
        return 0;
    }
}
