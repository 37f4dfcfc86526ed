// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MockV3Aggregator} from "@chainlink/contracts/src/v0.8/shared/mocks/MockV3Aggregator.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "./Fixture.sol";
import {Reports} from "./Reports.sol";

/// @title What happens when nodes fail: receipts, expiry, batches
abstract contract Failures is Fixture, Reports {
    bytes32 internal constant RECEIPT_TYPE = keccak256(
        "CheckpointReceipt(uint32 leaseId,uint24 fence,bytes32 digest,uint16 codec,uint40 progress,uint64 size,uint32 nodeId)"
    );

    MockV3Aggregator internal feed;

    /// @dev Chainlink's own mock: 0 is up.
    function uptimeFeed() internal virtual override returns (AggregatorV3Interface) {
        feed = new MockV3Aggregator(0, 0);
        feed.updateRoundData(1, 0, block.timestamp, block.timestamp - 30 days);
        return AggregatorV3Interface(address(feed));
    }

    function sequencer(bool up) internal {
        feed.updateRoundData(
            uint80(feed.latestRound() + 1),
            up ? int256(0) : int256(1),
            block.timestamp,
            block.timestamp
        );
    }

    /// @dev A node of carol's that fails with a lease of all units of a task of its own.
    function leaseOn(uint32 units, ITaskRegistry.Submission memory s) internal returns (uint32 leaseId) {
        register(carol, CPU_EU, units, 0);
        submit(bob, s);
        runRound(leases.leaseCount() + 1);
        leaseId = leases.leaseCount();
        assertEq(leases.lease(leaseId).count, units, "one lease for all");
    }

    function leaseOn(uint32 units) internal returns (uint32) {
        return leaseOn(units, submission(units, 20_000, list(CPU_EU)));
    }

    function assertBatch(IReassignment.BatchStatus status) internal view {
        assertEq(uint8(reassignment.current().status), uint8(status), "batch status");
    }

    function report(uint32 nodeId, uint16 load, uint16 latency) internal {
        ITelemetry.Report memory r = reportOf(nodeId, load);
        r.latency = latency;
        report(r);
    }

    /// @dev The digest of what a holder signs, written once more, independently of the contracts.
    function receiptDigest(
        uint32 leaseId,
        uint24 fence,
        bytes32 digest_,
        uint40 progress,
        uint32 nodeId,
        uint256 chainId,
        address verifier
    ) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DRMP"),
                keccak256("1"),
                chainId,
                verifier
            )
        );
        bytes32 body = keccak256(
            abi.encode(RECEIPT_TYPE, leaseId, fence, digest_, uint16(0x70), progress, uint64(1_000), nodeId)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, body));
    }

    function receipt(
        uint32 leaseId,
        bytes32 digest_,
        uint40 progress,
        uint32 nodeId
    ) internal view returns (ICheckpointRegistry.Receipt memory) {
        bytes32 hash = receiptDigest(
            leaseId,
            fenceOf(leaseId),
            digest_,
            progress,
            nodeId,
            block.chainid,
            address(checkpoints)
        );
        return ICheckpointRegistry.Receipt(candidateOf(leaseId, nodeId), signature(operatorKey(nodeId), hash));
    }

    /// @dev Which of a lease's candidates a holder is; one that is never looked at for a node that is none.
    function candidateOf(uint32 leaseId, uint32 nodeId) internal view returns (uint8) {
        ICheckpointRegistry.Holder[] memory holders = checkpoints.holdersOf(leaseId, 0);
        for (uint256 i; i < holders.length; ++i) if (holders[i].nodeId == nodeId) return holders[i].candidate;
        return type(uint8).max;
    }

    /// @dev Receipts of the first `count` holders of a lease.
    function receiptsOf(
        uint32 leaseId,
        bytes32 digest_,
        uint40 progress,
        uint256 count
    ) internal view returns (ICheckpointRegistry.Receipt[] memory receipts) {
        ICheckpointRegistry.Holder[] memory holders = checkpoints.holdersOf(leaseId, 0);
        receipts = new ICheckpointRegistry.Receipt[](count);
        for (uint256 i; i < count; ++i) receipts[i] = receipt(leaseId, digest_, progress, holders[i].nodeId);
    }

    function signature(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, s, v);
    }

    function one(
        ICheckpointRegistry.Receipt memory a
    ) internal pure returns (ICheckpointRegistry.Receipt[] memory list_) {
        list_ = new ICheckpointRegistry.Receipt[](1);
        list_[0] = a;
    }

    function two(
        ICheckpointRegistry.Receipt memory a,
        ICheckpointRegistry.Receipt memory b
    ) internal pure returns (ICheckpointRegistry.Receipt[] memory list_) {
        list_ = new ICheckpointRegistry.Receipt[](2);
        (list_[0], list_[1]) = (a, b);
    }
}
