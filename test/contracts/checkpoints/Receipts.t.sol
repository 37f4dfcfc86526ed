// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../support/Failures.sol";
import {ClassSet} from "../../../contracts/types/ClassSet.sol";

/// @dev An operator that is a contract and accepts what it is told to (ERC-1271).
contract ContractOperator {
    mapping(bytes32 hash => bool) private accepted;

    function accept(bytes32 hash) external {
        accepted[hash] = true;
    }

    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        return accepted[hash] ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @title Receipts: a checkpoint counts only when others hold it
contract ReceiptsTest is Failures {
    bytes32 private constant DIGEST = keccak256("checkpoint");

    uint32 private id;
    /// @dev The holders of the lease, in the order of its candidates.
    ICheckpointRegistry.Holder[] private holders;

    /// @dev Nodes 1 to 5 are alice's; node 6, carol's, runs. The task wants two copies, so that the lease has four holders.
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 5; ++i) register(alice, CPU_US, 1, 5);
        ITaskRegistry.Submission memory s = submission(2, 20_000, list(CPU_EU));
        s.replicas = 2;
        id = leaseOn(2, s);
        ICheckpointRegistry.Holder[] memory found = checkpoints.holdersOf(id, 0);
        for (uint256 i; i < found.length; ++i) holders.push(found[i]);
    }

    function test_Holders() public view {
        assertEq(holders.length, 4);
        for (uint256 i; i < 4; ++i) {
            assertNotEq(holders[i].nodeId, 6, "not the lease's own node");
            if (i != 0) assertGt(holders[i].candidate, holders[i - 1].candidate);
            for (uint256 j; j < i; ++j) assertNotEq(holders[i].nodeId, holders[j].nodeId, "each node once");
        }
    }

    function test_Accepted() public {
        assertEq(tasks.task(1).replicas, 2);
        assertEq(checkpoints.receiptsNeeded(id), 2);
        uint32[] memory signers = new uint32[](2);
        (signers[0], signers[1]) = (holders[1].nodeId, holders[3].nodeId);
        vm.expectEmit(address(checkpoints));
        emit ICheckpointRegistry.CheckpointReplicated(id, 1, signers);
        _post(_pair(1, 3));
        (ICheckpointRegistry.Checkpoint memory newest, ) = checkpoints.newestOf(id);
        assertEq(newest.digest, DIGEST);
        assertEq(leases.lease(id).due, block.timestamp + 90);
    }

    function test_DigestIsEip712() public view {
        assertEq(
            checkpoints.receiptDigest(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), 3),
            receiptDigest(id, 1, DIGEST, 500, 3, block.chainid, address(checkpoints))
        );
    }

    function test_TooFew() public {
        _refused(noReceipts(), abi.encodeWithSelector(ICheckpointRegistry.TooFewReceipts.selector, id, 0, 2));
        _refused(one(_good(0)), abi.encodeWithSelector(ICheckpointRegistry.TooFewReceipts.selector, id, 1, 2));
        // Nothing was renewed by what was refused.
        assertEq(checkpoints.newestOfMany(ids32(id))[0].sequence, 0);
    }

    function test_TooMany() public {
        ICheckpointRegistry.Receipt[] memory five = new ICheckpointRegistry.Receipt[](5);
        for (uint256 i; i < 5; ++i) five[i] = _good(i % 4);
        _refused(five, abi.encodeWithSelector(ICheckpointRegistry.TooManyReceipts.selector, 5, 4));
        // Up to four are welcome where fewer are asked for.
        ICheckpointRegistry.Receipt[] memory four = new ICheckpointRegistry.Receipt[](4);
        for (uint256 i; i < 4; ++i) four[i] = _good(i);
        _post(four);
    }

    /// @notice Receipts that a task does not ask for are checked and told like any others.
    function test_Unasked() public {
        id = leaseOn(2, submission(2, 20_000, list(CPU_EU)));
        ICheckpointRegistry.Receipt memory good = receiptsOf(id, DIGEST, 500, 1)[0];
        uint32 n = checkpoints.holdersOf(id, 1)[0].nodeId;
        address operator = operatorOfLease(id);
        ICheckpointRegistry.Claim memory claim = ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000);
        vm.startPrank(operator);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, n));
        checkpoints.post(claim, one(ICheckpointRegistry.Receipt(good.candidate, "")));
        vm.expectEmit(address(checkpoints));
        emit ICheckpointRegistry.CheckpointReplicated(id, 1, ids32(n));
        checkpoints.post(claim, one(good));
        vm.stopPrank();
    }

    /// @notice The same receipt twice, or out of order.
    function test_EachOnce() public {
        bytes4 reason = ICheckpointRegistry.ReceiptsOutOfOrder.selector;
        _refused(_pair(0, 0), abi.encodeWithSelector(reason, holders[0].candidate));
        _refused(_pair(2, 0), abi.encodeWithSelector(reason, holders[0].candidate));
    }

    /// @notice A node that comes twice among the candidates signs once.
    function test_SecondCandidateOfANode() public {
        uint256 refusals;
        for (uint8 k = holders[0].candidate + 1; k < 64; ++k) {
            ICheckpointRegistry.Receipt memory again = _good(0);
            again.candidate = k;
            try this.tryPost(two(_good(0), again)) {
                revert("the first holder signed twice");
            } catch {
                ++refusals;
            }
        }
        assertEq(refusals, 63 - holders[0].candidate);
    }

    function tryPost(ICheckpointRegistry.Receipt[] memory receipts) external {
        _post(receipts);
    }

    /// @notice Every candidate beyond the fourth that counts is refused, whichever receipts come before it.
    function test_BeyondTheHolders() public {
        vm.prank(alice);
        nodes.drain(holders[3].nodeId);
        ICheckpointRegistry.Holder[] memory now_ = checkpoints.holdersOf(id, 0);
        ICheckpointRegistry.Holder memory fifth = now_[3];
        ICheckpointRegistry.Receipt[] memory pair = two(_good(1), receipt(id, DIGEST, 500, fifth.nodeId));
        assertGt(fifth.candidate, holders[2].candidate);
        vm.prank(alice);
        nodes.resume(holders[3].nodeId);
        if (fifth.candidate < holders[3].candidate) return;
        _refused(pair, abi.encodeWithSelector(ICheckpointRegistry.NotHolder.selector, id, fifth.candidate));
        vm.prank(alice);
        nodes.drain(holders[0].nodeId);
        _post(two(_good(1), receipt(id, DIGEST, 500, fifth.nodeId)));
    }

    function test_UnknownCandidate() public {
        ICheckpointRegistry.Receipt memory r = _good(1);
        r.candidate = 64;
        _refused(two(_good(0), r), abi.encodeWithSelector(ICheckpointRegistry.NotHolder.selector, id, 64));
    }

    function test_OnlyActive() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(0, 1);
        vm.prank(alice);
        nodes.drain(holders[1].nodeId);
        _refused(pair, abi.encodeWithSelector(ICheckpointRegistry.NotHolder.selector, id, holders[1].candidate));
    }

    /// @notice Who missed its reports is no holder until it reports again; the next candidate is one instead.
    function test_OnlyInTime() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(0, 1);
        // A task whose lease lives longer than nodes may be silent.
        vm.warp(block.timestamp + 12 hours + 1);
        assertEq(checkpoints.holdersOf(id, 0).length, 0);
        assertEq(checkpoints.receiptsNeeded(id), 0);
        report(holders[0].nodeId, 1_000, 20);
        report(holders[1].nodeId, 1_000, 20);
        assertEq(checkpoints.holdersOf(id, 0).length, 2);
        assertEq(checkpoints.receiptsNeeded(id), 2);
        _post(pair);
    }

    function test_WrongSigner() public {
        ICheckpointRegistry.Receipt memory forged = _good(1);
        bytes memory reason = abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, holders[1].nodeId);
        // A good signature of somebody else.
        forged.signature = _good(0).signature;
        _refused(two(_good(0), forged), reason);
        forged.signature = "";
        _refused(two(_good(0), forged), reason);
        forged.signature = new bytes(65);
        _refused(two(_good(0), forged), reason);
    }

    /// @notice A receipt is good for one lease, one fence, one checkpoint, one chain and one contract.
    function test_NoReplay() public {
        uint32 n = holders[1].nodeId;
        _replayed(receiptDigest(id + 1, 1, DIGEST, 500, n, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 2, DIGEST, 500, n, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, keccak256("other"), 500, n, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 501, n, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, n, block.chainid + 1, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, n, block.chainid, address(leases)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, n + 1, block.chainid, address(checkpoints)));
    }

    /// @notice A receipt for an earlier checkpoint is none for the next.
    function test_OldReceipt() public {
        ICheckpointRegistry.Receipt[] memory old = _pair(0, 1);
        _post(old);
        uint24 fence = fenceOf(id);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, holders[0].nodeId));
        vm.prank(operatorOf(6));
        checkpoints.post(ICheckpointRegistry.Claim(id, fence, DIGEST, 0x70, 600, 1_000), old);
    }

    /// @notice A key that was changed no longer signs.
    function test_OperatorChanged() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(0, 1);
        uint32 n = holders[1].nodeId;
        changeOperator(alice, n, uint256(keccak256("new key")));
        _refused(pair, abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, n));
    }

    function test_ContractOperator() public {
        uint32 n = holders[1].nodeId;
        ContractOperator operator = new ContractOperator();
        operator.accept(consentDigest(alice, address(operator), block.timestamp));
        operator.accept(checkpoints.receiptDigest(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), n));
        vm.prank(alice);
        nodes.setOperator(n, INodeRegistry.Consent(address(operator), block.timestamp, ""));
        _post(two(_good(0), ICheckpointRegistry.Receipt(holders[1].candidate, "by contract")));
    }

    /// @notice Where there are fewer holders than a task asks for, all of them will do; a single node needs nobody.
    function test_FewNodes() public {
        vm.startPrank(alice);
        for (uint32 i = 2; i < 6; ++i) nodes.drain(i);
        assertEq(holderPool.activeNodes(), 2);
        assertEq(checkpoints.receiptsNeeded(id), 1);
        nodes.drain(1);
        assertEq(checkpoints.receiptsNeeded(id), 0);
        vm.stopPrank();
        vm.prank(operatorOf(6));
        nodes.drain(6);
        assertEq(holderPool.activeNodes(), 0);
        assertEq(checkpoints.receiptsNeeded(id), 0);
        _post(noReceipts());
    }

    function test_ActiveNodes() public {
        assertEq(holderPool.activeNodes(), 6);
        vm.startPrank(alice);
        nodes.drain(3);
        assertEq(holderPool.activeNodes(), 5);
        nodes.resume(3);
        assertEq(holderPool.activeNodes(), 6);
        nodes.drain(3);
        nodes.exit(3);
        assertEq(holderPool.activeNodes(), 5);
        vm.stopPrank();
    }

    /// @notice What a move leaves with its node keeps its holders: they have its checkpoints.
    function test_MovedRangeKeepsItsHolders() public {
        vm.prank(address(balancer));
        leases.startMove(id, 1, ClassSet.wrap(0));
        vm.prank(operatorOf(6));
        leases.release(id, 1, ILeaseRegistry.EndReason.GivenBack);
        ICheckpointRegistry.Holder[] memory rest = checkpoints.holdersOf(leases.leaseCount(), 0);
        for (uint256 i; i < 4; ++i) assertEq(rest[i].nodeId, holders[i].nodeId);
    }

    function test_ReplicasBound() public {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.replicas = 5;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TooManyReplicas.selector, 5, 4));
        tasks.submit(s);
    }

    /// @notice Zombies are told so before any receipt is looked at.
    function test_Zombie() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(0, 1);
        expire(id);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, ILeaseRegistry.LeaseStatus.Expired)
        );
        vm.prank(operatorOf(6));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), pair);
    }

    function _replayed(bytes32 hash) private {
        uint32 n = holders[1].nodeId;
        ICheckpointRegistry.Receipt memory r = ICheckpointRegistry.Receipt(
            holders[1].candidate,
            signature(operatorKey(n), hash)
        );
        _refused(two(_good(0), r), abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, n));
    }

    function _good(uint256 holder) private view returns (ICheckpointRegistry.Receipt memory r) {
        r = receipt(id, DIGEST, 500, holders[holder].nodeId);
        r.candidate = holders[holder].candidate;
    }

    function _pair(uint256 a, uint256 b) private view returns (ICheckpointRegistry.Receipt[] memory) {
        return two(_good(a), _good(b));
    }

    function _post(ICheckpointRegistry.Receipt[] memory receipts) private {
        vm.prank(operatorOf(6));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), receipts);
    }

    function _refused(ICheckpointRegistry.Receipt[] memory receipts, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(operatorOf(6));
        checkpoints.post(ICheckpointRegistry.Claim(id, 1, DIGEST, 0x70, 500, 1_000), receipts);
    }
}
