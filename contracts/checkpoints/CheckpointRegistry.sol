// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW, MAX_REPLICAS} from "../types/Units.sol";
import {INodeReports} from "../core/interfaces/INodeReports.sol";
import {IWorkShares} from "../core/interfaces/IWorkShares.sol";
import {ICheckpointRegistry} from "../interfaces/ICheckpointRegistry.sol";
import {IHolderPool} from "../interfaces/IHolderPool.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {NotModule, UnsupportedCodec} from "../types/Errors.sol";
import {joined, Link} from "../types/Link.sol";
import {Holders} from "./Holders.sol";
import {Receipts} from "./Receipts.sol";
import {StoredCheckpoints} from "./StoredCheckpoints.sol";

/// @title Registry of checkpoints
/// @notice See {ICheckpointRegistry}.
contract CheckpointRegistry is ICheckpointRegistry, EIP712 {
    using Receipts for Claim;
    using StoredCheckpoints for StoredCheckpoints.Pair;
    using StoredCheckpoints for uint256;

    /// @dev Work on a range under one of its leases: progress as far as the range is concerned, basis points of a unit, and
    /// time, seconds.
    struct Work {
        uint32 leaseId;
        uint32 nodeId;
        uint40 priceMicroVer;
        uint256 progress;
        uint256 time;
    }

    /// @dev A lease's candidates, as far as they were looked at.
    struct Row {
        Holders.Draw draw;
        /// Owner of the lease's node.
        address owner;
        /// Holders at most.
        uint256 most;
        /// Those that count so far, `count` of them.
        uint32[] found;
        uint256 count;
        /// The candidate that is looked at next.
        uint256 next;
    }

    /// @notice The leases that checkpoints renew.
    ILeaseRegistry public immutable LEASES;
    /// @notice Says how many receipts a task asks for.
    ITaskRegistry public immutable TASKS;
    /// @notice Says with which key nodes sign them.
    INodeRegistry public immutable NODES;
    /// @notice The pool that holders are drawn from.
    IHolderPool public immutable HOLDERS;
    /// @notice Says which nodes report in time.
    INodeReports public immutable REPORTS;

    mapping(uint32 leaseId => StoredCheckpoints.Pair) private _pairs;
    /// @dev Only of leases of tasks that ask for audits.
    mapping(uint32 leaseId => bytes32 head) private _heads;

    constructor(
        ILeaseRegistry leases,
        ITaskRegistry tasks,
        INodeRegistry nodes,
        IHolderPool holders,
        INodeReports reports
    ) EIP712("DRMP", "1") {
        LEASES = leases;
        TASKS = tasks;
        NODES = nodes;
        HOLDERS = holders;
        REPORTS = reports;
    }

    /// @inheritdoc ICheckpointRegistry
    function post(Claim calldata posted, Receipt[] calldata receipts) external {
        _post(posted, receipts, false, 0);
    }

    /// @inheritdoc ICheckpointRegistry
    function postTraced(Claim calldata posted, bytes32 traceRoot, Receipt[] calldata receipts) external {
        _post(posted, receipts, true, traceRoot);
    }

    /// @inheritdoc ICheckpointRegistry
    function rollBack(uint32 leaseId, Link calldata link) external {
        require(msg.sender == LEASES.audits(), NotModule(msg.sender));
        uint32 sequence = link.sequence;
        StoredCheckpoints.Pair storage pair = _pairs[leaseId];
        (uint32 newest, ) = pair.newest();
        if (newest <= sequence) return;
        emit CheckpointsRolledBack(leaseId, sequence);
        delete _pairs[leaseId];
        if (sequence == 0) return;
        // As if it had been posted at once: no time of the line is its own, so it has no share in the pay.
        pair.store(
            Checkpoint({
                digest: link.digest,
                codec: link.codec,
                progress: link.progress,
                size: link.size,
                at: link.at,
                sequence: sequence,
                startProgress: 0,
                startedAt: uint32(link.at)
            })
        );
    }

    /// @inheritdoc ICheckpointRegistry
    function headOf(uint32 leaseId) external view returns (bytes32) {
        return _heads[leaseId];
    }

    /// @inheritdoc ICheckpointRegistry
    function isPosted(
        uint32 leaseId,
        bytes32 head,
        Link calldata before,
        Link calldata end,
        bytes32[] calldata later
    ) external view returns (bool) {
        Link memory link = before;
        if (end.sequence != link.sequence + 1) return false;
        if (link.sequence != 0) {
            head = link.headAfter(head);
        } else {
            Link memory none;
            if (head != 0 || link.hash() != none.hash()) return false;
        }
        link = end;
        head = link.headAfter(head);
        for (uint256 i; i < later.length; ++i) head = joined(head, later[i]);
        return head == _heads[leaseId];
    }

    /// @inheritdoc ICheckpointRegistry
    function receiptsNeeded(uint32 leaseId) external view returns (uint256) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        (uint256 replicas, ) = TASKS.checkpointTermsOf(lease.taskId);
        return _walk(leaseId, lease.nodeId, replicas).length;
    }

    /// @inheritdoc ICheckpointRegistry
    function holdersOf(uint32 leaseId, uint256 most) external view returns (Holder[] memory) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        if (most == 0) {
            (uint256 replicas, ) = TASKS.checkpointTermsOf(lease.taskId);
            most = replicas + Holders.SPARE;
        }
        return _walk(leaseId, lease.nodeId, Math.min(most, Holders.CANDIDATES));
    }

    /// @inheritdoc ICheckpointRegistry
    function receiptDigest(Claim calldata claim, uint32 nodeId) external view returns (bytes32) {
        return _hashTypedDataV4(claim.hash(nodeId));
    }

    /// @inheritdoc IWorkShares
    function sharesOf(uint32 leaseId) external view returns (Share[] memory shares) {
        ILeaseRegistry.Lease memory lease = LEASES.lease(leaseId);
        (Work[] memory line, uint256 time) = _lineOf(lease);
        time += _timeOf(leaseId);
        (, uint256 longest) = TASKS.paceOf(lease.taskId);
        if (time > longest) time = longest;

        shares = new Share[](line.length);
        (uint256 paid, uint256 count) = (0, 0);
        for (uint256 i = line.length; i != 0;) {
            Work memory w = line[--i];
            // What is over for one is for the next: an early claim keeps nobody from being paid for work that came later.
            uint256 work = Math.saturatingSub(w.progress, paid);
            if (time != 0) work = Math.min(work, (lease.count * BASIS * w.time) / time);
            if (work == 0) continue;
            paid += work;
            shares[count++] = Share(w.leaseId, w.nodeId, w.priceMicroVer, work);
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(shares, count)
        }
    }

    /// @inheritdoc ICheckpointRegistry
    function newestOf(uint32 leaseId) external view returns (Checkpoint memory, Checkpoint memory) {
        StoredCheckpoints.Pair storage pair = _pairs[leaseId];
        return (pair.load(0), pair.load(1));
    }

    /// @inheritdoc ICheckpointRegistry
    function newestOfMany(uint32[] calldata leaseIds) external view returns (Checkpoint[] memory newest) {
        newest = new Checkpoint[](leaseIds.length);
        for (uint256 i; i < leaseIds.length; ++i) {
            newest[i] = _pairs[leaseIds[i]].load(0);
        }
    }

    function _post(Claim calldata posted, Receipt[] calldata receipts, bool traced, bytes32 traceRoot) private {
        // Copied once: each field of calldata is checked again wherever it is read.
        Claim memory claim = posted;
        require(claim.digest != bytes32(0), InvalidCheckpoint());
        require(claim.codec == CODEC_RAW || claim.codec == CODEC_DAG_PB, UnsupportedCodec(claim.codec));
        (uint32 taskId, uint32 nodeId, uint32 sequence) = _record(claim);
        if (traced) _chain(claim, sequence, traceRoot);
        else emit CheckpointPosted(claim.leaseId, claim.digest, claim.codec, claim.progress, claim.size, sequence);
        // After all is written: an operator that is a contract is asked for its signature.
        (uint256 replicas, bool audited) = TASKS.checkpointTermsOf(taskId);
        require(traced == audited, WrongTrace(claim.leaseId, audited));
        if (replicas == 0 && receipts.length == 0) return;
        uint32[] memory nodeIds = _check(claim, nodeId, replicas, receipts);
        if (receipts.length != 0) emit CheckpointReplicated(claim.leaseId, sequence, nodeIds);
    }

    /// @dev Renews the lease and overwrites the checkpoint before last.
    function _record(Claim memory h) private returns (uint32 taskId, uint32 nodeId, uint32 sequence) {
        StoredCheckpoints.Pair storage pair = _pairs[h.leaseId];
        (uint32 last, uint256 newest) = pair.newest();
        uint40 reached = newest.progressOf();
        ILeaseRegistry.Headway memory headway = ILeaseRegistry.Headway(
            h.progress,
            newest.startProgressOf(),
            newest.startedAtOf()
        );
        uint256 count;
        (taskId, nodeId, count, headway) = LEASES.renew(h.leaseId, h.fence, msg.sender, headway);
        require(h.progress <= count * BASIS, ProgressTooHigh(h.leaseId, h.progress, uint40(count * BASIS)));
        require(h.progress > reached, ProgressNotGrowing(h.leaseId, h.progress, reached));
        sequence = last + 1;
        pair.store(
            Checkpoint(
                h.digest,
                h.codec,
                h.progress,
                h.size,
                uint40(block.timestamp),
                sequence,
                headway.startProgress,
                headway.startedAt
            )
        );
    }

    /// @dev Adds a checkpoint to the chain of its lease's.
    function _chain(Claim memory h, uint32 sequence, bytes32 traceRoot) private {
        (bytes32 digest, uint40 progress, uint16 codec, uint64 size) = (h.digest, h.progress, h.codec, h.size);
        bytes32 link = keccak256(abi.encode(sequence, digest, traceRoot, progress, block.timestamp, codec, size));
        _heads[h.leaseId] = joined(_heads[h.leaseId], link);
        emit CheckpointTraced(h.leaseId, digest, codec, progress, size, sequence, traceRoot);
    }

    /// @dev The leases before a lease of the same range that have a checkpoint, newest first, and the sum of their times. A
    /// part of a range has its part of the progress.
    function _lineOf(ILeaseRegistry.Lease memory lease) private view returns (Work[] memory line, uint256 time) {
        // The fence counts the leases of a range.
        line = new Work[](lease.fence);
        uint256 units = lease.count;
        uint256 count;
        for (uint32 id = lease.parent; id != 0; id = lease.parent) {
            lease = LEASES.lease(id);
            (uint32 last, uint256 newest) = _pairs[id].newest();
            if (last == 0) continue;
            Work memory w = Work({
                leaseId: id,
                nodeId: lease.nodeId,
                priceMicroVer: lease.priceMicroVer,
                progress: (newest.progressOf() * units) / lease.count,
                time: newest.atOf() - newest.startedAtOf()
            });
            time += w.time;
            line[count++] = w;
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(line, count)
        }
    }

    /// @dev Time from the grant of a delivered lease to its delivery, seconds.
    function _timeOf(uint32 leaseId) private view returns (uint256) {
        ILeaseRegistry.Result memory result = LEASES.result(leaseId);
        (uint32 last, uint256 newest) = _pairs[leaseId].newest();
        return result.deliveredAt - (last == 0 ? result.renewedAt : newest.startedAtOf());
    }

    /// @dev Enough receipts, each of another holder of the lease. Candidates are only looked at where it matters whether they
    /// count: of the first few, those that a receipt names.
    /// @return nodeIds Who signed.
    function _check(
        Claim memory claim,
        uint32 producer,
        uint256 replicas,
        Receipt[] calldata receipts
    ) private view returns (uint32[] memory nodeIds) {
        require(receipts.length <= MAX_REPLICAS, TooManyReceipts(receipts.length, MAX_REPLICAS));
        if (receipts.length < replicas) {
            uint256 needed = _walk(claim.leaseId, producer, replicas).length;
            require(receipts.length >= needed, TooFewReceipts(claim.leaseId, receipts.length, needed));
        }
        nodeIds = new uint32[](receipts.length);
        if (receipts.length == 0) return nodeIds;
        Row memory row = _row(claim.leaseId, producer, replicas + Holders.SPARE);
        // Of the first so many candidates, all may count.
        bool late = receipts[receipts.length - 1].candidate >= row.most;
        for (uint256 i; i < receipts.length; ++i) {
            uint8 named = receipts[i].candidate;
            require(i == 0 || named > receipts[i - 1].candidate, ReceiptsOutOfOrder(named));
            require(named < Holders.CANDIDATES, NotHolder(claim.leaseId, named));
            if (late) while (row.next < named) _look(row, row.next);
            (uint32 nodeId, address operator) = _look(row, named);
            require(nodeId != 0, NotHolder(claim.leaseId, named));
            nodeIds[i] = nodeId;
            bytes32 hash = _hashTypedDataV4(claim.hash(nodeId));
            bool signed = SignatureChecker.isValidSignatureNowCalldata(operator, hash, receipts[i].signature);
            require(signed, InvalidReceipt(nodeId));
        }
    }

    /// @dev The first `most` holders of a lease.
    function _walk(uint32 leaseId, uint32 producer, uint256 most) private view returns (Holder[] memory holders) {
        holders = new Holder[](most);
        if (most == 0) return holders;
        Row memory row = _row(leaseId, producer, most);
        uint256 count;
        for (uint256 k; k < Holders.CANDIDATES && count < most; ++k) {
            (uint32 nodeId, ) = _look(row, k);
            if (nodeId != 0) holders[count++] = Holder(uint8(k), nodeId);
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(holders, count)
        }
    }

    function _row(uint32 leaseId, uint32 producer, uint256 most) private view returns (Row memory row) {
        (ILeaseRegistry.Draw memory d, uint32 taskId, uint24 start) = LEASES.drawOf(leaseId);
        row.draw = Holders.Draw(d.salt, d.freeze, d.positions, d.average, taskId, start);
        row.owner = NODES.ownerOf(producer);
        row.most = most;
        row.found = new uint32[](most);
    }

    /// @dev The node of candidate `k`, and its operator, if it is one of the first `most` holders, as far as candidates were
    /// looked at; else 0.
    function _look(Row memory row, uint256 k) private view returns (uint32 nodeId, address operator) {
        row.next = k + 1;
        if (row.count == row.most) return (0, operator);
        (uint32 position, uint256 chance) = Holders.candidate(row.draw, k);
        nodeId = HOLDERS.drawn(position, row.draw.freeze, row.draw.average, chance);
        if (nodeId == 0) return (0, operator);
        for (uint256 i; i < row.count; ++i) if (row.found[i] == nodeId) return (0, operator);
        address owner;
        (owner, operator) = NODES.keysOf(nodeId);
        if (owner == row.owner || REPORTS.silent(nodeId)) return (0, operator);
        row.found[row.count++] = nodeId;
    }
}
