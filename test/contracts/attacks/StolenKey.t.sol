// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Moves} from "../support/Moves.sol";

/// @title A thief with a node's operator key wants it slashed: it signs the highest sequence there is
contract StolenKeyTest is Moves {
    uint256 private constant NEW_KEY = 0xA11CE;
    uint32 private constant KEY = 1 << 24;

    function setUp() public override {
        super.setUp();
        setParam(Param.ReportTimeout, 1_800);
        register(alice, CPU_EU, 4, 10);
        submit(bob, 4, 20_000, CPU_EU);
        runRound(1);
        vm.warp(block.timestamp + 60);
    }

    /// @notice The highest that it can sign is the highest of its key: the owner's next key reports at once.
    function test_SequencePoisoned() public {
        ITelemetry.Report memory r = reportOf(1, 0);
        r.sequence = type(uint32).max;
        refused(r, ITelemetry.Refusal.SequenceNotGrowing);
        r.sequence = KEY - 1;
        report(r);
        // The key's own reports are at an end, for as long as its owner leaves it in place.
        vm.warp(block.timestamp + 60);
        refused(r, ITelemetry.Refusal.SequenceNotGrowing);
        _changeKey();
        r = _report(KEY + 1);
        assertEq(post(_signed(r)), 1, "the new key's first report");
        assertFalse(telemetry.silent(1));

        // Nor do the old key's reports count again when it comes back.
        changeOperator(alice, 1, operatorKey(1));
        vm.warp(block.timestamp + 60);
        r.sequence = 5;
        refused(r, ITelemetry.Refusal.SequenceNotGrowing);
        r.sequence = 2 * KEY + 1;
        report(r);
    }

    /// @notice With every report lost but every checkpoint in time nothing is slashed, and nobody earns a bounty.
    function test_CheckpointsInTime() public {
        uint256 stake = vault.stakeOf(1);
        for (uint40 i = 1; i <= 40; ++i) {
            vm.warp(block.timestamp + 80);
            checkpoint(1, 10 * i);
        }
        assertTrue(telemetry.silent(1));
        assertEq(uint8(leases.healthOf(1)), uint8(ILeaseRegistry.Health.InTime));
        vm.expectPartialRevert(ILeaseRegistry.LeaseNotOverdue.selector);
        vm.prank(keeper);
        leases.expire(1);
        assertEq(vault.stakeOf(1), stake);
        emit log_named_uint("wei of stake lost by the owner of a stolen key", stake - vault.stakeOf(1));
    }

    /// @notice A node that gives no sign of life is noticed by its reports, however long its checkpoint interval.
    function test_NoSignOfLife() public {
        register(alice, GPU_EU, 4, 10);
        uint32 id = submit(bob, _slow());
        runRound(2);
        assertEq(leases.lease(2).taskId, id);
        vm.warp(block.timestamp + 1_000);
        checkpoint(2, 1);
        vm.warp(block.timestamp + 1_800);
        assertEq(uint8(leases.healthOf(2)), uint8(ILeaseRegistry.Health.InTime), "as long as a report would do");
        vm.warp(block.timestamp + 1);
        assertEq(uint8(leases.healthOf(2)), uint8(ILeaseRegistry.Health.Overdue));
        leases.expire(2);
        assertLt(vault.stakeOf(2), stakeFor(4));
    }

    /// @notice 255 changes of the key, and no more.
    function test_TooManyKeys() public {
        vm.startPrank(alice);
        for (uint256 i = 1; i <= 255; ++i) nodes.setOperator(1, consentOf(alice, i));
        INodeRegistry.Consent memory consent = consentOf(alice, 256);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TooManyKeys.selector, 1));
        nodes.setOperator(1, consent);
        vm.stopPrank();
        assertEq(nodes.factsOf(1).keyNumber, 255);
    }

    function _slow() private view returns (ITaskRegistry.Submission memory s) {
        s = submission(4, 20_000, list(GPU_EU));
        s.checkpointInterval = 12 hours;
    }

    function _changeKey() private {
        changeOperator(alice, 1, NEW_KEY);
    }

    function _report(uint32 sequence) private pure returns (ITelemetry.Report memory) {
        return ITelemetry.Report(1, sequence, 0, 20, 100, false);
    }

    function _signed(ITelemetry.Report memory r) private view returns (bytes memory) {
        return pack(r, sign(NEW_KEY, digest(r, block.chainid, address(telemetry))));
    }
}
