// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Parameters} from "../../../contracts/governance/Parameters.sol";
import {OneTimeInitialiser} from "../../../contracts/libraries/OneTimeInitialiser.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {IParameters, Param} from "../../../contracts/interfaces/IParameters.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Vault} from "../../../contracts/core/vault/Vault.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title Parameters, roles, delays, and initialiser that nobody can redo
contract GovernanceTest is Fixture {
    function test_Constructor() public {
        IParameters.Bounded[] memory b = initialParameters();
        IParameters.Bounded[] memory short = new IParameters.Bounded[](b.length - 1);
        vm.expectRevert(abi.encodeWithSelector(IParameters.WrongParameterCount.selector, b.length - 1, b.length));
        new Parameters(address(manager), short);
        b[3].value = b[3].max + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameters.ParameterOutOfBounds.selector,
                Param.RoundInterval,
                b[3].value,
                b[3].min,
                b[3].max
            )
        );
        new Parameters(address(manager), b);
        b = initialParameters();
        IParameters.Bounded[] memory all = parameters.all();
        assertEq(keccak256(abi.encode(all)), keccak256(abi.encode(b)));
        assertEq(parameters.bounded(Param.FeeBps).max, 1_000);
    }

    /// @notice Pairs of parameters are checked where one of them is set, and in the constructor.
    function test_Pairs() public {
        _refused(Param.ReportTimeout, 119, Param.ReportInterval, 120, Param.ReportTimeout, 119);
        setParam(Param.ReportTimeout, 120);
        _refused(Param.ReportInterval, 61, Param.ReportInterval, 122, Param.ReportTimeout, 120);
        setParam(Param.ReportTimeout, 12 hours);
        setParam(Param.OutageGrace, 60);
        _refused(Param.ReportInterval, 61, Param.ReportInterval, 61, Param.OutageGrace, 60);
        _refused(Param.MoveCooldown, 119, Param.MoveGrace, 120, Param.MoveCooldown, 119);
        setParam(Param.MoveCooldown, 120);
        _refused(Param.MoveGrace, 121, Param.MoveGrace, 121, Param.MoveCooldown, 120);

        IParameters.Bounded[] memory b = initialParameters();
        b[uint256(Param.ReportInterval)].value = 3_600;
        b[uint256(Param.OutageGrace)].value = 3_599;
        vm.expectRevert(
            abi.encodeWithSelector(
                IParameters.ParametersOutOfStep.selector,
                Param.ReportInterval,
                3_600,
                Param.OutageGrace,
                3_599
            )
        );
        new Parameters(address(manager), b);
        b = initialParameters();
        b[uint256(Param.MinCheckpointInterval)] = IParameters.Bounded(7_200, 1, 7_200);
        b[uint256(Param.MaxCheckpointInterval)].value = 7_199;
        vm.expectPartialRevert(IParameters.ParametersOutOfStep.selector);
        new Parameters(address(manager), b);
        // A lag that 16 bits do not hold.
        b = initialParameters();
        b[uint256(Param.ReportTimeout)] = IParameters.Bounded(65_536, 15, 1 days);
        vm.expectPartialRevert(IParameters.ParameterOutOfBounds.selector);
        new Parameters(address(manager), b);
    }

    /// @dev A value is refused for its pair, and stays what it was.
    function _refused(Param param_, uint64 value, Param lower, uint256 needed, Param higher, uint256 limit) private {
        uint256 was = param(param_);
        vm.expectRevert(abi.encodeWithSelector(IParameters.ParametersOutOfStep.selector, lower, needed, higher, limit));
        parameters.set(param_, value);
        assertEq(param(param_), was);
    }

    /// @notice Every parameter takes what its bounds and its pairs allow, and nothing else.
    function testFuzz_BoundsHold(uint8 index, uint64 value, bool within) public {
        Param p = Param(bound(index, 0, uint256(type(Param).max)));
        IParameters.Bounded memory b = parameters.bounded(p);
        if (within) value = uint64(bound(value, b.min, b.max));
        if (value < b.min || value > b.max) {
            vm.expectRevert(abi.encodeWithSelector(IParameters.ParameterOutOfBounds.selector, p, value, b.min, b.max));
            parameters.set(p, value);
            assertEq(parameters.get(p), b.value);
        } else if (!_inStep(p, value)) {
            vm.expectPartialRevert(IParameters.ParametersOutOfStep.selector);
            parameters.set(p, value);
            assertEq(parameters.get(p), b.value);
        } else {
            vm.expectEmit(address(parameters));
            emit IParameters.ParameterSet(p, b.value, value);
            parameters.set(p, value);
            assertEq(parameters.get(p), value);
        }
    }

    /// @dev Whether the pairs allow that `p` becomes `value`, all others staying what they are.
    function _inStep(Param p, uint256 value) private view returns (bool) {
        uint256[] memory v = new uint256[](uint256(type(Param).max) + 1);
        for (uint256 i; i < v.length; ++i) v[i] = uint256(p) == i ? value : param(Param(i));
        return
            2 * v[uint256(Param.ReportInterval)] <= v[uint256(Param.ReportTimeout)] &&
            v[uint256(Param.ReportInterval)] <= v[uint256(Param.OutageGrace)] &&
            v[uint256(Param.MinCheckpointInterval)] <= v[uint256(Param.MaxCheckpointInterval)] &&
            v[uint256(Param.MoveGrace)] <= v[uint256(Param.MoveCooldown)] &&
            v[uint256(Param.ReleaseFee)] + v[uint256(Param.ReleaseUnitFee)] <= v[uint256(Param.StakePerUnit)] &&
            v[uint256(Param.ReleaseBar)] <= v[uint256(Param.ReleaseMemory)];
    }

    /// @notice Governance waits out its delay; nobody else gets anywhere.
    function test_Delay() public {
        bytes memory call = abi.encodeCall(IParameters.set, (Param.FeeBps, 300));
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice));
        vm.prank(alice);
        parameters.set(Param.FeeBps, 300);
        vm.startPrank(governance);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotScheduled.selector);
        parameters.set(Param.FeeBps, 300);
        manager.schedule(address(parameters), call, 0);
        vm.expectPartialRevert(IAccessManager.AccessManagerNotReady.selector);
        parameters.set(Param.FeeBps, 300);
        vm.warp(block.timestamp + PARAMETER_DELAY);
        parameters.set(Param.FeeBps, 300);
        vm.stopPrank();
        assertEq(parameters.get(Param.FeeBps), 300);
    }

    function test_Pause() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, governance));
        vm.prank(governance);
        parameters.setIntakePaused(true);
        vm.expectEmit(address(parameters));
        emit IParameters.IntakePausedSet(true);
        vm.prank(guardian);
        parameters.setIntakePaused(true);
        assertTrue(parameters.intakePaused());
        vm.prank(guardian);
        parameters.setIntakePaused(false);
        assertFalse(parameters.intakePaused());
    }

    function test_InitialisedOnce() public {
        IVault.Modules memory m = IVault.Modules(alice, alice, alice, alice, alice, alice, alice, alice, alice);
        assertTrue(vault.isInitialised());
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        vault.initialise(m);
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        supply.initialise(ISupply.Modules(alice, alice, alice, alice, alice, alice));
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        holderPool.initialise(alice);
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        tasks.initialise(alice, alice, alice);
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        leases.initialise(ILeaseRegistry.Modules(alice, alice, alice, alice, alice, alice, alice));
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        nodes.initialise(alice);
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        seeds.initialise(alice, alice, alice);
        vm.expectRevert(OneTimeInitialiser.AlreadyInitialised.selector);
        telemetry.initialise(alice);

        Vault fresh = new Vault(ver);
        assertFalse(fresh.isInitialised());
        vm.expectRevert(abi.encodeWithSelector(OneTimeInitialiser.NotDeployer.selector, alice));
        vm.prank(alice);
        fresh.initialise(m);
        vm.expectEmit(address(fresh));
        emit IVault.ModulesSet(m);
        fresh.initialise(m);
    }
}
