// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Receipts} from "../../../contracts/checkpoints/Receipts.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../support/Failures.sol";

/// @dev An operator that is a contract and accepts one signature (ERC-1271).
contract ContractOperator {
    bytes32 private immutable ACCEPTED;

    constructor(bytes32 accepted) {
        ACCEPTED = accepted;
    }

    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        return hash == ACCEPTED ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @title Receipts: a checkpoint counts only when others hold it
contract ReceiptsTest is Failures {
    bytes32 private constant DIGEST = keccak256("checkpoint");

    uint32 private id;

    /// @dev Node 1 runs; nodes 2 to 5 are also active. The task wants two copies: five nodes are all holders.
    function setUp() public override {
        super.setUp();
        ITaskRegistry.Submission memory s = submission(2, 20_000, list(CPU_EU));
        s.replicas = 2;
        id = leaseOn(2, s);
        for (uint256 i; i < 4; ++i) register(alice, CPU_US, 1, 5);
    }

    function test_Accepted() public {
        assertEq(tasks.task(1).replicas, 2);
        assertEq(checkpoints.receiptsNeeded(id), 2);
        uint32[] memory holders = new uint32[](2);
        (holders[0], holders[1]) = (2, 4);
        vm.expectEmit(address(checkpoints));
        emit ICheckpointRegistry.CheckpointReplicated(id, 1, holders);
        _post(_pair(2, 4));
        (ICheckpointRegistry.Checkpoint memory newest, ) = checkpoints.newestOf(id);
        assertEq(newest.digest, DIGEST);
        assertEq(leases.lease(id).due, block.timestamp + 90);
    }

    function test_DigestIsEip712() public view {
        assertEq(
            checkpoints.receiptDigest(id, 1, DIGEST, 0x70, 500, 1_000, 3),
            receiptDigest(id, 1, DIGEST, 500, 3, block.chainid, address(checkpoints))
        );
    }

    function test_TooFew() public {
        _refused(noReceipts(), abi.encodeWithSelector(ICheckpointRegistry.TooFewReceipts.selector, id, 0, 2));
        _refused(one(_good(2)), abi.encodeWithSelector(ICheckpointRegistry.TooFewReceipts.selector, id, 1, 2));
        // Nothing was renewed by what was refused.
        assertEq(checkpoints.newestOfMany(ids32(id))[0].sequence, 0);
    }

    function test_TooMany() public {
        ICheckpointRegistry.Receipt[] memory five = new ICheckpointRegistry.Receipt[](5);
        for (uint32 i; i < 5; ++i) five[i] = _good(2 + i);
        _refused(five, abi.encodeWithSelector(ICheckpointRegistry.TooManyReceipts.selector, 5, 4));
        // Up to four are welcome where fewer are asked for.
        ICheckpointRegistry.Receipt[] memory three = new ICheckpointRegistry.Receipt[](3);
        for (uint32 i; i < 3; ++i) three[i] = _good(2 + i);
        _post(three);
    }

    /// @notice The same receipt twice, or out of order.
    function test_EachOnce() public {
        _refused(_pair(2, 2), abi.encodeWithSelector(ICheckpointRegistry.ReceiptsOutOfOrder.selector, 2));
        _refused(_pair(4, 2), abi.encodeWithSelector(ICheckpointRegistry.ReceiptsOutOfOrder.selector, 2));
    }

    function test_NotItsOwn() public {
        _refused(_pair(1, 2), abi.encodeWithSelector(ICheckpointRegistry.ReceiptOfProducer.selector, 1));
    }

    function test_OnlyActive() public {
        vm.prank(alice);
        nodes.drain(3);
        _refused(_pair(2, 3), abi.encodeWithSelector(ICheckpointRegistry.HolderNotActive.selector, 3));
    }

    function test_WrongSigner() public {
        ICheckpointRegistry.Receipt memory forged = _good(3);
        // A good signature of somebody else.
        forged.signature = _good(2).signature;
        _refused(two(_good(2), forged), abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 3));
        forged.signature = "";
        _refused(two(_good(2), forged), abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 3));
        forged.signature = new bytes(65);
        _refused(two(_good(2), forged), abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 3));
    }

    /// @notice A receipt is good for one lease, one fence, one checkpoint, one chain and one contract.
    function test_NoReplay() public {
        _replayed(receiptDigest(id + 1, 1, DIGEST, 500, 3, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 2, DIGEST, 500, 3, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, keccak256("other"), 500, 3, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 501, 3, block.chainid, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, 3, block.chainid + 1, address(checkpoints)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, 3, block.chainid, address(leases)));
        _replayed(receiptDigest(id, 1, DIGEST, 500, 4, block.chainid, address(checkpoints)));
    }

    /// @notice A receipt for an earlier checkpoint is none for the next.
    function test_OldReceipt() public {
        ICheckpointRegistry.Receipt[] memory old = _pair(2, 3);
        _post(old);
        uint24 fence = fenceOf(id);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 2));
        vm.prank(operatorOf(1));
        checkpoints.post(id, fence, DIGEST, 0x70, 600, 1_000, old);
    }

    /// @notice A key that was changed no longer signs.
    function test_OperatorChanged() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(2, 3);
        vm.prank(alice);
        nodes.setOperator(3, makeAddr("new key"));
        _refused(pair, abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 3));
    }

    function test_ContractOperator() public {
        ContractOperator operator = new ContractOperator(checkpoints.receiptDigest(id, 1, DIGEST, 0x70, 500, 1_000, 3));
        vm.prank(alice);
        nodes.setOperator(3, address(operator));
        _post(two(_good(2), ICheckpointRegistry.Receipt(3, "by contract")));
    }

    /// @notice Where there are fewer nodes than a task asks for, all of them will do; a single node needs nobody.
    function test_FewNodes() public {
        vm.startPrank(alice);
        for (uint32 i = 3; i < 6; ++i) nodes.drain(i);
        assertEq(supply.activeNodes(), 2);
        assertEq(checkpoints.receiptsNeeded(id), 1);
        nodes.drain(2);
        assertEq(checkpoints.receiptsNeeded(id), 0);
        vm.stopPrank();
        vm.prank(operatorOf(1));
        nodes.drain(1);
        assertEq(supply.activeNodes(), 0);
        assertEq(checkpoints.receiptsNeeded(id), 0);
        _post(noReceipts());
    }

    function test_ActiveNodes() public {
        assertEq(supply.activeNodes(), 5);
        vm.startPrank(alice);
        nodes.drain(3);
        assertEq(supply.activeNodes(), 4);
        nodes.resume(3);
        assertEq(supply.activeNodes(), 5);
        nodes.drain(3);
        nodes.exit(3);
        assertEq(supply.activeNodes(), 4);
        vm.stopPrank();
    }

    /// @notice Among many nodes friends do not count: only those that the hash names.
    function test_FriendsAreNoHolders() public {
        for (uint256 i; i < 45; ++i) register(alice, CPU_US, 1, 5);
        uint256 holders;
        uint32 friend;
        for (uint32 n = 2; n <= 50; ++n) {
            if (checkpoints.isHolder(id, n)) ++holders;
            else if (n > 3) friend = n;
        }
        // About sixteen of fifty.
        assertGt(holders, 7);
        assertLt(holders, 27);
        ICheckpointRegistry.Receipt[] memory pair = two(_holder(), _good(friend));
        if (pair[0].nodeId > friend) (pair[0], pair[1]) = (pair[1], pair[0]);
        _refused(pair, abi.encodeWithSelector(ICheckpointRegistry.NotHolder.selector, id, friend));
    }

    /// @notice Any node is a holder with the same chance, whichever node has the lease.
    function testFuzz_HolderRule(uint32 leaseId, uint32 nodeId, uint16 active, uint8 replicas) public pure {
        replicas = uint8(bound(replicas, 1, 4));
        uint256 rank = uint256(keccak256(bytes.concat(bytes4(leaseId), bytes4(nodeId)))) / 2 ** 128;
        bool expected = rank * active < uint256(8) * replicas * 2 ** 128;
        assertEq(Receipts.isHolder(leaseId, nodeId, active, replicas), expected);
        if (active <= 8 * uint256(replicas)) assertTrue(expected, "few nodes are all holders");
    }

    function test_ReplicasBound() public {
        ITaskRegistry.Submission memory s = submission(1, 20_000, list(CPU_EU));
        s.replicas = 5;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TooManyReplicas.selector, 5, 4));
        tasks.submit(s);
    }

    /// @notice Zombies are told so before any receipt is looked at.
    function test_Zombie() public {
        ICheckpointRegistry.Receipt[] memory pair = _pair(2, 3);
        expire(id);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.WrongLeaseStatus.selector, id, ILeaseRegistry.LeaseStatus.Expired)
        );
        vm.prank(operatorOf(1));
        checkpoints.post(id, 1, DIGEST, 0x70, 500, 1_000, pair);
    }

    function _replayed(bytes32 hash) private {
        ICheckpointRegistry.Receipt memory r = ICheckpointRegistry.Receipt(3, signature(operatorKey(3), hash));
        _refused(two(_good(2), r), abi.encodeWithSelector(ICheckpointRegistry.InvalidReceipt.selector, 3));
    }

    function _holder() private view returns (ICheckpointRegistry.Receipt memory) {
        uint32 n = 2;
        while (!checkpoints.isHolder(id, n)) ++n;
        return _good(n);
    }

    function _good(uint32 nodeId) private view returns (ICheckpointRegistry.Receipt memory) {
        return receipt(id, DIGEST, 500, nodeId);
    }

    function _pair(uint32 a, uint32 b) private view returns (ICheckpointRegistry.Receipt[] memory) {
        return two(_good(a), _good(b));
    }

    function _post(ICheckpointRegistry.Receipt[] memory receipts) private {
        vm.prank(operatorOf(1));
        checkpoints.post(id, 1, DIGEST, 0x70, 500, 1_000, receipts);
    }

    function _refused(ICheckpointRegistry.Receipt[] memory receipts, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(operatorOf(1));
        checkpoints.post(id, 1, DIGEST, 0x70, 500, 1_000, receipts);
    }
}
