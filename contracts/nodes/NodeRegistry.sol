// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {MAX_CLASSES, MAX_PRICE, PRICE_UNIT, TICKS} from "../governance/Units.sol";
import {WiredOnce} from "../governance/WiredOnce.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";
import {IReassignment} from "../interfaces/IReassignment.sol";
import {Vault} from "../vault/Vault.sol";
import {Listings} from "./Listings.sol";
import {TickTree} from "./TickTree.sol";

/// @title Registry of nodes and of their supply
/// @notice See {INodeRegistry}.
contract NodeRegistry is INodeRegistry, AccessManaged, WiredOnce {
    using Listings for Listings.Book;
    using TickTree for TickTree.Tree;

    /// @dev What rounds never read. Owner and operator share a slot each with small facts.
    struct Record {
        address owner;
        uint40 withdrawableAt;
        EnergySource energySource;
        uint32 powerThreshold;
        /// How often the operator key was changed.
        uint8 keyNumber;
        address operator;
        uint32 powerMax;
        uint40 registeredAt;
        uint32 undecided;
        string endpoint;
    }

    uint256 private constant MAX_ENDPOINT = 256;

    /// @notice Holds the stakes.
    Vault public immutable VAULT;
    /// @notice Stake per unit, cooldown, unbonding.
    IParameters public immutable PARAMETERS;

    Modules private _modules;

    /// @inheritdoc INodeRegistry
    uint32 public nodeCount;
    /// @inheritdoc INodeRegistry
    uint32 public activeNodes;
    /// @inheritdoc INodeRegistry
    bool public frozen;
    /// @inheritdoc INodeRegistry
    uint32 public freezeCount;
    /// @dev Whether the last freeze was reassignment's, else it was a round's.
    bool private _frozenForBatch;

    Class[] private _classes;
    mapping(bytes32 name => bool) private _classNames;
    mapping(uint32 nodeId => Listings.Node) private _nodes;
    mapping(uint32 nodeId => Record) private _records;
    mapping(uint8 classId => Listings.Book) private _books;
    /// @inheritdoc INodeRegistry
    mapping(address operator => uint32 nodeId) public nodeOfOperator;
    /// @dev Nodes whose listing is behind what they are; grows only while a round is open.
    uint32[] private _pending;

    modifier onlyOwner(uint32 nodeId) {
        _requireOwner(nodeId);
        _;
    }

    modifier onlyOwnerOrOperator(uint32 nodeId) {
        _requireOwnerOrOperator(nodeId);
        _;
    }

    modifier onlyModule(address module) {
        _requireModule(module);
        _;
    }

    constructor(address authority, Vault vault, IParameters parameters) AccessManaged(authority) {
        VAULT = vault;
        PARAMETERS = parameters;
    }

    /// @inheritdoc INodeRegistry
    function wire(Modules calldata modules) external wiring {
        _modules = modules;
        emit ModulesWired(modules);
    }

    /// @inheritdoc INodeRegistry
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

    /// @inheritdoc INodeRegistry
    function register(
        address operator,
        Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) external returns (uint32) {
        return _register(operator, terms, profile, stake);
    }

    /// @inheritdoc INodeRegistry
    function registerWithPermit(
        address operator,
        Terms calldata terms,
        Profile calldata profile,
        uint256 stake,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint32) {
        _permit(stake, deadline, v, r, s);
        return _register(operator, terms, profile, stake);
    }

    /// @inheritdoc INodeRegistry
    function setTerms(uint32 nodeId, Terms calldata terms) external onlyOwner(nodeId) {
        Listings.Node storage n = _nodes[nodeId];
        require(n.status == NodeStatus.Active || n.status == NodeStatus.Draining, WrongStatus(nodeId, n.status));
        uint32 committed = n.leased + (frozen ? n.listedUnits : 0);
        require(terms.capacity >= committed, CapacityInUse(nodeId, terms.capacity, committed));
        _setTerms(nodeId, terms);
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function setProfile(uint32 nodeId, Profile calldata profile) external onlyOwnerOrOperator(nodeId) {
        _setProfile(nodeId, profile);
    }

    /// @inheritdoc INodeRegistry
    function setOperator(uint32 nodeId, address operator) external onlyOwner(nodeId) {
        // A withdrawn node's key may be another node's by now.
        NodeStatus status = _nodes[nodeId].status;
        require(status != NodeStatus.Withdrawn, WrongStatus(nodeId, status));
        Record storage r = _records[nodeId];
        require(r.keyNumber != type(uint8).max, TooManyKeys(nodeId));
        ++r.keyNumber;
        delete nodeOfOperator[r.operator];
        _setOperator(nodeId, operator);
    }

    /// @inheritdoc INodeRegistry
    function addStake(uint32 nodeId, uint256 amount) external {
        _addStake(nodeId, amount);
    }

    /// @inheritdoc INodeRegistry
    function addStakeWithPermit(
        uint32 nodeId,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _permit(amount, deadline, v, r, s);
        _addStake(nodeId, amount);
    }

    /// @inheritdoc INodeRegistry
    function drain(uint32 nodeId) external onlyOwnerOrOperator(nodeId) {
        _changeStatus(nodeId, NodeStatus.Active, NodeStatus.Draining);
        emit NodeDraining(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function resume(uint32 nodeId) external onlyOwnerOrOperator(nodeId) {
        _changeStatus(nodeId, NodeStatus.Draining, NodeStatus.Active);
        emit NodeResumed(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function exit(uint32 nodeId) external onlyOwner(nodeId) {
        Listings.Node storage n = _nodes[nodeId];
        require(n.leased == 0 && n.listedUnits == 0, NodeBusy(nodeId, n.leased, n.listedUnits));
        _changeStatus(nodeId, NodeStatus.Draining, NodeStatus.Unbonding);
        uint40 at = uint40(block.timestamp + _unbonding());
        _records[nodeId].withdrawableAt = at;
        emit NodeUnbonding(nodeId, at);
    }

    /// @inheritdoc INodeRegistry
    function withdraw(uint32 nodeId) external onlyOwner(nodeId) {
        Record storage r = _records[nodeId];
        NodeStatus status = _nodes[nodeId].status;
        require(status == NodeStatus.Unbonding, WrongStatus(nodeId, status));
        require(block.timestamp >= r.withdrawableAt, StillUnbonding(nodeId, r.withdrawableAt));
        _nodes[nodeId].status = NodeStatus.Withdrawn;
        delete nodeOfOperator[r.operator];
        emit NodeWithdrawn(nodeId, VAULT.releaseStake(nodeId, r.owner));
    }

    /// @inheritdoc INodeRegistry
    function sync(uint32[] calldata nodeIds) external {
        require(!frozen, ListingsFrozen());
        for (uint256 i; i < nodeIds.length; ++i) _sync(nodeIds[i]);
    }

    /// @inheritdoc INodeRegistry
    function syncPending(uint256 most) external returns (uint256) {
        require(!frozen, ListingsFrozen());
        return _syncPending(most);
    }

    /// @inheritdoc INodeRegistry
    function freeze(uint256 most) external {
        bool forBatch = msg.sender == _modules.reassignment;
        require(forBatch || msg.sender == _modules.rounds, NotModule(msg.sender));
        require(!frozen, ListingsFrozen());
        uint256 left = _syncPending(most);
        require(left == 0, ListingsPending(left));
        frozen = true;
        ++freezeCount;
        _frozenForBatch = forBatch;
        emit ListingsFrozenSet(true);
    }

    /// @inheritdoc INodeRegistry
    function thaw() external onlyModule(_frozenForBatch ? _modules.reassignment : _modules.rounds) {
        require(frozen, ListingsNotFrozen());
        frozen = false;
        emit ListingsFrozenSet(false);
    }

    /// @inheritdoc INodeRegistry
    function fill(
        uint8 classId,
        bytes32 seed,
        uint64 clearing,
        uint256 units,
        bytes calldata nodeIds
    ) external onlyModule(_modules.rounds) returns (uint256[] memory) {
        Listings.Order memory order = Listings.Order(classId, class(classId).tickSize, clearing, units, seed);
        return _books[classId].fill(_nodes, order, nodeIds);
    }

    /// @inheritdoc INodeRegistry
    function take(uint32 nodeId, uint32 units) external returns (uint8 classId, uint40 price) {
        if (frozen) {
            require(msg.sender == _modules.reassignment, ListingsFrozen());
        } else {
            require(msg.sender == _modules.balancer, NotModule(msg.sender));
            _sync(nodeId);
        }
        Listings.Node storage n = _nodes[nodeId];
        require(units <= n.listedUnits, NotEnoughListed(nodeId, n.listedUnits, units));
        n.leased += units;
        classId = n.listedClassId;
        price = n.listedTick * _classes[classId].tickSize;
        units = n.listedUnits - units;
        if (units != 0) _books[classId].resize(n, units);
        else _books[classId].remove(_nodes, nodeId);
        emit Listed(nodeId, classId, n.listedTick, units);
    }

    /// @inheritdoc INodeRegistry
    function free(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _nodes[nodeId].leased -= units;
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function deliver(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _nodes[nodeId].leased -= units;
        _records[nodeId].undecided += units;
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function decide(uint32 nodeId, uint32 units) external onlyModule(_modules.leases) {
        _records[nodeId].undecided -= units;
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function penalise(uint32 nodeId, uint256 amount) external onlyModule(_modules.leases) returns (uint256 slashed) {
        uint40 until = uint40(block.timestamp + PARAMETERS.get(Param.Cooldown));
        _nodes[nodeId].cooldownUntil = until;
        slashed = VAULT.slash(nodeId, amount);
        emit NodePenalised(nodeId, slashed, until);
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function setFit(uint32 nodeId, bool fit) external onlyModule(_modules.telemetry) {
        _nodes[nodeId].unfit = !fit;
        emit NodeFitSet(nodeId, fit);
        _touch(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function classes() external view returns (Class[] memory) {
        return _classes;
    }

    /// @inheritdoc INodeRegistry
    function node(uint32 nodeId) external view returns (NodeView memory) {
        require(nodeId != 0 && nodeId <= nodeCount, UnknownNode(nodeId));
        return _view(nodeId);
    }

    /// @inheritdoc INodeRegistry
    function nodePage(uint32 from, uint32 count) external view returns (NodeView[] memory page) {
        uint32 end = nodeCount + 1;
        if (from == 0) from = 1;
        if (from >= end) return page;
        if (count > end - from) count = end - from;
        page = new NodeView[](count);
        for (uint32 i; i < count; ++i) page[i] = _view(from + i);
    }

    /// @inheritdoc INodeRegistry
    function listingOf(uint32 nodeId) external view returns (uint32 units, uint8 classId, uint40 price) {
        Listings.Node storage n = _nodes[nodeId];
        units = n.listedUnits;
        if (units == 0) return (0, 0, 0);
        classId = n.listedClassId;
        price = n.listedTick * _classes[classId].tickSize;
    }

    /// @inheritdoc INodeRegistry
    function keysOf(uint32 nodeId) external view returns (address, address) {
        Record storage r = _records[nodeId];
        return (r.owner, r.operator);
    }

    /// @inheritdoc INodeRegistry
    function factsOf(uint32 nodeId) external view returns (Facts memory f) {
        Listings.Node storage n = _nodes[nodeId];
        Record storage r = _records[nodeId];
        require(r.owner != address(0), UnknownNode(nodeId));
        f.status = n.status;
        f.classId = n.classId;
        f.unfit = n.unfit;
        f.capacity = n.capacity;
        f.leased = n.leased;
        f.powerThreshold = r.powerThreshold;
        f.powerMax = r.powerMax;
        f.registeredAt = r.registeredAt;
        f.keyNumber = r.keyNumber;
        f.operator = r.operator;
    }

    /// @inheritdoc INodeRegistry
    function unitsBelow(uint8 classId, uint16 tick) external view returns (uint256) {
        return _books[classId].tree.below(tick);
    }

    /// @inheritdoc INodeRegistry
    function unitsAtOrBelow(uint8 classId, uint256 price) external view returns (uint256) {
        uint256 end = price / class(classId).tickSize + 1;
        return _books[classId].tree.below(end > TICKS ? TICKS : end);
    }

    /// @inheritdoc INodeRegistry
    function pendingCount() external view returns (uint256) {
        return _pending.length;
    }

    /// @inheritdoc INodeRegistry
    function class(uint8 classId) public view returns (Class memory) {
        require(classId < _classes.length, UnknownClass(classId));
        return _classes[classId];
    }

    function _register(
        address operator,
        Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) private returns (uint32 nodeId) {
        nodeId = ++nodeCount;
        _nodes[nodeId].status = NodeStatus.Active;
        ++activeNodes;
        _records[nodeId].owner = msg.sender;
        _records[nodeId].registeredAt = uint40(block.timestamp);
        emit NodeRegistered(nodeId, msg.sender, operator, terms);
        _setOperator(nodeId, operator);
        _setProfile(nodeId, profile);
        VAULT.lockStake(nodeId, msg.sender, stake);
        _setTerms(nodeId, terms);
        _touch(nodeId);
    }

    /// @dev A permit that somebody else has already used leaves the allowance it gave; the transfer checks that.
    function _permit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        // solhint-disable-next-line no-empty-blocks
        try
            IERC20Permit(address(VAULT.TOKEN())).permit(msg.sender, address(VAULT), amount, deadline, v, r, s)
        {} catch {}
    }

    function _addStake(uint32 nodeId, uint256 amount) private {
        NodeStatus status = _nodes[nodeId].status;
        require(status == NodeStatus.Active || status == NodeStatus.Draining, WrongStatus(nodeId, status));
        emit StakeAdded(nodeId, amount);
        VAULT.lockStake(nodeId, msg.sender, amount);
        _touch(nodeId);
    }

    function _setTerms(uint32 nodeId, Terms calldata terms) private {
        uint256 tickWei = class(terms.classId).tickSize * PRICE_UNIT;
        require(terms.ask % tickWei == 0, AskNotOnTick(terms.ask, tickWei));
        require(terms.ask / tickWei < TICKS, AskTooHigh(terms.ask, tickWei * (TICKS - 1)));
        require(terms.capacity != 0 && terms.capacity <= type(uint24).max, InvalidCapacity(terms.capacity));
        uint256 needed = terms.capacity * PARAMETERS.get(Param.StakePerUnit) * PRICE_UNIT;
        uint256 stake = VAULT.stakeOf(nodeId);
        Listings.Node storage n = _nodes[nodeId];
        require(stake >= needed || terms.capacity <= n.capacity, StakeTooLow(stake, needed));
        n.classId = terms.classId;
        n.capacity = terms.capacity;
        n.askTick = uint16(terms.ask / tickWei);
        emit TermsSet(nodeId, terms);
    }

    function _setProfile(uint32 nodeId, Profile calldata profile) private {
        uint256 length = bytes(profile.endpoint).length;
        require(length <= MAX_ENDPOINT, InvalidEndpoint(length));
        Record storage r = _records[nodeId];
        r.energySource = profile.energySource;
        r.powerThreshold = profile.powerThreshold;
        r.powerMax = profile.powerMax;
        r.endpoint = profile.endpoint;
        emit ProfileSet(nodeId, profile);
    }

    function _setOperator(uint32 nodeId, address operator) private {
        require(operator != address(0), InvalidOperator());
        uint32 taken = nodeOfOperator[operator];
        require(taken == 0, OperatorTaken(operator, taken));
        nodeOfOperator[operator] = nodeId;
        _records[nodeId].operator = operator;
        emit OperatorSet(nodeId, operator);
    }

    function _changeStatus(uint32 nodeId, NodeStatus from, NodeStatus to) private {
        Listings.Node storage n = _nodes[nodeId];
        require(n.status == from, WrongStatus(nodeId, n.status));
        n.status = to;
        if (from == NodeStatus.Active) --activeNodes;
        if (to == NodeStatus.Active) ++activeNodes;
        _touch(nodeId);
    }

    /// @dev Brings the listing up to date at once, or notes that it has to be once the round is over.
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
        for (; left != 0 && most != 0; --most) {
            uint32 nodeId = _pending[--left];
            _pending.pop();
            _nodes[nodeId].pending = false;
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
        _pool(nodeId, n);
        bool moved = n.listedClassId != classId || n.listedTick != tick;
        if (listed == units && (units == 0 || !moved)) return;
        if (listed != 0 && units != 0 && !moved) {
            _books[classId].resize(n, units);
        } else {
            if (listed != 0) _books[n.listedClassId].remove(_nodes, nodeId);
            if (units != 0) _books[classId].insert(_nodes, nodeId, classId, tick, units);
        }
        emit Listed(nodeId, classId, tick, units);
    }

    /// @dev Keeps the node where reassignment's draws look for it: by class and order of magnitude of its capacity, which
    /// seldom change, so that leasing and freeing cost nothing there.
    function _pool(uint32 nodeId, Listings.Node storage n) private {
        bool inMarket = n.status == NodeStatus.Active || n.status == NodeStatus.Draining;
        uint8 bucket = inMarket ? uint8(Math.log2(n.capacity) + 1) : 0;
        if (n.pooledBucket == bucket && (bucket == 0 || n.pooledClassId == n.classId)) return;
        (n.pooledClassId, n.pooledBucket) = (n.classId, bucket);
        IReassignment(_modules.reassignment).place(nodeId, n.classId, bucket);
    }

    /// @dev Units that the node may be leased now: its capacity less what it runs, as far as its stake covers them beside
    /// what it runs and what it delivered but may still be slashed for.
    function _freeUnits(uint32 nodeId) private view returns (uint32) {
        Listings.Node storage n = _nodes[nodeId];
        if (n.status != NodeStatus.Active || n.unfit || block.timestamp < n.cooldownUntil) return 0;
        uint256 covered = VAULT.stakeOf(nodeId) / (PARAMETERS.get(Param.StakePerUnit) * PRICE_UNIT);
        uint256 backed = uint256(n.leased) + _records[nodeId].undecided;
        return uint32(Math.min(Math.saturatingSub(n.capacity, n.leased), Math.saturatingSub(covered, backed)));
    }

    /// @dev However short unbonding is set, the stake outlasts the judging of what the node has just delivered.
    function _unbonding() private view returns (uint256) {
        uint256 judging = PARAMETERS.get(Param.DisputeWindow) + PARAMETERS.get(Param.ArbitrationTimeout);
        return Math.max(PARAMETERS.get(Param.UnbondingPeriod), judging);
    }

    function _view(uint32 nodeId) private view returns (NodeView memory v) {
        Listings.Node storage n = _nodes[nodeId];
        Record storage r = _records[nodeId];
        v.id = nodeId;
        v.status = n.status;
        v.classId = n.classId;
        v.askTick = n.askTick;
        v.capacity = n.capacity;
        v.leased = n.leased;
        v.undecided = r.undecided;
        v.listedUnits = n.listedUnits;
        v.listedClassId = n.listedClassId;
        v.listedTick = n.listedTick;
        v.listedPosition = n.listedPosition;
        v.cooldownUntil = n.cooldownUntil;
        v.withdrawableAt = r.withdrawableAt;
        v.owner = r.owner;
        v.operator = r.operator;
        v.energySource = r.energySource;
        v.powerThreshold = r.powerThreshold;
        v.powerMax = r.powerMax;
        v.unfit = n.unfit;
        v.stake = VAULT.stakeOf(nodeId);
        v.endpoint = r.endpoint;
    }

    function _requireOwner(uint32 nodeId) private view {
        address owner = _records[nodeId].owner;
        require(owner != address(0), UnknownNode(nodeId));
        require(msg.sender == owner, NotOwner(nodeId, msg.sender));
    }

    function _requireOwnerOrOperator(uint32 nodeId) private view {
        Record storage r = _records[nodeId];
        require(r.owner != address(0), UnknownNode(nodeId));
        require(msg.sender == r.owner || msg.sender == r.operator, NotOwnerOrOperator(nodeId, msg.sender));
    }

    function _requireModule(address module) private view {
        require(msg.sender == module, NotModule(msg.sender));
    }
}
