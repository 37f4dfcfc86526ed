// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {NotModule, UnknownClass} from "../../../../contracts/types/Errors.sol";

/// @title Registering, terms, keys and classes
contract NodeRegistryTest is Fixture {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = register(alice, CPU_EU, 5, 10);
    }

    function test_Register() public {
        uint256 stake = stakeFor(3);
        fund(bob, stake);
        ISupply.Terms memory terms = termsOf(GPU_EU, 3, 4095);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.NodeRegistered(2, bob, keeper, terms);
        vm.expectEmit(address(supply));
        emit ISupply.Listed(2, GPU_EU, 4095, 3);
        vm.prank(bob);
        assertEq(nodes.register(consentOf(bob, keyOf("keeper")), terms, profile(), stake), 2);

        INodeRegistry.NodeView memory n = nodes.node(2);
        assertEq(uint8(n.status), uint8(ISupply.NodeStatus.Active));
        assertEq(n.owner, bob);
        assertEq(n.operator, keeper);
        assertEq(n.stake, stake);
        assertEq(n.capacity, 3);
        assertEq(n.listedUnits, 3);
        assertEq(n.listedTick, 4095);
        assertEq(uint8(n.energySource), uint8(INodeRegistry.EnergySource.Solar));
        assertEq(n.powerThreshold, 300);
        assertEq(n.endpoint, "/ip4/127.0.0.1/tcp/4001");
        assertEq(nodes.nodeOfOperator(keeper), 2);
        assertEq(supply.unitsBelow(GPU_EU, 4095), 0);
        assertEq(supply.unitsAtOrBelow(GPU_EU, 4095 * 1_500), 3);
        assertEq(supply.unitsAtOrBelow(GPU_EU, 4095 * 1_500 - 1), 0);
        assertEq(supply.unitsAtOrBelow(GPU_EU, type(uint40).max), 3);
        assertBooks();
    }

    function test_Register_refusals() public {
        fund(bob, stakeFor(10));
        uint256 stake = stakeFor(1);
        ISupply.Terms memory terms = termsOf(CPU_EU, 1, 1);
        vm.startPrank(bob);

        vm.expectRevert(INodeRegistry.InvalidOperator.selector);
        nodes.register(_itself(address(0)), terms, profile(), stake);

        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.OperatorTaken.selector, operatorOf(id), id));
        nodes.register(consentOf(bob, operatorKey(id)), terms, profile(), stake);

        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, stake - 1, stake));
        nodes.register(_itself(bob), terms, profile(), stake - 1);

        terms.ask += 1;
        vm.expectRevert(abi.encodeWithSelector(ISupply.AskNotOnTick.selector, terms.ask, 1_000 * MICRO));
        nodes.register(_itself(bob), terms, profile(), stake);

        terms.ask = 4096 * 1_000 * MICRO;
        uint256 highest = 4095 * 1_000 * MICRO;
        vm.expectRevert(abi.encodeWithSelector(ISupply.AskTooHigh.selector, terms.ask, highest));
        nodes.register(_itself(bob), terms, profile(), stake);

        terms = ISupply.Terms(4, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(UnknownClass.selector, 4));
        nodes.register(_itself(bob), terms, profile(), stake);

        terms = ISupply.Terms(CPU_EU, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISupply.InvalidCapacity.selector, 0));
        nodes.register(_itself(bob), terms, profile(), stake);

        terms.capacity = 1 << 24;
        vm.expectRevert(abi.encodeWithSelector(ISupply.InvalidCapacity.selector, 1 << 24));
        nodes.register(_itself(bob), terms, profile(), stake);

        INodeRegistry.Profile memory long = profile();
        long.endpoint = string(new bytes(257));
        terms.capacity = 1;
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.InvalidEndpoint.selector, 257));
        nodes.register(_itself(bob), terms, long, stake);
        vm.stopPrank();
    }

    function test_SetTerms() public {
        ISupply.Terms memory terms = termsOf(GPU_US, 2, 3);
        vm.expectEmit(address(nodes));
        emit INodeRegistry.TermsSet(id, terms);
        vm.prank(alice);
        nodes.setTerms(id, terms);
        INodeRegistry.NodeView memory n = nodes.node(id);
        assertEq(n.listedClassId, GPU_US);
        assertEq(n.listedTick, 3);
        assertEq(n.listedUnits, 2);
        assertEq(supply.unitsBelow(CPU_EU, 4095), 0);
        assertEq(supply.unitsBelow(GPU_US, 4), 2);

        terms = termsOf(GPU_US, 6, 3);
        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, stakeFor(5), stakeFor(6)));
        vm.prank(alice);
        nodes.setTerms(id, terms);
    }

    function test_SetTerms_notBelowWhatIsLeased() public {
        submit(bob, 3, 20_000, CPU_EU);
        runRound(1);
        ISupply.Terms memory terms = termsOf(CPU_EU, 2, 10);
        vm.expectRevert(abi.encodeWithSelector(ISupply.CapacityInUse.selector, id, 2, 3));
        vm.prank(alice);
        nodes.setTerms(id, terms);
        terms.capacity = 3;
        vm.prank(alice);
        nodes.setTerms(id, terms);
        assertEq(nodes.node(id).listedUnits, 0);
    }

    /// @notice A slashed node may go on lowering its capacity, though its stake does not cover what is left.
    function test_SetTerms_lowerAfterSlash() public {
        setParam(Param.SlashBps, 10_000);
        submit(bob, 5, 20_000, CPU_EU);
        runRound(1);
        expire(1);
        assertEq(nodes.node(id).stake, 0);
        ISupply.Terms memory terms = termsOf(CPU_EU, 4, 10);
        vm.prank(alice);
        nodes.setTerms(id, terms);
        assertEq(nodes.node(id).listedUnits, 0);
    }

    function test_SetProfile() public {
        INodeRegistry.Profile memory p = INodeRegistry.Profile(INodeRegistry.EnergySource.Wind, 1, 2, "");
        vm.expectEmit(address(nodes));
        emit INodeRegistry.ProfileSet(id, p);
        vm.prank(operatorOf(id));
        nodes.setProfile(id, p);
        vm.prank(alice);
        nodes.setProfile(id, p);
        assertEq(nodes.node(id).powerThreshold, 1);
        assertEq(nodes.node(id).powerMax, 2);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwnerOrOperator.selector, id, bob));
        vm.prank(bob);
        nodes.setProfile(id, p);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, 9));
        nodes.setProfile(9, p);
    }

    function test_SetProfile_longestEndpoint() public {
        INodeRegistry.Profile memory p = profile();
        p.endpoint = string(new bytes(256));
        vm.prank(alice);
        nodes.setProfile(id, p);
        assertEq(nodes.node(id).endpoint, p.endpoint);
    }

    function test_SetOperator() public {
        vm.expectEmit(address(nodes));
        emit INodeRegistry.OperatorSet(id, keeper);
        changeOperator(alice, id, keyOf("keeper"));
        assertEq(nodes.nodeOfOperator(keeper), id);
        assertEq(nodes.nodeOfOperator(operatorOf(id)), 0);
        (address owner, address operator) = nodes.keysOf(id);
        assertEq(owner, alice);
        assertEq(operator, keeper);
        // The same key again is no conflict.
        changeOperator(alice, id, keyOf("keeper"));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, id, keeper));
        vm.prank(keeper);
        nodes.setOperator(id, _itself(bob));
    }

    /// @notice A node that has left cannot take away the key that another node uses since.
    function test_SetOperator_notAfterWithdrawal() public {
        vm.startPrank(alice);
        nodes.drain(id);
        nodes.exit(id);
        vm.warp(nodes.node(id).withdrawableAt);
        nodes.withdraw(id);
        vm.stopPrank();

        fund(bob, stakeFor(1));
        vm.startPrank(bob);
        uint32 second = nodes.register(consentOf(bob, operatorKey(id)), termsOf(CPU_EU, 1, 1), profile(), stakeFor(1));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ISupply.WrongStatus.selector, id, ISupply.NodeStatus.Withdrawn));
        vm.prank(alice);
        nodes.setOperator(id, _itself(keeper));
        assertEq(nodes.nodeOfOperator(operatorOf(id)), second);
    }

    function test_OnlyOwner() public {
        bytes memory notOwner = abi.encodeWithSelector(INodeRegistry.NotOwner.selector, id, operatorOf(id));
        ISupply.Terms memory terms = termsOf(CPU_EU, 1, 1);
        vm.startPrank(operatorOf(id));
        vm.expectRevert(notOwner);
        nodes.setTerms(id, terms);
        vm.expectRevert(notOwner);
        nodes.exit(id);
        vm.expectRevert(notOwner);
        nodes.withdraw(id);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, 2));
        nodes.withdraw(2);
        vm.stopPrank();
    }

    function test_OnlyOwnerOrOperator() public {
        bytes memory stranger = abi.encodeWithSelector(INodeRegistry.NotOwnerOrOperator.selector, id, bob);
        vm.expectRevert(stranger);
        vm.prank(bob);
        nodes.drain(id);
        vm.prank(alice);
        nodes.drain(id);
        vm.expectRevert(stranger);
        vm.prank(bob);
        nodes.resume(id);
    }

    function test_OnlyModules() public {
        bytes memory notModule = abi.encodeWithSelector(NotModule.selector, address(this));
        vm.expectRevert(notModule);
        supply.freeze(1);
        vm.expectRevert(notModule);
        supply.thaw();
        vm.expectRevert(notModule);
        supply.fill(CPU_EU, 0, 0, 0, "");
        vm.expectRevert(notModule);
        supply.release(id, 1);
        vm.expectRevert(notModule);
        supply.slash(id, 1);
        vm.expectRevert(notModule);
        supply.reserve(id, 1);
        vm.expectRevert(notModule);
        supply.markDelivered(id, 1);
        vm.expectRevert(notModule);
        supply.markDecided(id, 1);
        vm.expectRevert(notModule);
        supply.setEligible(id, false);
        vm.expectRevert(notModule);
        supply.join(id, alice, ISupply.Terms(CPU_EU, 1, 0));
        vm.expectRevert(notModule);
        supply.setTerms(id, ISupply.Terms(CPU_EU, 1, 0));
        vm.expectRevert(notModule);
        supply.setStatus(id, ISupply.NodeStatus.Active, ISupply.NodeStatus.Draining);
        vm.expectRevert(notModule);
        supply.noteStake(id, true);
        vm.expectRevert(notModule);
        holderPool.join(id, 1 ether);
        vm.expectRevert(notModule);
        holderPool.leave(0);
        vm.expectRevert(notModule);
        holderPool.setActive(0, false);
        vm.expectRevert(notModule);
        holderPool.setStake(0, 1 ether);
        vm.expectRevert(notModule);
        holderPool.freeze(1);
        vm.expectRevert(ISupply.ListingsNotFrozen.selector);
        vm.prank(address(rounds));
        supply.thaw();
    }

    function test_AddClasses() public {
        ISupply.Class[] memory added = new ISupply.Class[](1);
        added[0] = ISupply.Class("tpu/eu", 5);
        vm.expectEmit(address(supply));
        emit ISupply.ClassAdded(4, "tpu/eu", 5);
        supply.addClasses(added);
        assertEq(supply.classes().length, 5);
        assertEq(supply.class(4).name, "tpu/eu");

        vm.expectRevert(abi.encodeWithSelector(ISupply.ClassNameTaken.selector, bytes32("tpu/eu")));
        supply.addClasses(added);
        added[0] = ISupply.Class("new", 0);
        vm.expectRevert(abi.encodeWithSelector(ISupply.InvalidTickSize.selector, 0));
        supply.addClasses(added);
        added[0].tickSize = uint40(type(uint40).max / 4095 + 1);
        vm.expectRevert(abi.encodeWithSelector(ISupply.InvalidTickSize.selector, added[0].tickSize));
        supply.addClasses(added);
        added[0].tickSize -= 1;
        supply.addClasses(added);

        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        supply.addClasses(added);
    }

    function test_AddClasses_atMost256() public {
        ISupply.Class[] memory added = new ISupply.Class[](252);
        for (uint256 i; i < 252; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1);
        supply.addClasses(added);
        added = new ISupply.Class[](1);
        added[0] = ISupply.Class("one more", 1);
        vm.expectRevert(ISupply.TooManyClasses.selector);
        supply.addClasses(added);
        // The last class works like any other.
        register(bob, 255, 2, 3);
        submit(bob, 2, 10, 255);
        runRound(3);
        assertEq(nodes.node(2).leased, 2);
    }

    function test_Pages() public {
        register(bob, CPU_US, 1, 1);
        register(bob, CPU_US, 1, 2);
        assertEq(nodes.nodePage(0, 10).length, 3);
        assertEq(nodes.nodePage(2, 1)[0].id, 2);
        assertEq(nodes.nodePage(3, type(uint32).max).length, 1);
        assertEq(nodes.nodePage(2, 3).length, 2);
        assertEq(nodes.nodePage(4, 1).length, 0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, 0));
        nodes.node(0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, 4));
        nodes.node(4);
        vm.expectRevert(abi.encodeWithSelector(UnknownClass.selector, 7));
        supply.class(7);
    }

    /// @notice Nobody names a key that has not agreed to work for them, for this chain, contract, owner and time.
    function test_Consent() public {
        INodeRegistry.Consent memory consent = consentOf(bob, keyOf("keeper"));
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoConsent.selector, keeper, alice));
        nodes.setOperator(id, consent);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoConsent.selector, keeper, alice));
        nodes.setOperator(id, INodeRegistry.Consent(keeper, block.timestamp, ""));
        consent = consentOf(alice, keyOf("keeper"));
        consent.deadline += 1;
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoConsent.selector, keeper, alice));
        nodes.setOperator(id, consent);
        consent.deadline -= 1;
        vm.warp(consent.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ConsentExpired.selector, keeper, consent.deadline));
        nodes.setOperator(id, consent);
        vm.warp(consent.deadline);
        nodes.setOperator(id, consent);
        assertEq(nodes.nodeOfOperator(keeper), id);
        assertEq(nodes.consentDigest(bob, keeper, 7), consentDigest(bob, keeper, 7));
    }

    /// @dev An owner that is its own operator, which signs nothing.
    function _itself(address operator) private pure returns (INodeRegistry.Consent memory) {
        return INodeRegistry.Consent(operator, 0, "");
    }
}
