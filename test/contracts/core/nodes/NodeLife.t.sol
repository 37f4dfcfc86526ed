// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Permits} from "../../support/Permits.sol";

/// @title Stake, draining, leaving the market, slashing and cooling down
contract NodeLifeTest is Fixture, Permits {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = register(alice, CPU_EU, 5, 10);
    }

    function test_AddStake() public {
        setParam(Param.StakePerUnit, 20_000_000);
        uint32[] memory ids = ids32(id);
        supply.sync(ids);
        assertEq(nodes.node(id).listedUnits, 2, "half the stake that is needed now");
        // Anyone may add to a stake.
        fund(bob, 100 ether);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.StakeAdded(id, 50 ether);
        vm.prank(bob);
        nodes.addStake(id, 50 ether);
        assertEq(nodes.node(id).stake, 100 ether);
        assertEq(nodes.node(id).listedUnits, 5);
        assertBooks();

        vm.prank(alice);
        nodes.drain(id);
        vm.prank(bob);
        nodes.addStake(id, 1 ether);
        vm.prank(alice);
        nodes.exit(id);
        vm.expectRevert(abi.encodeWithSelector(ISupply.WrongStatus.selector, id, ISupply.NodeStatus.Unbonding));
        vm.prank(bob);
        nodes.addStake(id, 1 ether);
    }

    /// @notice One transaction, without an approval before; who uses the permit first does no harm.
    function test_AddStakeWithPermit() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        ver.transfer(signer, 70 ether);
        Permit memory p = signPermit(ver, key, address(vault), 50 ether);
        vm.prank(signer);
        nodes.addStakeWithPermit(id, 50 ether, p.deadline, p.v, p.r, p.s);
        assertEq(nodes.node(id).stake, stakeFor(5) + 50 ether);
        assertEq(ver.allowance(signer, address(vault)), 0);

        p = signPermit(ver, key, address(vault), 20 ether);
        ver.permit(signer, address(vault), 20 ether, p.deadline, p.v, p.r, p.s);
        vm.startPrank(signer);
        nodes.addStakeWithPermit(id, 20 ether, p.deadline, p.v, p.r, p.s);
        assertEq(ver.balanceOf(signer), 0);
        vm.expectRevert();
        nodes.addStakeWithPermit(id, 1, p.deadline, p.v, p.r, p.s);
        vm.stopPrank();
        assertBooks();
    }

    function test_DrainAndResume() public {
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeDraining(id);
        vm.prank(operatorOf(id));
        nodes.drain(id);
        assertEq(nodes.node(id).listedUnits, 0);
        vm.expectRevert(_wrongStatus(ISupply.NodeStatus.Draining));
        vm.prank(alice);
        nodes.drain(id);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeResumed(id);
        vm.prank(operatorOf(id));
        nodes.resume(id);
        assertEq(nodes.node(id).listedUnits, 5);
        vm.expectRevert(_wrongStatus(ISupply.NodeStatus.Active));
        vm.prank(alice);
        nodes.resume(id);
    }

    function test_ExitAndWithdraw() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(ISupply.NodeBusy.selector, id, 0, 5));
        nodes.exit(id);
        nodes.drain(id);
        uint40 at = uint40(block.timestamp + 7 days);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeUnbonding(id, at);
        nodes.exit(id);
        vm.expectRevert(_wrongStatus(ISupply.NodeStatus.Unbonding));
        nodes.exit(id);
        ISupply.Terms memory terms = termsOf(CPU_EU, 1, 1);
        vm.expectRevert(_wrongStatus(ISupply.NodeStatus.Unbonding));
        nodes.setTerms(id, terms);

        vm.warp(at - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.StillUnbonding.selector, id, at));
        nodes.withdraw(id);
        vm.warp(at);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeWithdrawn(id, stakeFor(5));
        nodes.withdraw(id);
        assertEq(vault.claimable(alice), stakeFor(5));
        assertEq(nodes.nodeOfOperator(operatorOf(id)), 0);
        vm.expectRevert(_wrongStatus(ISupply.NodeStatus.Withdrawn));
        nodes.withdraw(id);
        vm.stopPrank();
        assertBooks();
    }

    function test_ExitWaitsForLeases() public {
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        vm.startPrank(alice);
        nodes.drain(id);
        vm.expectRevert(abi.encodeWithSelector(ISupply.NodeBusy.selector, id, 2, 0));
        nodes.exit(id);
        vm.stopPrank();
        deliver(1);
        vm.prank(alice);
        nodes.exit(id);
    }

    /// @notice What a node delivered can be judged, and its stake slashed, for as long as the stake exists: however
    /// short unbonding is set, it outlasts a dispute.
    function test_UnbondingOutlastsDisputes() public {
        setParam(Param.UnbondingPeriod, 1 hours);
        setParam(Param.SlashBps, 10_000);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        vm.prank(alice);
        nodes.drain(id);
        deliver(1);
        vm.prank(alice);
        nodes.exit(id);
        assertEq(nodes.node(id).withdrawableAt, block.timestamp + 3 hours);

        vm.warp(block.timestamp + 1 hours);
        dispute(1);
        vm.warp(block.timestamp + 2 hours - 1);
        vm.prank(alice);
        vm.expectPartialRevert(INodeRegistry.StillUnbonding.selector);
        nodes.withdraw(id);
        vm.prank(arbiter);
        leases.rule(1, false);
        assertEq(nodes.node(id).stake, stakeFor(3));
    }

    /// @notice Matured but not yet withdrawn stake is still slashed; what is gone cannot be, and nothing reverts.
    function test_SlashUntilWithdrawn() public {
        setParam(Param.SlashBps, 10_000);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        vm.prank(alice);
        nodes.drain(id);
        deliver(1);
        dispute(1);
        vm.prank(alice);
        nodes.exit(id);
        vm.warp(block.timestamp + 30 days);
        vm.expectEmit(address(supply));
        emit ISupply.NodeSlashed(id, stakeFor(4), uint40(block.timestamp + 10 minutes));
        vm.prank(arbiter);
        leases.rule(1, false);
        assertEq(nodes.node(id).stake, stakeFor(1));
        vm.prank(alice);
        nodes.withdraw(id);
        assertEq(vault.claimable(alice), stakeFor(1));

        // A penalty for one that has left takes nothing and does not revert.
        vm.prank(address(leases));
        supply.slash(id, 1 ether);
        assertBooks();
    }

    function test_SlashSaturates() public {
        setParam(Param.SlashBps, 10_000);
        submit(bob, 5, 20_000, CPU_EU);
        runRound(1);
        uint256 most = stakeFor(3);
        vm.prank(address(leases));
        supply.slash(id, most);
        expire(1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Expired);
        assertEq(nodes.node(id).stake, 0);
        vm.prank(address(leases));
        supply.slash(id, 1);
        assertBooks();
    }

    function test_CooldownKeepsOutUntilSynced() public {
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        assertEq(nodes.node(id).listedUnits, 3);
        expire(1);
        assertEq(nodes.node(id).listedUnits, 0);
        assertEq(nodes.node(id).cooldownUntil, block.timestamp + 10 minutes);
        uint32[] memory ids = ids32(id);
        supply.sync(ids);
        assertEq(nodes.node(id).listedUnits, 0);
        vm.warp(block.timestamp + 10 minutes);
        supply.sync(ids);
        // 5 % of two units' stake is gone: it covers four units now.
        assertEq(nodes.node(id).listedUnits, 4);
    }

    function test_RegisterWithPermit() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        ver.transfer(signer, stakeFor(2));
        Permit memory p = signPermit(ver, key, address(vault), stakeFor(2));
        ISupply.Terms memory terms = termsOf(CPU_US, 2, 1);
        INodeRegistry.Consent memory consent = consentOf(signer, keyOf("keeper"));
        vm.startPrank(signer);
        uint32 second = nodes.registerWithPermit(consent, terms, profile(), stakeFor(2), p.deadline, p.v, p.r, p.s);
        vm.stopPrank();
        assertEq(nodes.node(second).stake, stakeFor(2));
    }

    /// @notice Somebody who uses the permit first only pays the signer's gas for it.
    function test_RegisterWithPermit_frontRun() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        ver.transfer(signer, stakeFor(2));
        Permit memory p = signPermit(ver, key, address(vault), stakeFor(2));
        vm.prank(bob);
        ver.permit(signer, address(vault), stakeFor(2), p.deadline, p.v, p.r, p.s);
        ISupply.Terms memory terms = termsOf(CPU_US, 2, 1);
        INodeRegistry.Consent memory consent = consentOf(signer, keyOf("keeper"));
        vm.startPrank(signer);
        nodes.registerWithPermit(consent, terms, profile(), stakeFor(2), p.deadline, p.v, p.r, p.s);
        vm.stopPrank();
        assertEq(nodes.nodeOfOperator(keeper), 2);
    }

    function _wrongStatus(ISupply.NodeStatus status) private view returns (bytes memory) {
        return abi.encodeWithSelector(ISupply.WrongStatus.selector, id, status);
    }
}
