// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS, CODEC_DAG_PB, CODEC_RAW, PRICE_UNIT} from "../governance/Units.sol";
import {WiredOnce} from "../governance/WiredOnce.sol";
import {ILeaseRegistry} from "../interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {ITaskRegistry} from "../interfaces/ITaskRegistry.sol";
import {Vault} from "../vault/Vault.sol";

/// @title Registry of leases: which node runs which units, at what price, under which fence
/// @notice See {ILeaseRegistry}.
contract LeaseRegistry is ILeaseRegistry, AccessManaged, WiredOnce {
    /// @notice Pays nodes and keepers.
    Vault public immutable VAULT;
    /// @notice Grace, windows, slices, bounties.
    IParameters public immutable PARAMETERS;
    /// @notice Operators and owners; capacity freed goes back there.
    INodeRegistry public immutable NODES;
    /// @notice Terms of tasks; units given back go there.
    ITaskRegistry public immutable TASKS;

    address private _rounds;
    address private _checkpoints;

    /// @inheritdoc ILeaseRegistry
    uint32 public leaseCount;

    mapping(uint32 leaseId => Lease) private _leases;
    mapping(uint32 leaseId => Result) private _results;

    modifier onlyModule(address module) {
        require(msg.sender == module, NotModule(msg.sender));
        _;
    }

    constructor(
        address authority,
        Vault vault,
        IParameters parameters,
        INodeRegistry nodes,
        ITaskRegistry tasks
    ) AccessManaged(authority) {
        VAULT = vault;
        PARAMETERS = parameters;
        NODES = nodes;
        TASKS = tasks;
    }

    /// @inheritdoc ILeaseRegistry
    function wire(address rounds, address checkpoints) external wiring {
        _rounds = rounds;
        _checkpoints = checkpoints;
        emit ModulesWired(rounds, checkpoints);
    }

    /// @inheritdoc ILeaseRegistry
    function grant(Grant[] calldata grants) external onlyModule(_rounds) returns (uint32 first) {
        uint256 base = block.timestamp + PARAMETERS.get(Param.LeaseGrace);
        uint32 id = leaseCount;
        first = id + 1;
        for (uint256 i; i < grants.length; ++i) {
            Grant calldata g = grants[i];
            _leases[++id] = Lease({
                taskId: g.taskId,
                nodeId: g.nodeId,
                start: g.start,
                count: g.count,
                price: g.price,
                due: uint40(base + g.checkpointInterval),
                fence: g.fence,
                status: LeaseStatus.Active,
                parent: g.parent
            });
            emit LeaseGranted(id, g.taskId, g.nodeId, g.start, g.count, g.price, g.fence, g.parent);
        }
        leaseCount = id;
    }

    /// @inheritdoc ILeaseRegistry
    function renew(uint32 leaseId, uint24 fence, address operator) external onlyModule(_checkpoints) returns (uint24) {
        Lease storage l = _held(leaseId, fence, operator);
        (, , uint32 interval, ) = TASKS.termsOf(l.taskId);
        uint40 due = uint40(block.timestamp + interval + PARAMETERS.get(Param.LeaseGrace));
        l.due = due;
        emit LeaseRenewed(leaseId, due);
        return l.count;
    }

    /// @inheritdoc ILeaseRegistry
    function deliver(uint32 leaseId, uint24 fence, bytes32 digest, uint16 codec, uint64 size) external {
        Lease storage l = _held(leaseId, fence, msg.sender);
        require(digest != bytes32(0), InvalidResult());
        require(codec == CODEC_RAW || codec == CODEC_DAG_PB, UnsupportedCodec(codec));
        l.status = LeaseStatus.Delivered;
        l.due = uint40(block.timestamp + PARAMETERS.get(Param.DisputeWindow));
        _results[leaseId] = Result(digest, codec, size, uint40(block.timestamp), 0);
        emit ResultDelivered(leaseId, l.taskId, l.nodeId, digest, codec, size);
        NODES.free(l.nodeId, l.count);
    }

    /// @inheritdoc ILeaseRegistry
    function release(uint32 leaseId, uint24 fence) external {
        Lease storage l = _held(leaseId, fence, msg.sender);
        l.status = LeaseStatus.Released;
        emit LeaseReleased(leaseId, l.taskId, l.nodeId);
        NODES.free(l.nodeId, l.count);
        _reopen(l, leaseId);
    }

    /// @inheritdoc ILeaseRegistry
    function expire(uint32 leaseId) external {
        Lease storage l = _existing(leaseId);
        require(l.status == LeaseStatus.Active, WrongLeaseStatus(leaseId, l.status));
        bool atFault = block.timestamp > l.due;
        if (!atFault) {
            (, , , uint40 deadline) = TASKS.termsOf(l.taskId);
            require(block.timestamp > deadline, LeaseInTime(leaseId, l.due));
        }
        l.status = LeaseStatus.Expired;
        emit LeaseExpired(leaseId, l.taskId, l.nodeId, msg.sender, atFault);
        NODES.free(l.nodeId, l.count);
        if (atFault) {
            NODES.penalise(l.nodeId, _slice(l.count));
            VAULT.payBounty(msg.sender, PARAMETERS.get(Param.ExpireBounty) * PRICE_UNIT);
        }
        _reopen(l, leaseId);
    }

    /// @inheritdoc ILeaseRegistry
    function accept(uint32[] calldata leaseIds) external {
        for (uint256 i; i < leaseIds.length; ++i) {
            uint32 leaseId = leaseIds[i];
            Lease storage l = _existing(leaseId);
            (address developer, , , ) = TASKS.termsOf(l.taskId);
            if (l.status == LeaseStatus.Delivered) {
                require(msg.sender == developer || block.timestamp > l.due, DisputeWindowOpen(leaseId, l.due));
            } else {
                require(l.status == LeaseStatus.Disputed, WrongLeaseStatus(leaseId, l.status));
                require(block.timestamp > l.due, ArbitrationOpen(leaseId, l.due));
            }
            _pay(leaseId, l);
        }
    }

    /// @inheritdoc ILeaseRegistry
    function dispute(uint32 leaseId) external {
        Lease storage l = _existing(leaseId);
        (address developer, , , ) = TASKS.termsOf(l.taskId);
        require(msg.sender == developer, NotTaskOwner(l.taskId, msg.sender));
        require(l.status == LeaseStatus.Delivered, WrongLeaseStatus(leaseId, l.status));
        require(block.timestamp <= l.due, DisputeWindowClosed(leaseId, l.due));
        uint256 bond = Math.ceilDiv(uint256(l.price) * l.count * PARAMETERS.get(Param.DisputeBondBps), BASIS);
        l.status = LeaseStatus.Disputed;
        l.due = uint40(block.timestamp + PARAMETERS.get(Param.ArbitrationTimeout));
        _results[leaseId].bond = uint64(bond);
        emit LeaseDisputed(leaseId, msg.sender, bond * PRICE_UNIT);
        VAULT.lockEscrow(l.taskId, msg.sender, bond * PRICE_UNIT);
    }

    /// @inheritdoc ILeaseRegistry
    function rule(uint32 leaseId, bool forNode) external restricted {
        Lease storage l = _existing(leaseId);
        require(l.status == LeaseStatus.Disputed, WrongLeaseStatus(leaseId, l.status));
        emit DisputeRuled(leaseId, forNode);
        if (forNode) {
            _pay(leaseId, l);
            return;
        }
        l.status = LeaseStatus.Rejected;
        (address developer, , , ) = TASKS.termsOf(l.taskId);
        VAULT.releaseEscrow(l.taskId, developer, _results[leaseId].bond * PRICE_UNIT);
        NODES.penalise(l.nodeId, _slice(l.count));
        // Nobody should build on what a refused result came from: the units start afresh.
        TASKS.reopen(l.taskId, ITaskRegistry.OpenRange(l.start, l.count, 0, l.fence + 1));
    }

    /// @inheritdoc ILeaseRegistry
    function lease(uint32 leaseId) external view returns (Lease memory) {
        return _existing(leaseId);
    }

    /// @inheritdoc ILeaseRegistry
    function result(uint32 leaseId) external view returns (Result memory) {
        return _results[leaseId];
    }

    /// @inheritdoc ILeaseRegistry
    function leasePage(uint32 from, uint32 count) external view returns (LeaseView[] memory page) {
        uint32 end = leaseCount + 1;
        if (from == 0) from = 1;
        if (from >= end) return page;
        if (count > end - from) count = end - from;
        page = new LeaseView[](count);
        for (uint32 i; i < count; ++i) page[i] = LeaseView(from + i, _leases[from + i], _results[from + i]);
    }

    /// @dev Pays a delivered lease, its fee, and the bond of a dispute that came to nothing; the task may end by it.
    function _pay(uint32 leaseId, Lease storage l) private {
        (uint32 taskId, uint32 nodeId, uint32 count) = (l.taskId, l.nodeId, l.count);
        l.status = LeaseStatus.Paid;
        (, uint16 feeBps, , ) = TASKS.termsOf(taskId);
        (address owner, ) = NODES.keysOf(nodeId);
        uint256 amount = count * uint256(l.price) * PRICE_UNIT;
        // Rounded up, against the developer; the escrow was sized with the same rounding per unit.
        uint256 fee = Math.ceilDiv(amount * feeBps, BASIS);
        emit LeasePaid(leaseId, taskId, nodeId, amount, fee);
        VAULT.releaseEscrow(taskId, owner, amount + _results[leaseId].bond * PRICE_UNIT);
        if (fee != 0) VAULT.collectFee(taskId, fee);
        TASKS.markPaid(taskId, count);
    }

    function _reopen(Lease storage l, uint32 leaseId) private {
        TASKS.reopen(l.taskId, ITaskRegistry.OpenRange(l.start, l.count, leaseId, l.fence + 1));
    }

    /// @dev Slice of the stake under `count` units, wei, rounded up.
    function _slice(uint256 count) private view returns (uint256) {
        uint256 under = count * PARAMETERS.get(Param.StakePerUnit) * PRICE_UNIT;
        return Math.ceilDiv(under * PARAMETERS.get(Param.SlashBps), BASIS);
    }

    /// @dev An active lease that `operator` holds under this very fence.
    function _held(uint32 leaseId, uint24 fence, address operator) private view returns (Lease storage l) {
        l = _existing(leaseId);
        require(fence == l.fence, StaleFence(leaseId, fence, l.fence));
        require(l.status == LeaseStatus.Active, WrongLeaseStatus(leaseId, l.status));
        (, address expected) = NODES.keysOf(l.nodeId);
        require(operator == expected, NotLeaseOperator(leaseId, operator));
    }

    function _existing(uint32 leaseId) private view returns (Lease storage l) {
        l = _leases[leaseId];
        require(l.status != LeaseStatus.None, UnknownLease(leaseId));
    }
}
