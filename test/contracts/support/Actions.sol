// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CODEC_DAG_PB} from "../../../contracts/types/Units.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {ChainReader} from "./ChainReader.sol";
import {Post} from "./Post.sol";
import {Reference} from "./Reference.sol";
import {System} from "./System.sol";

/// @title What actors do, one call each
abstract contract Actions is System {
    bytes32 internal constant SPEC = keccak256("spec");
    bytes32 internal constant RESULT = keccak256("result");

    function stakeFor(uint256 capacity) internal view returns (uint256) {
        return capacity * param(Param.StakePerUnit) * MICRO;
    }

    function termsOf(uint8 classId, uint32 capacity, uint256 tick) internal view returns (ISupply.Terms memory) {
        return ISupply.Terms(classId, capacity, tick * supply.class(classId).tickSize * MICRO);
    }

    function profile() internal pure returns (INodeRegistry.Profile memory) {
        return INodeRegistry.Profile(INodeRegistry.EnergySource.Solar, 300, 1_000, "/ip4/127.0.0.1/tcp/4001");
    }

    /// @dev The operator's private key, with which the node's reports are signed.
    function operatorKey(uint32 nodeId) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("operator", nodeId))) >> 1;
    }

    /// @dev The operator key that {register} gives to the node with this id.
    function operatorOf(uint32 nodeId) internal pure returns (address) {
        return vm.addr(operatorKey(nodeId));
    }

    /// @dev Registers a node that stakes just what its capacity needs.
    function register(address owner, uint8 classId, uint32 capacity, uint256 tick) internal returns (uint32 nodeId) {
        uint256 stake = stakeFor(capacity);
        fund(owner, stake);
        ISupply.Terms memory terms = termsOf(classId, capacity, tick);
        INodeRegistry.Consent memory consent = consentOf(owner, operatorKey(nodes.nodeCount() + 1));
        vm.prank(owner);
        nodeId = nodes.register(consent, terms, profile(), stake);
    }

    /// @dev The key of one of {System}'s people.
    function keyOf(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }

    /// @dev A key's consent to work for an owner, for an hour. The digest is written once more, independently of the contracts.
    function consentOf(address owner, uint256 key) internal view returns (INodeRegistry.Consent memory) {
        address operator = vm.addr(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, consentDigest(owner, operator, block.timestamp + 1 hours));
        return INodeRegistry.Consent(operator, block.timestamp + 1 hours, abi.encodePacked(r, s, v));
    }

    function consentDigest(address owner, address operator, uint256 deadline) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DRMP"),
                keccak256("1"),
                block.chainid,
                address(nodes)
            )
        );
        bytes32 body = keccak256(
            abi.encode(
                keccak256("OperatorConsent(address owner,address operator,uint256 deadline)"),
                owner,
                operator,
                deadline
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, body));
    }

    /// @dev A node's owner names another key.
    function changeOperator(address owner, uint32 nodeId, uint256 key) internal {
        INodeRegistry.Consent memory consent = consentOf(owner, key);
        vm.prank(owner);
        nodes.setOperator(nodeId, consent);
    }

    function list(uint8 a) internal pure returns (uint8[] memory ids) {
        ids = new uint8[](1);
        ids[0] = a;
    }

    function list(uint8 a, uint8 b) internal pure returns (uint8[] memory ids) {
        ids = new uint8[](2);
        (ids[0], ids[1]) = (a, b);
    }

    function ids32(uint32 a) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](1);
        ids[0] = a;
    }

    /// @dev A valid submission without surcharges. `maxPrice` in micro-VER.
    function submission(
        uint32 units,
        uint256 maxPrice,
        uint8[] memory classIds
    ) internal view returns (ITaskRegistry.Submission memory) {
        return
            ITaskRegistry.Submission({
                specDigest: SPEC,
                specCodec: CODEC_DAG_PB,
                units: units,
                maxPrice: maxPrice * MICRO,
                checkpointInterval: 60,
                maxUnitTime: 10 days,
                replicas: 0,
                auditChance: 0,
                deadline: uint40(block.timestamp + 30 days),
                classIds: classIds,
                surcharges: new uint256[](0)
            });
    }

    function escrowFor(uint256 units, uint256 maxPrice) internal view returns (uint256) {
        uint256 price = maxPrice * MICRO;
        return units * (price + (price * param(Param.FeeBps) + 9_999) / 10_000);
    }

    /// @dev What leasing `units` units for the first time at `price` micro-VER costs their task for good.
    function firstHalfOfFee(uint256 units, uint256 price) internal view returns (uint256) {
        return (units * price * MICRO * param(Param.FeeBps)) / 20_000;
    }

    /// @dev Escrow, with what is paid for rounds in advance, and submission fee.
    function depositFor(ITaskRegistry.Submission memory s) internal view returns (uint256) {
        uint256 advance = tasks.ROUNDS_IN_ADVANCE() * param(Param.SeedPrice);
        uint256 feeBps = Math.max(param(Param.FeeBps), (3 * uint256(s.auditChance) + 1) / 2);
        uint256 escrow = s.units * (s.maxPrice + (s.maxPrice * feeBps + 9_999) / 10_000);
        return escrow + (advance + param(Param.SubmissionFee)) * MICRO;
    }

    function submit(address owner, ITaskRegistry.Submission memory s) internal returns (uint32) {
        fund(owner, depositFor(s));
        vm.prank(owner);
        return tasks.submit(s);
    }

    function submit(address owner, uint32 units, uint256 maxPrice, uint8 classId) internal returns (uint32) {
        return submit(owner, submission(units, maxPrice, list(classId)));
    }

    /// @dev Whether a round could take the task now.
    function servable(uint32 taskId) internal view returns (bool) {
        return tasks.admissionOf(taskId) == ITaskRegistry.Admission.Admissible;
    }

    /// @dev Opens a round as soon as one may be opened.
    function openRound() internal returns (uint32) {
        uint256 next = rounds.nextOpening();
        if (block.timestamp < next) vm.warp(next);
        vm.prank(keeper);
        return rounds.open();
    }

    /// @dev Lets the oracle answer the current round with this word.
    function fulfil(uint256 word) internal returns (bytes32 seed) {
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        uint256 requestId = rounds.current().requestId;
        coordinator.fulfillRandomWordsWithOverride(requestId, address(seeds), words);
        return seeds.seedOf(requestId);
    }

    function instance() internal view returns (Reference.Instance memory) {
        return ChainReader.read(rounds, nodes, supply, tasks);
    }

    function optimalPost() internal view returns (bytes memory) {
        Reference.Instance memory i = instance();
        return Post.encode(i, Reference.solve(i));
    }

    function settle(bytes memory post) internal {
        uint32 roundId = rounds.current().id;
        vm.prank(keeper);
        rounds.settle(roundId, post);
    }

    /// @dev A whole round: open, seed, optimal post.
    function runRound(uint256 word) internal returns (uint32 roundId) {
        roundId = openRound();
        fulfil(word);
        settle(optimalPost());
    }

    /// @dev Opens a batch of reassignments as soon as one may be opened.
    function openBatch() internal returns (uint32 batchId) {
        uint256 next = reassignment.nextOpening();
        if (block.timestamp < next) vm.warp(next);
        vm.prank(keeper);
        return reassignment.open();
    }

    function fulfilBatch(uint256 word) internal returns (bytes32) {
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        uint256 requestId = reassignment.current().requestId;
        coordinator.fulfillRandomWordsWithOverride(requestId, address(seeds), words);
        return seeds.seedOf(requestId);
    }

    function runBatch(uint256 word) internal {
        openBatch();
        fulfilBatch(word);
        reassignment.draw(type(uint256).max);
    }

    /// @dev A task of `units` units with one node that runs all of it: one lease.
    function leaseOf(address developer, address owner, uint32 units) internal returns (uint32 leaseId) {
        register(owner, CPU_EU, units, 10);
        submit(developer, units, 20_000, CPU_EU);
        runRound(1);
        leaseId = leases.leaseCount();
    }

    function fenceOf(uint32 leaseId) internal view returns (uint24) {
        return leases.lease(leaseId).fence;
    }

    function operatorOfLease(uint32 leaseId) internal view returns (address operator) {
        (, operator) = nodes.keysOf(leases.lease(leaseId).nodeId);
    }

    function deliver(uint32 leaseId) internal {
        uint24 fence = fenceOf(leaseId);
        vm.prank(operatorOfLease(leaseId));
        leases.deliver(leaseId, fence, RESULT, CODEC_DAG_PB, 1_000);
    }

    function release(uint32 leaseId) internal {
        uint24 fence = fenceOf(leaseId);
        vm.prank(operatorOfLease(leaseId));
        leases.release(leaseId, fence, ILeaseRegistry.EndReason.GivenBack);
    }

    /// @dev Lets releases without headway cost what they cost on chains.
    function chargeReleases() internal {
        setParam(Param.ReleaseFee, 500_000);
        setParam(Param.ReleaseUnitFee, 10_000);
        setParam(Param.ReleaseBar, 1 hours);
    }

    function checkpoint(uint32 leaseId, uint40 progress) internal {
        uint24 fence = fenceOf(leaseId);
        vm.prank(operatorOfLease(leaseId));
        bytes32 digest = keccak256(abi.encode(leaseId, progress));
        checkpoints.post(
            ICheckpointRegistry.Claim(leaseId, fence, digest, CODEC_DAG_PB, progress, 1_000),
            noReceipts()
        );
    }

    function noReceipts() internal pure returns (ICheckpointRegistry.Receipt[] memory) {
        return new ICheckpointRegistry.Receipt[](0);
    }

    function accept(address by, uint32 leaseId) internal {
        vm.prank(by);
        leases.accept(ids32(leaseId));
    }

    function dispute(uint32 leaseId) internal returns (uint256 bond) {
        (address developer, , , ) = tasks.termsOf(leases.lease(leaseId).taskId);
        ILeaseRegistry.Lease memory held = leases.lease(leaseId);
        bond = ((uint256(held.priceMicroVer) * held.count * param(Param.DisputeBondBps) + 9_999) / 10_000) * MICRO;
        fund(developer, bond);
        vm.prank(developer);
        leases.dispute(leaseId);
    }

    /// @dev Past its checkpoint's due time.
    function expire(uint32 leaseId) internal {
        vm.warp(uint256(leases.lease(leaseId).due) + 1);
        vm.prank(keeper);
        leases.expire(leaseId);
    }

    function assertStatus(uint32 leaseId, ILeaseRegistry.LeaseStatus status) internal view {
        assertEq(uint8(leases.lease(leaseId).status), uint8(status), "lease status");
    }

    function assertStatus(uint32 roundId, IRoundManager.RoundStatus status) internal view {
        assertEq(uint8(rounds.round(roundId).status), uint8(status), "round status");
    }

    function assertAdmission(uint32 taskId, ITaskRegistry.Admission admission) internal view {
        assertEq(uint8(tasks.admissionOf(taskId)), uint8(admission), "admission");
    }

    function assertUnits(uint32 taskId, uint32 open, uint32 leased, uint32 paid, uint32 refunded) internal view {
        ITaskRegistry.TaskView memory t = tasks.task(taskId);
        assertEq(t.openUnits, open, "open units");
        assertEq(t.leasedUnits, leased, "leased units");
        assertEq(t.paidUnits, paid, "paid units");
        assertEq(t.refundedUnits, refunded, "refunded units");
    }

    /// @dev The vault's promise, to the wei.
    /// @dev How many ranges wait for a batch.
    function orphanCount() internal view returns (uint256 waiting) {
        (waiting, , ) = reassignment.orphanCounts();
    }

    function assertBooks() internal view {
        uint256 booked =
            vault.totals().escrow + vault.totals().stake + vault.totals().claimable + vault.totals().bountyPool;
        assertEq(ver.balanceOf(address(vault)), booked, "vault's balance");
    }
}
