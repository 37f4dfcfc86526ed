// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IHolderPool} from "../../interfaces/IHolderPool.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {NotModule, UnknownClass} from "../../types/Errors.sol";
import {Fill} from "../../types/Fill.sol";
import {MAX_CLASSES, MAX_PRICE, PRICE_UNIT, TICKS, UPKEEP_STEP_GAS} from "../../types/Units.sol";
import {Vault} from "../vault/Vault.sol";
import {Listings} from "./Listings.sol";
import {TickTree} from "./TickTree.sol";

/// @title Supply: what nodes offer, what of it is leased, and where rounds, draws and moves find it
/// @notice See {ISupply}.
contract Supply is ISupply, AccessManaged, OneTimeInitialiser {
    using Listings for Listings.ClassListings;
    using TickTree for TickTree.Tree;

    /// @dev What backs a node, beside its hot slot.
    struct Backing {
        address owner;
        /// Delivered units that are neither paid nor refused yet.
        uint32 undecided;
        /// The node of the same owner that was registered before, 0 if none.
        uint32 previous;
        /// Its position in the holder pool while it is in the market.
        uint32 position;
    }

    /// @dev What is kept of an owner.
    struct Owner {
        uint40 barredUntil;
        /// When `level` was last brought up to date.
        uint40 levelAt;
        /// Leases that it gave back, or that failed, without headway, and that are not forgotten.
        uint8 level;
        /// Its newest node.
        uint32 newest;
    }

    /// @dev Doublings of a bar at most.
    uint256 private constant MAX_LEVEL = 12;
    /// @dev Nodes of a barred owner that are taken out of the listings at once.
    uint256 private constant MAX_BARRED_NODES = 16;
    /// @dev Added to a pending node's id where all older nodes of its owner wait behind it.
    uint32 private constant AND_OLDER = 1 << 31;
    uint256 private constant WHOLE_VER = 1 ether;

    /// @notice Holds the stakes.
    Vault public immutable VAULT;
    /// @notice Stake per unit, cooldown.
    IParameters public immutable PARAMETERS;
    /// @notice Nodes that may hold others' checkpoints.
    IHolderPool public immutable HOLDERS;

    Modules private _modules;

    /// @inheritdoc ISupply
    bool public frozen;
    /// @dev What {lastFreeze} says besides; in one slot with what stands before it.
    bool private _frozenForBatch;
    uint32 private _freezeCount;
    uint40 private _batchAt;
    uint40 private _thawedAt;

    Class[] private _classes;
    mapping(bytes32 name => bool) private _classNames;
    mapping(uint32 nodeId => Listings.Node) private _nodes;
    mapping(uint32 nodeId => Backing) private _backings;
    mapping(address owner => Owner) private _owners;
    mapping(uint8 classId => Listings.ClassListings) private _listings;
    /// @dev Nodes whose listing is behind what they are; grows only while the listings are frozen, and by one entry for the
    /// older nodes of an owner that is barred.
    uint32[] private _pending;

    modifier onlyModule(address module) {
        _requireModule(module);
        _;
    }

    constructor(address authority, Vault vault, IParameters parameters, IHolderPool holders) AccessManaged(authority) {
        VAULT = vault;
        PARAMETERS = parameters;
        HOLDERS = holders;
    }

    /// @inheritdoc ISupply
    function initialise(Modules calldata modules) external initialiser {
        _modules = modules;
        emit ModulesSet(modules);
    }

    /// @inheritdoc ISupply
    function addClasses(Class[] calldata added) external restricted {
        for (uint256 i; i < added.length; ++i) {
            (bytes32 name, uint40 tickSize) = (added[i].name, added[i].tickSize);
            require(_classes.length < MAX_CLASSES, TooManyClasses());
            require(tickSize > 0 && uint256(tickSize) * (TICKS - 1) <= MAX_PRICE, InvalidTickSize(tickSize));
            require(!_classNames[name], ClassNameTaken(name));
            _classNames[name] = true;
            _classes.push(added[i]);
            emit ClassAdded(uint8(_classes.length - 1), name, tickSize);
        }
    }

    /// @inheritdoc ISupply
    function join(uint32 nodeId, address owner, Terms calldata terms) external onlyModule(_modules.nodes) {
        uint32 position = HOLDERS.join(nodeId, VAULT.stakeOf(nodeId));
        _backings[nodeId] = Backing(owner, 0, _owners[owner].newest, position);
        _owners[owner].newest = nodeId;
        _nodes[nodeId].status = NodeStatus.Active;
        _setTerms(nodeId, terms);
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function setTerms(uint32 nodeId, Terms calldata terms) external onlyModule(_modules.nodes) {
        Listings.Node storage n = _nodes[nodeId];
        _requireInMarket(nodeId, n.status);
        uint32 committed = n.leased + (frozen ? n.listedUnits : 0);
        require(terms.capacity >= committed, CapacityInUse(nodeId, terms.capacity, committed));
        _setTerms(nodeId, terms);
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function setStatus(uint32 nodeId, NodeStatus from, NodeStatus to) external onlyModule(_modules.nodes) {
        Listings.Node storage n = _nodes[nodeId];
        if (to == NodeStatus.Unbonding) {
            require(n.leased == 0 && n.listedUnits == 0, NodeBusy(nodeId, n.leased, n.listedUnits));
        }
        require(n.status == from, WrongStatus(nodeId, n.status));
        n.status = to;
        uint32 position = _backings[nodeId].position;
        if (to == NodeStatus.Unbonding) HOLDERS.leave(position);
        else if (to != NodeStatus.Withdrawn) HOLDERS.setActive(position, to == NodeStatus.Active);
        // What left the market is listed nowhere.
        if (to != NodeStatus.Withdrawn) _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function noteStake(uint32 nodeId, bool byOwner) external onlyModule(_modules.nodes) {
        _requireInMarket(nodeId, _nodes[nodeId].status);
        _noteWeight(nodeId);
        if (byOwner || !frozen) _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function sync(uint32[] calldata nodeIds) external {
        require(!frozen, ListingsFrozen());
        for (uint256 i; i < nodeIds.length; ++i) {
            NodeStatus status = _nodes[nodeIds[i]].status;
            if (status == NodeStatus.Active || status == NodeStatus.Draining) _noteWeight(nodeIds[i]);
            _sync(nodeIds[i]);
        }
    }

    /// @inheritdoc ISupply
    function syncPending(uint256 most) external returns (uint256) {
        require(!frozen, ListingsFrozen());
        return _syncPending(most);
    }

    /// @inheritdoc ISupply
    function freeze(uint256 most) external {
        bool forBatch = msg.sender == _modules.reassignment;
        require(forBatch || msg.sender == _modules.rounds, NotModule(msg.sender));
        require(!frozen, ListingsFrozen());
        uint256 left = _syncPending(most);
        require(left == 0, ListingsPending(left));
        frozen = true;
        _frozenForBatch = forBatch;
        if (forBatch) _batchAt = uint40(block.timestamp);
        _thawedAt = 0;
        emit ListingsFrozenSet(true);
        HOLDERS.freeze(++_freezeCount);
    }

    /// @inheritdoc ISupply
    function thaw() external {
        _requireModule(_frozenForBatch ? _modules.reassignment : _modules.rounds);
        require(frozen, ListingsNotFrozen());
        frozen = false;
        _thawedAt = uint40(block.timestamp);
        emit ListingsFrozenSet(false);
    }

    /// @inheritdoc ISupply
    function fill(
        uint8 classId,
        bytes32 seed,
        uint64 clearing,
        uint256 units,
        bytes calldata nodeIds
    ) external onlyModule(_modules.rounds) returns (Fill[] memory) {
        Listings.Order memory order = Listings.Order(classId, class(classId).tickSize, clearing, units, seed);
        return _listings[classId].fill(_nodes, order, nodeIds);
    }

    /// @inheritdoc ISupply
    function reserve(uint32 nodeId, uint32 units) external returns (uint8 classId, uint40 priceMicroVer) {
        require(msg.sender == _modules.reassignment, NotModule(msg.sender));
        require(frozen && _frozenForBatch, ListingsNotFrozen());
        Listings.Node storage n = _nodes[nodeId];
        require(units <= n.listedUnits, NotEnoughListed(nodeId, n.listedUnits, units));
        n.leased += units;
        classId = n.listedClassId;
        priceMicroVer = n.listedTick * _classes[classId].tickSize;
        units = n.listedUnits - units;
        if (units != 0) _listings[classId].resize(n, units);
        else _listings[classId].remove(_nodes, nodeId);
        emit Listed(nodeId, classId, n.listedTick, units);
    }

    /// @inheritdoc ISupply
    function release(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _nodes[nodeId].leased -= units;
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function markDelivered(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _nodes[nodeId].leased -= units;
        _backings[nodeId].undecided += units;
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function markDecided(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _backings[nodeId].undecided -= units;
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function slash(uint32 nodeId, uint256 amount) external onlyModule(_modules.leases) returns (uint256 slashed) {
        uint40 until = uint40(block.timestamp + PARAMETERS.get(Param.Cooldown));
        _nodes[nodeId].cooldownUntil = until;
        slashed = VAULT.slash(nodeId, amount);
        emit NodeSlashed(nodeId, slashed, until);
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function bar(address owner, bool counts) external onlyModule(_modules.releaseFees) {
        Owner storage o = _owners[owner];
        // Leases that were granted before a bar may all be given back, or fail, under it.
        if (block.timestamp < o.barredUntil) return;
        uint256 level = _levelOf(o);
        o.barredUntil = uint40(block.timestamp + (PARAMETERS.get(Param.ReleaseBar) << (counts ? level : 0)));
        if (counts) {
            o.levelAt = o.barredUntil;
            o.level = uint8(Math.min(level + 1, MAX_LEVEL));
        }
        emit OwnerBarred(owner, uint8(level), o.barredUntil);
        uint32 nodeId = o.newest;
        for (uint256 i; i < MAX_BARRED_NODES && nodeId != 0 && !frozen; ++i) {
            _sync(nodeId);
            nodeId = _backings[nodeId].previous;
        }
        if (nodeId != 0) _pending.push(nodeId | AND_OLDER);
    }

    /// @inheritdoc ISupply
    function setEligible(uint32 nodeId, bool eligible) external onlyModule(_modules.telemetry) {
        _nodes[nodeId].ineligible = !eligible;
        emit NodeEligibilitySet(nodeId, eligible);
        _touch(nodeId);
    }

    /// @inheritdoc ISupply
    function lastFreeze() external view returns (Freeze memory) {
        return Freeze(frozen, _frozenForBatch, _freezeCount, _batchAt, _thawedAt);
    }

    /// @inheritdoc ISupply
    function classes() external view returns (Class[] memory) {
        return _classes;
    }

    /// @inheritdoc ISupply
    function stateOf(uint32 nodeId) external view returns (State memory) {
        Listings.Node storage n = _nodes[nodeId];
        return State(n.status, n.classId, n.ineligible, n.capacity, n.leased);
    }

    /// @inheritdoc ISupply
    function offerOf(uint32 nodeId) external view returns (Offer memory) {
        Listings.Node storage n = _nodes[nodeId];
        Backing storage b = _backings[nodeId];
        return
            Offer({
                status: n.status,
                classId: n.classId,
                askTick: n.askTick,
                capacity: n.capacity,
                leased: n.leased,
                undecided: b.undecided,
                listedUnits: n.listedUnits,
                listedClassId: n.listedClassId,
                listedTick: n.listedTick,
                listedPosition: n.listedPosition,
                cooldownUntil: uint40(Math.max(n.cooldownUntil, _owners[b.owner].barredUntil)),
                ineligible: n.ineligible
            });
    }

    /// @inheritdoc ISupply
    function unitsBelow(uint8 classId, uint16 tick) external view returns (uint256) {
        return _listings[classId].tree.below(tick);
    }

    /// @inheritdoc ISupply
    function unitsAtOrBelow(uint8 classId, uint256 priceMicroVer) external view returns (uint256) {
        uint256 end = priceMicroVer / class(classId).tickSize + 1;
        return _listings[classId].tree.below(end > TICKS ? TICKS : end);
    }

    /// @inheritdoc ISupply
    function barOf(address owner) external view returns (uint40, uint8) {
        Owner storage o = _owners[owner];
        return (o.barredUntil, uint8(_levelOf(o)));
    }

    /// @inheritdoc ISupply
    function pendingCount() external view returns (uint256) {
        return _pending.length;
    }

    /// @inheritdoc ISupply
    function priceOf(uint8 classId, uint256 units) external view returns (uint256) {
        (uint256 tick, ) = _listings[classId].tree.locate(units - 1);
        return tick == TICKS ? type(uint256).max : tick * class(classId).tickSize;
    }

    /// @inheritdoc ISupply
    function draw(
        uint8 classId,
        uint256 unit,
        bytes32 seed,
        uint32 leaseId,
        uint32 attempt
    ) external view returns (uint32 nodeId, uint32 units) {
        nodeId = _listings[classId].draw(_nodes, unit, seed, leaseId, attempt);
        units = _nodes[nodeId].listedUnits;
    }

    /// @inheritdoc ISupply
    function listingOf(uint32 nodeId) public view returns (uint32 units, uint8 classId, uint40 priceMicroVer) {
        Listings.Node storage n = _nodes[nodeId];
        units = n.listedUnits;
        if (units == 0) return (0, 0, 0);
        classId = n.listedClassId;
        priceMicroVer = n.listedTick * _classes[classId].tickSize;
    }

    /// @inheritdoc ISupply
    function class(uint8 classId) public view returns (Class memory) {
        require(classId < _classes.length, UnknownClass(classId));
        return _classes[classId];
    }

    function _setTerms(uint32 nodeId, Terms calldata terms) private {
        uint256 tickWei = class(terms.classId).tickSize * PRICE_UNIT;
        require(terms.ask % tickWei == 0, AskNotOnTick(terms.ask, tickWei));
        uint256 highest = Math.min(tickWei * (TICKS - 1), type(uint16).max * WHOLE_VER);
        require(terms.ask <= highest, AskTooHigh(terms.ask, highest));
        require(terms.capacity != 0 && terms.capacity <= type(uint24).max, InvalidCapacity(terms.capacity));
        Listings.Node storage n = _nodes[nodeId];
        uint256 cover = Math.ceilDiv(terms.ask, WHOLE_VER);
        // Leases at a dearer ask stay covered, and those that a round may grant at it.
        bool backs = n.leased != 0 || _backings[nodeId].undecided != 0 || (frozen && n.listedUnits != 0);
        if (backs) cover = Math.max(cover, n.unitCover);
        n.unitCover = uint16(cover);
        uint256 needed = terms.capacity * _stakePerUnit(n);
        uint256 stake = VAULT.stakeOf(nodeId);
        require(stake >= needed || terms.capacity <= n.capacity, StakeTooLow(stake, needed));
        n.classId = terms.classId;
        n.capacity = terms.capacity;
        n.askTick = uint16(terms.ask / tickWei);
    }

    /// @dev Brings the listing up to date at once, or notes that it has to be once the freeze is over.
    function _touch(uint32 nodeId) private {
        if (!frozen) {
            _sync(nodeId);
        } else if (!_nodes[nodeId].pending) {
            _nodes[nodeId].pending = true;
            _pending.push(nodeId);
        }
    }

    function _syncPending(uint256 most) private returns (uint256 left) {
        left = _pending.length;
        for (uint256 done; left != 0 && done < most && (done == 0 || gasleft() > UPKEEP_STEP_GAS); ++done) {
            uint32 nodeId = _pending[--left];
            _pending.pop();
            if (nodeId < AND_OLDER) {
                _nodes[nodeId].pending = false;
            } else {
                nodeId -= AND_OLDER;
                uint32 previous = _backings[nodeId].previous;
                if (previous != 0) {
                    _pending.push(previous | AND_OLDER);
                    ++left;
                }
            }
            _sync(nodeId);
        }
    }

    function _sync(uint32 nodeId) private {
        Listings.Node storage n = _nodes[nodeId];
        (uint8 classId, uint16 tick, uint32 listed, uint32 units) = (
            n.classId,
            n.askTick,
            n.listedUnits,
            _freeUnits(nodeId)
        );
        bool moved = n.listedClassId != classId || n.listedTick != tick;
        if (listed == units && (units == 0 || !moved)) return;
        if (listed != 0 && units != 0 && !moved) {
            _listings[classId].resize(n, units);
        } else {
            if (listed != 0) _listings[n.listedClassId].remove(_nodes, nodeId);
            if (units != 0) _listings[classId].insert(_nodes, nodeId, classId, tick, units);
        }
        emit Listed(nodeId, classId, tick, units);
    }

    /// @dev Units that the node may be leased now: its capacity less what it runs, as far as its stake covers them beside
    /// what it runs and what it delivered but may still be slashed for.
    function _freeUnits(uint32 nodeId) private view returns (uint32) {
        Listings.Node storage n = _nodes[nodeId];
        if (n.status != NodeStatus.Active || n.ineligible || block.timestamp < n.cooldownUntil) return 0;
        Backing storage b = _backings[nodeId];
        if (block.timestamp < _owners[b.owner].barredUntil) return 0;
        uint256 covered = VAULT.stakeOf(nodeId) / _stakePerUnit(n);
        uint256 backed = uint256(n.leased) + b.undecided;
        return uint32(Math.min(Math.saturatingSub(n.capacity, n.leased), Math.saturatingSub(covered, backed)));
    }

    /// @dev Stake that a unit of the node needs, wei: never less than its price, which a failure costs.
    function _stakePerUnit(Listings.Node storage n) private view returns (uint256) {
        return Math.max(PARAMETERS.get(Param.StakePerUnit) * PRICE_UNIT, n.unitCover * WHOLE_VER);
    }

    function _noteWeight(uint32 nodeId) private {
        HOLDERS.setStake(_backings[nodeId].position, VAULT.stakeOf(nodeId));
    }

    /// @dev Leases that count against an owner now: each is forgotten {Param.ReleaseMemory} after the bar, one after the other.
    function _levelOf(Owner storage o) private view returns (uint256) {
        uint256 forgotten = Math.saturatingSub(block.timestamp, o.levelAt) / PARAMETERS.get(Param.ReleaseMemory);
        return Math.saturatingSub(o.level, forgotten);
    }

    function _requireInMarket(uint32 nodeId, NodeStatus status) private pure {
        require(status == NodeStatus.Active || status == NodeStatus.Draining, WrongStatus(nodeId, status));
    }

    function _requireModule(address module) private view {
        require(msg.sender == module, NotModule(msg.sender));
    }
}
