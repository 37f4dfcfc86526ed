// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AuditDraw} from "../../../contracts/audits/AuditDraw.sol";
import {IAudits} from "../../../contracts/interfaces/IAudits.sol";
import {AuditActions} from "../support/AuditActions.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";

/// @title Gas of each step of an audit, among twelve verifiers and sixteen leaves
contract AuditGasTest is GasSnapshots, AuditActions {
    /// hardhat-config: isolate = true
    function test_Passed() public compared {
        _begin();
        (uint32 epochId, bytes32 salt) = drawSegment(2);
        audits.open(proofOf(2), epochId);
        _note("open, and draw a verifier");
        uint256 before = vm.snapshotState();
        confirm(2, salt);
        _note("confirm");
        assertAudit(2, IAudits.AuditStatus.Passed);
        vm.revertToState(before);
        bytes32 answer = answerOf(2, AuditDraw.probeAt(salt, 0, uint32(LEAVES)), true);
        commit(2, answer);
        _note("commit");
        bytes32 opened = openTrace(2, salt, true);
        _note("open the trace");
        reveal(2, answer, opened);
        _note("reveal, equal");
    }

    /// @notice A node and a verifier that audits know already: no slot is new.
    /// hardhat-config: isolate = true
    function test_ConfirmedLater() public compared {
        _begin();
        confirm(2, openAudit(2));
        vm.warp(block.timestamp + 30);
        trace(12_000, true);
        bytes32 salt = openAudit(4);
        (address owner, ) = nodes.keysOf(verifierOf(4));
        vm.prank(address(audits));
        vault.payVerifier(0, owner, 0, 1);
        confirm(4, salt);
        _note("confirm, a later one");
    }

    /// hardhat-config: isolate = true
    function test_Payment() public compared {
        _begin();
        openAudit(3);
        deliver(id);
        vm.warp(leases.lease(id).due - 60);
        audits.holdPayment(id, 3);
        _note("hold a payment");
        audits.close(segmentOf(3));
        _note("close, and draw another verifier");
    }

    /// hardhat-config: isolate = true
    function test_Fraud() public compared {
        _begin();
        vm.warp(block.timestamp + 30);
        trace(12_000, false);
        _note("checkpoint with a trace root");
        vm.warp(block.timestamp + 30);
        uint256 before = vm.snapshotState();
        auditEpochs.openEpoch(id);
        _note("open an epoch");
        vm.revertToState(before);
        bytes32 salt = openAudit(4);
        bytes32 answer = answerOf(4, AuditDraw.probeAt(salt, 0, uint32(LEAVES)), true);
        commit(4, answer);
        reveal(4, answer, openTrace(4, salt, false));
        _note("reveal, unequal: draw a panel");
        IAudits.Answer memory none;
        vote(4, salt, 0, none);
        _note("reveal a vote, the last of its round");
        vote(4, salt, 0, none);
        vote(4, salt, 0, none);
        _note("convict");
        assertAudit(4, IAudits.AuditStatus.Fraud);
        audits.collect(segmentOf(4), 0);
        _note("collect");
    }

    /// hardhat-config: isolate = true
    function test_Vote() public compared {
        _begin();
        verify(2, true, false);
        IAudits.PanelView memory p = audits.panelOf(id, 2);
        vm.prank(operatorOf(p.members[0].nodeId));
        audits.commitVote(id, 2, 0, keccak256("vote"));
        _note("commit a vote");
    }

    function _begin() private {
        prepare(12);
        for (uint40 progress = 2_000; progress <= 8_000; progress += 3_000) {
            vm.warp(block.timestamp + 30);
            trace(progress, true);
        }
    }

    function _note(string memory name) private {
        note("audits", name);
    }
}
