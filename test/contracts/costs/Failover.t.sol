// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {Failures} from "../support/Failures.sol";

/// @title Gas of each step of a failover, and that none of it grows with the nodes
contract FailoverGasTest is GasSnapshots, Failures {
    function uptimeFeed() internal override(Fixture, Failures) returns (AggregatorV3Interface) {
        return Failures.uptimeFeed();
    }

    /// @dev The third post of a lease overwrites, as nearly all do.
    /// hardhat-config: isolate = true
    function test_Receipts() public compared {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        leaseOn(1, s);
        for (uint256 i; i < 20; ++i) register(alice, CPU_US, 1, 5);
        for (uint40 posted = 1; posted < 4; ++posted) _post(posted, 0);
        note("failover", "checkpoint: post without receipts");
        for (uint32 receipts = 1; receipts < 4; ++receipts) {
            s.replicas = uint8(receipts);
            uint256 before = vm.snapshotState();
            register(carol, CPU_EU, 1, 0);
            submit(bob, s);
            runRound(7);
            for (uint40 posted = 1; posted < 4; ++posted) _post(posted, receipts);
            note("failover", string.concat("checkpoint: post with receipts, ", vm.toString(receipts)));
            vm.revertToState(before);
        }
    }

    /// hardhat-config: isolate = true
    function test_Draw1() public compared {
        _batch(1, 20, true);
    }

    /// hardhat-config: isolate = true
    function test_Draw32() public compared {
        _batch(32, 20, true);
    }

    /// @notice Many leases in one transaction, and a full batch.
    /// hardhat-config: isolate = true
    function test_Mass() public compared {
        register(alice, CPU_EU, 127, 5);
        register(alice, CPU_EU, 127, 5);
        for (uint256 i; i < 128; ++i) leaseOn(1);
        vm.warp(uint256(leases.lease(128).due) + 1);
        for (uint32 part; part < 4; ++part) {
            uint32[] memory ids = new uint32[](32);
            for (uint32 i; i < 32; ++i) ids[i] = part * 32 + i + 1;
            vm.prank(keeper);
            leases.expireOverdue(ids);
        }
        note("failover", "lease: expire, 32 orphaned");
        openBatch();
        note("failover", "batch: open, 128 orphans");
    }

    /// @notice Ten times as many nodes, the same gas: 100 and 1,000.
    /// hardhat-config: isolate = true
    function test_DrawIsFlat() public {
        uint256 before = vm.snapshotState();
        uint256 few = _batch(8, 100, false);
        vm.revertToState(before);
        uint256 many = _batch(8, 1_000, false);
        assertApproxEqRel(many, few, 0.05e18, "gas of the draw");
    }

    /// @dev A batch of `count` orphans among `others` idle nodes of 127 units: nearly every try succeeds, so that the gas is
    /// that of finding and leasing.
    function _batch(uint32 count, uint256 others, bool noted) private returns (uint256 gas_) {
        for (uint256 i; i < others; ++i) register(alice, CPU_EU, 127, 5);
        uint32 first = leases.leaseCount() + 1;
        for (uint256 i; i < count; ++i) leaseOn(1);
        vm.warp(uint256(leases.lease(first + count - 1).due) + 1);
        for (uint32 i; i < count; ++i) {
            vm.prank(keeper);
            leases.expire(first + i);
        }
        if (noted && count == 1) note("failover", "lease: expire, orphaned");
        uint256 next = reassignment.nextOpening();
        if (block.timestamp < next) vm.warp(next);
        vm.prank(keeper);
        reassignment.open();
        string memory orphans = string.concat(vm.toString(count), count == 1 ? " orphan" : " orphans");
        if (noted) note("failover", string.concat("batch: open, ", orphans));
        fulfilBatch(1);
        vm.prank(keeper);
        reassignment.draw(count);
        gas_ = vm.lastCallGas().gasTotalUsed;
        if (noted) note("failover", string.concat("batch: draw, ", orphans));
        assertFalse(supply.frozen());
    }

    function _post(uint40 progress, uint32 receipts) private {
        uint32 leaseId = leases.leaseCount();
        bytes32 digest_ = keccak256(abi.encode(progress));
        ICheckpointRegistry.Receipt[] memory given = receiptsOf(leaseId, digest_, progress, receipts);
        uint24 fence = fenceOf(leaseId);
        vm.prank(operatorOfLease(leaseId));
        checkpoints.post(ICheckpointRegistry.Claim(leaseId, fence, digest_, 0x70, progress, 1_000), given);
    }
}
