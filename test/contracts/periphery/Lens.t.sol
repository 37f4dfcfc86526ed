// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ILens} from "../../../contracts/interfaces/ILens.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Failures} from "../support/Failures.sol";

/// @title The lens says what the contracts say, many at once
contract LensTest is Failures {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
    }

    function test_Read() public view {
        ILens.Call[] memory calls = new ILens.Call[](3);
        calls[0] = ILens.Call(address(nodes), abi.encodeCall(nodes.nodeCount, ()));
        calls[1] = ILens.Call(address(leases), abi.encodeCall(leases.lease, (99)));
        calls[2] = ILens.Call(address(leases), abi.encodeCall(leases.leaseCount, ()));
        (uint256 number, ILens.Outcome[] memory outcomes) = lens.read(calls);
        assertEq(number, block.number);
        assertTrue(outcomes[0].ok && outcomes[2].ok);
        assertEq(abi.decode(outcomes[0].data, (uint32)), nodes.nodeCount());
        assertFalse(outcomes[1].ok);
        assertEq(outcomes[1].data, abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 99));
    }

    /// @notice What would change something is not done.
    function test_ReadOnly() public view {
        ILens.Call[] memory calls = new ILens.Call[](1);
        calls[0] = ILens.Call(address(ver), abi.encodeCall(ver.approve, (address(this), 1)));
        (, ILens.Outcome[] memory outcomes) = lens.read(calls);
        assertFalse(outcomes[0].ok);
    }

    function test_Live() public {
        assertEq(lens.liveLeases(1, 100).length, leases.leaseCount());
        vm.warp(uint256(leases.lease(id).due) + 1);
        leases.expire(id);
        ILeaseRegistry.LeaseView[] memory live = lens.liveLeases(1, 100);
        assertEq(live.length, leases.leaseCount() - 1);
        for (uint256 i; i < live.length; ++i) assertTrue(live[i].id != id);
        assertEq(lens.liveLeases(leases.leaseCount() + 1, 5).length, 0);
    }

    function test_TaskPage() public {
        uint32 count = tasks.taskCount();
        submit(bob, 1, 1_000, CPU_EU);
        submit(bob, 1, 1_000, CPU_EU);
        assertEq(lens.taskPage(0, 10).length, count + 2);
        assertEq(lens.taskPage(count + 1, 1)[0].id, count + 1);
        assertEq(lens.taskPage(count + 2, type(uint32).max).length, 1);
        assertEq(lens.taskPage(count + 3, 1).length, 0);
        assertEq(abi.encode(lens.taskPage(1, 1)[0]), abi.encode(tasks.task(1)));
    }

    function test_OverdueAndSilent() public {
        uint32[] memory ids = new uint32[](1);
        ids[0] = id;
        assertEq(lens.overdueOf(ids).length, 0);
        uint32[] memory nodeIds = new uint32[](1);
        nodeIds[0] = leases.lease(id).nodeId;
        assertEq(lens.silentOf(nodeIds).length, 0);
        setParam(Param.ReportInterval, 10);
        setParam(Param.ReportTimeout, 20);
        vm.warp(block.timestamp + 21);
        assertEq(lens.silentOf(nodeIds).length, 1);
        assertEq(lens.overdueOf(ids)[0], id);
        leases.expire(id);
        assertEq(lens.overdueOf(ids).length, 0);
    }

    function test_Reporters() public view {
        uint32[] memory ids = new uint32[](2);
        (ids[0], ids[1]) = (1, 1);
        ILens.Reporter[] memory reporters = lens.reportersOf(ids);
        assertEq(reporters[0].nodeId, 1);
        assertEq(reporters[1].operator, operatorOf(1));
        assertEq(reporters[1].registeredAt, nodes.factsOf(1).registeredAt);
        assertFalse(reporters[0].isContract);
    }

    /// @notice Holders come with what asking them needs, as many as are asked for, in the order of the candidates.
    function test_Holders() public {
        for (uint256 i; i < 5; ++i) register(alice, CPU_US, 1, 5);
        ITaskRegistry.Submission memory s = submission(2, 20_000, list(CPU_EU));
        s.replicas = 1;
        id = leaseOn(2, s);
        uint256[4] memory asked = [uint256(0), 1, 4, 64];
        for (uint256 n; n < asked.length; ++n) {
            ICheckpointRegistry.Holder[] memory found = checkpoints.holdersOf(id, asked[n]);
            ILens.Holder[] memory holders = lens.holdersOf(id, asked[n]);
            assertEq(holders.length, found.length);
            assertGt(holders.length, 0);
            for (uint256 i; i < found.length; ++i) {
                assertEq(holders[i].candidate, found[i].candidate);
                assertEq(holders[i].nodeId, found[i].nodeId);
                INodeRegistry.NodeView memory node = nodes.node(found[i].nodeId);
                assertEq(holders[i].operator, node.operator);
                assertEq(holders[i].endpoint, node.endpoint);
                assertNotEq(node.owner, carol, "never the owner of the lease's own node");
            }
        }
        assertEq(lens.holdersOf(id, 0).length, 3, "one receipt, two to spare");
        assertEq(lens.holdersOf(id, 1).length, 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.UnknownLease.selector, 99));
        lens.holdersOf(99, 1);
    }
}
