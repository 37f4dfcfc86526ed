// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Holders} from "../../../contracts/checkpoints/Holders.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../support/Failures.sol";

/// @title Where the row of a lease's candidates ends
contract CandidatesTest is Failures {
    bytes32 private constant DIGEST = keccak256("checkpoint");
    /// @dev Enough that many come in no lease's first 64 candidates.
    uint32 private constant NODES = 40;
    uint32 private constant LEASES = 16;

    /// @dev Nodes 1 to 40 are alice's; carol's runs all leases. The tasks want one copy: a lease has three holders.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < NODES; ++i) register(alice, CPU_US, 1, 5);
        register(carol, CPU_EU, LEASES, 0);
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.replicas = 1;
        for (uint256 i; i < LEASES; ++i) submit(bob, s);
        runRound(1);
        assertEq(leases.leaseCount(), LEASES);
    }

    /// @notice The fourth candidate is no holder where the first three are, though no receipt names one of these.
    function test_FirstAfterTheHolders() public {
        for (uint32 id = 1; id <= LEASES; ++id) {
            ICheckpointRegistry.Holder[] memory first = checkpoints.holdersOf(id, 4);
            if (first[3].candidate != 3) continue;
            _refused(id, first[3]);
            _post(id, one(_receipt(id, first[2])));
            return;
        }
        revert("no lease of this seed has holders in a row");
    }

    /// @notice A node that comes first as candidate 64 is no holder, however few there are: candidates 0 to 63 are looked at.
    function test_OnePastTheLast() public {
        for (uint32 id = 1; id <= LEASES; ++id) {
            uint32 nodeId = _candidate(id, 64);
            if (nodeId == 0 || nodeId > NODES || _isAmongTheFirst(id, nodeId)) continue;
            // All others are silent.
            vm.warp(block.timestamp + 12 hours + 1);
            report(nodeId, 1_000, 20);
            assertEq(checkpoints.holdersOf(id, 64).length, 0);
            assertEq(checkpoints.receiptsNeeded(id), 0);
            _refused(id, ICheckpointRegistry.Holder(64, nodeId));
            _post(id, noReceipts());
            return;
        }
        revert("no lease of this seed has a node first as candidate 64");
    }

    function _refused(uint32 id, ICheckpointRegistry.Holder memory holder) private {
        ICheckpointRegistry.Receipt[] memory receipts = one(_receipt(id, holder));
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.NotHolder.selector, id, holder.candidate));
        this.tryPost(id, receipts);
    }

    function tryPost(uint32 id, ICheckpointRegistry.Receipt[] memory receipts) external {
        _post(id, receipts);
    }

    function _post(uint32 id, ICheckpointRegistry.Receipt[] memory receipts) private {
        vm.prank(operatorOfLease(id));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), receipts);
    }

    function _receipt(
        uint32 id,
        ICheckpointRegistry.Holder memory holder
    ) private view returns (ICheckpointRegistry.Receipt memory r) {
        r = receipt(id, DIGEST, 500, holder.nodeId);
        r.candidate = holder.candidate;
    }

    function _isAmongTheFirst(uint32 id, uint32 nodeId) private view returns (bool) {
        for (uint256 k; k < 64; ++k) if (_candidate(id, k) == nodeId) return true;
        return false;
    }

    /// @dev The node that a candidate of a lease's is, if the draw may take it.
    function _candidate(uint32 id, uint256 k) private view returns (uint32) {
        (ILeaseRegistry.Draw memory d, uint32 taskId, uint24 start) = leases.drawOf(id);
        Holders.Draw memory draw = Holders.Draw(d.salt, d.freeze, d.positions, d.average, taskId, start);
        (uint32 position, uint256 chance) = Holders.candidate(draw, k);
        return holderPool.drawn(position, d.freeze, d.average, chance);
    }
}
