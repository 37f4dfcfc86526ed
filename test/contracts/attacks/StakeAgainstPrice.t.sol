// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IBalancer} from "../../../contracts/interfaces/IBalancer.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Moves} from "../support/Moves.sol";

/// @title What can be lost covers what can be gained
contract StakeAgainstPriceTest is Moves {
    /// @dev The dearest ask of a class of CPUs: 4.095 VER.
    uint256 private constant DEAREST = 4_095;

    /// @notice A unit at the dearest tick is failed at its price, though the stake terms alone ask for 0.05 VER.
    function test_DearestUnit() public {
        register(alice, CPU_EU, 1, DEAREST);
        setParam(Param.StakePerUnit, 1_000_000);
        submit(bob, 1, DEAREST * 1_000, CPU_EU);
        runRound(1);
        uint256 price = leases.lease(1).priceMicroVer * MICRO;
        uint256 stake = vault.stakeOf(1);
        expire(1);
        assertEq(stake - vault.stakeOf(1), price);
        emit log_named_decimal_uint("VER that failing a unit at the dearest tick costs", price, 18);
    }

    /// @notice Who asks more stakes more: a dear unit needs its price, a cheap one what all need.
    function test_DearAskNeedsStake() public {
        setParam(Param.StakePerUnit, 1_000_000);
        INodeRegistry.Consent memory consent = consentOf(alice, operatorKey(1));
        ISupply.Terms memory dear = termsOf(CPU_EU, 2, DEAREST);
        fund(alice, 10 ether);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, 9 ether, 10 ether));
        nodes.register(consent, dear, profile(), 9 ether);
        dear.ask = 0;
        nodes.register(consent, dear, profile(), 2 ether);
        vm.stopPrank();
        assertEq(nodes.node(1).listedUnits, 2);
    }

    /// @notice Asking less while a dear unit is leased frees no stake for more units.
    function test_CheapAskWhileADearUnitIsLeased() public {
        // Five VER: one dear unit, or five cheap ones.
        setParam(Param.StakePerUnit, 5_000_000);
        register(alice, CPU_EU, 1, DEAREST);
        setParam(Param.StakePerUnit, 1_000_000);
        submit(bob, 1, DEAREST * 1_000, CPU_EU);
        runRound(1);
        ISupply.Terms memory cheap = termsOf(CPU_EU, 5, 1);
        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, 5 ether, 25 ether));
        vm.prank(alice);
        nodes.setTerms(1, cheap);
        deliver(1);
        accept(bob, 1);
        vm.prank(alice);
        nodes.setTerms(1, cheap);
        assertEq(nodes.node(1).listedUnits, 5);
    }

    /// @notice Nor does asking less while a round may still grant what is listed at the dear ask.
    function test_CheapAskAmidARound() public {
        setParam(Param.StakePerUnit, 5_000_000);
        register(alice, CPU_EU, 1, DEAREST);
        setParam(Param.StakePerUnit, 1_000_000);
        submit(bob, 1, DEAREST * 1_000, CPU_EU);
        openRound();
        ISupply.Terms memory cheap = termsOf(CPU_EU, 5, 1);
        vm.expectRevert(abi.encodeWithSelector(ISupply.StakeTooLow.selector, 5 ether, 25 ether));
        vm.prank(alice);
        nodes.setTerms(1, cheap);
    }

    /// @notice A lease keeps the stake terms of its grant: governance makes no old lease cost more.
    function test_TermsOfTheGrant() public {
        register(alice, CPU_EU, 4, 1);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        (, uint256 perUnit) = (0, (param(Param.StakePerUnit) * param(Param.SlashBps)) / 10_000);
        setParam(Param.StakePerUnit, 1e11);
        setParam(Param.SlashBps, 10_000);
        uint256 stake = vault.stakeOf(1);
        expire(1);
        assertEq(stake - vault.stakeOf(1), 2 * perUnit * MICRO);
    }

    /// @notice A false load is no way to give a lease back for nothing: without headway it does not move.
    function test_FalseLoadIsNoFreeRelease() public {
        setParam(Param.ReleaseFee, 1_000_000);
        _market();
        loads(10_000, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IBalancer.NoHeadwayYet.selector, 1));
        move(1, 5);
        emit log_named_decimal_uint("VER that giving it back costs", releaseFees.feeFor(10), 18);
        vm.warp(block.timestamp + 12 hours);
        checkpoint(1, 500);
        loads(10_000, 0, 0);
        move(1, 5);
    }
}
