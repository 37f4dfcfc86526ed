// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {Permits} from "../../libraries/Permits.sol";
import {NotModule} from "../../types/Errors.sol";
import {Permit} from "../../types/Permit.sol";
import {newReporter, Reporter} from "../../types/Reporter.sol";
import {Vault} from "../vault/Vault.sol";

/// @title Registry of nodes: who they are
/// @notice See {INodeRegistry}.
contract NodeRegistry is INodeRegistry, EIP712, OneTimeInitialiser {
    using Permits for Permit;

    /// @dev Owner and operator share a slot each with small facts; a report reads the operator's alone. That slot has the
    /// capacity of the node's terms while it is in the market.
    struct Record {
        address owner;
        uint40 withdrawableAt;
        EnergySource energySource;
        uint32 powerThreshold;
        bool expelled;
        Reporter reporter;
        string endpoint;
    }

    uint256 private constant MAX_ENDPOINT = 256;
    bytes32 private constant CONSENT_TYPE = keccak256(
        "OperatorConsent(address owner,address operator,uint256 deadline)"
    );

    /// @notice Holds the stakes.
    Vault public immutable VAULT;
    /// @notice Unbonding.
    IParameters public immutable PARAMETERS;
    /// @notice Keeps what nodes offer.
    ISupply public immutable SUPPLY;

    address private _audits;
    /// @inheritdoc INodeRegistry
    uint32 public nodeCount;
    mapping(uint32 nodeId => Record) private _records;
    /// @inheritdoc INodeRegistry
    mapping(address operator => uint32 nodeId) public nodeOfOperator;

    modifier onlyNodeOwner(uint32 nodeId) {
        _requireOwner(nodeId);
        _;
    }

    modifier onlyNodeOwnerOrOperator(uint32 nodeId) {
        _requireOwnerOrOperator(nodeId);
        _;
    }

    constructor(Vault vault, IParameters parameters, ISupply supply) EIP712("DRMP", "1") {
        VAULT = vault;
        PARAMETERS = parameters;
        SUPPLY = supply;
    }

    /// @inheritdoc INodeRegistry
    function initialise(address audits) external initialiser {
        _audits = audits;
        emit ModuleSet(audits);
    }

    /// @inheritdoc INodeRegistry
    function register(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) external returns (uint32) {
        return _register(consent, terms, profile, stake);
    }

    /// @inheritdoc INodeRegistry
    function registerWithPermit(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake,
        Permit calldata permit
    ) external returns (uint32) {
        _permit(permit, stake);
        return _register(consent, terms, profile, stake);
    }

    /// @inheritdoc INodeRegistry
    function setTerms(uint32 nodeId, ISupply.Terms calldata terms) external onlyNodeOwner(nodeId) {
        emit TermsSet(nodeId, terms);
        SUPPLY.setTerms(nodeId, terms);
        _noteCapacity(nodeId, uint24(terms.capacity));
    }

    /// @inheritdoc INodeRegistry
    function setProfile(uint32 nodeId, Profile calldata profile) external onlyNodeOwnerOrOperator(nodeId) {
        _setProfile(nodeId, profile);
    }

    /// @inheritdoc INodeRegistry
    function setOperator(uint32 nodeId, Consent calldata consent) external onlyNodeOwner(nodeId) {
        // A withdrawn node's key may be another node's by now.
        ISupply.NodeStatus status = SUPPLY.stateOf(nodeId).status;
        require(status != ISupply.NodeStatus.Withdrawn, ISupply.WrongStatus(nodeId, status));
        Record storage r = _records[nodeId];
        require(r.reporter.keyNumber() != type(uint8).max, TooManyKeys(nodeId));
        delete nodeOfOperator[r.reporter.operator()];
        r.reporter = r.reporter.withNextKey();
        _setOperator(nodeId, consent);
    }

    /// @inheritdoc INodeRegistry
    function addStake(uint32 nodeId, uint256 amount) external {
        _addStake(nodeId, amount);
    }

    /// @inheritdoc INodeRegistry
    function addStakeWithPermit(uint32 nodeId, uint256 amount, Permit calldata permit) external {
        _permit(permit, amount);
        _addStake(nodeId, amount);
    }

    /// @inheritdoc INodeRegistry
    function drain(uint32 nodeId) external onlyNodeOwnerOrOperator(nodeId) {
        emit NodeDraining(nodeId);
        SUPPLY.setStatus(nodeId, ISupply.NodeStatus.Active, ISupply.NodeStatus.Draining);
    }

    /// @inheritdoc INodeRegistry
    function resume(uint32 nodeId) external onlyNodeOwnerOrOperator(nodeId) {
        require(!_records[nodeId].expelled, Expelled(nodeId));
        emit NodeResumed(nodeId);
        SUPPLY.setStatus(nodeId, ISupply.NodeStatus.Draining, ISupply.NodeStatus.Active);
    }

    /// @inheritdoc INodeRegistry
    function expel(uint32 nodeId) external {
        require(msg.sender == _audits, NotModule(msg.sender));
        _records[nodeId].expelled = true;
        emit NodeExpelled(nodeId);
        if (SUPPLY.stateOf(nodeId).status == ISupply.NodeStatus.Active) {
            emit NodeDraining(nodeId);
            SUPPLY.setStatus(nodeId, ISupply.NodeStatus.Active, ISupply.NodeStatus.Draining);
        }
    }

    /// @inheritdoc INodeRegistry
    function exit(uint32 nodeId) external onlyNodeOwner(nodeId) {
        uint40 at = uint40(block.timestamp + _unbonding());
        _records[nodeId].withdrawableAt = at;
        emit NodeUnbonding(nodeId, at);
        _noteCapacity(nodeId, 0);
        SUPPLY.setStatus(nodeId, ISupply.NodeStatus.Draining, ISupply.NodeStatus.Unbonding);
    }

    /// @inheritdoc INodeRegistry
    function withdraw(uint32 nodeId) external onlyNodeOwner(nodeId) {
        SUPPLY.setStatus(nodeId, ISupply.NodeStatus.Unbonding, ISupply.NodeStatus.Withdrawn);
        Record storage r = _records[nodeId];
        require(block.timestamp >= r.withdrawableAt, StillUnbonding(nodeId, r.withdrawableAt));
        delete nodeOfOperator[r.reporter.operator()];
        emit NodeWithdrawn(nodeId, VAULT.releaseStake(nodeId, r.owner));
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
    function ownerOf(uint32 nodeId) external view returns (address) {
        return _records[nodeId].owner;
    }

    /// @inheritdoc INodeRegistry
    function operatorOf(uint32 nodeId) external view returns (address) {
        return _records[nodeId].reporter.operator();
    }

    /// @inheritdoc INodeRegistry
    function keysOf(uint32 nodeId) external view returns (address, address) {
        Record storage r = _records[nodeId];
        return (r.owner, r.reporter.operator());
    }

    /// @inheritdoc INodeRegistry
    function factsOf(uint32 nodeId) external view returns (Facts memory f) {
        Record storage r = _records[nodeId];
        require(r.owner != address(0), UnknownNode(nodeId));
        f.powerThreshold = r.powerThreshold;
        Reporter reporter = r.reporter;
        f.powerMax = reporter.powerMax();
        f.registeredAt = reporter.registeredAt();
        f.keyNumber = reporter.keyNumber();
        f.operator = reporter.operator();
    }

    /// @inheritdoc INodeRegistry
    function reportersOf(uint32[] calldata nodeIds) external view returns (Reporter[] memory reporters) {
        reporters = new Reporter[](nodeIds.length);
        for (uint256 i; i < reporters.length; ++i) reporters[i] = _records[nodeIds[i]].reporter;
    }

    /// @inheritdoc INodeRegistry
    function consentDigest(address owner, address operator, uint256 deadline) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CONSENT_TYPE, owner, operator, deadline)));
    }

    function _register(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) private returns (uint32 nodeId) {
        nodeId = ++nodeCount;
        _records[nodeId].owner = msg.sender;
        _records[nodeId].reporter = newReporter(block.timestamp);
        emit NodeRegistered(nodeId, msg.sender, consent.operator, terms);
        _setOperator(nodeId, consent);
        _setProfile(nodeId, profile);
        VAULT.lockStake(nodeId, msg.sender, stake);
        emit TermsSet(nodeId, terms);
        SUPPLY.join(nodeId, msg.sender, terms);
        _noteCapacity(nodeId, uint24(terms.capacity));
    }

    function _permit(Permit calldata permit, uint256 amount) private {
        permit.use(address(VAULT.TOKEN()), address(VAULT), amount);
    }

    function _addStake(uint32 nodeId, uint256 amount) private {
        emit StakeAdded(nodeId, amount);
        VAULT.lockStake(nodeId, msg.sender, amount);
        SUPPLY.noteStake(nodeId, msg.sender == _records[nodeId].owner);
    }

    function _setProfile(uint32 nodeId, Profile calldata profile) private {
        uint256 length = bytes(profile.endpoint).length;
        require(length <= MAX_ENDPOINT, InvalidEndpoint(length));
        Record storage r = _records[nodeId];
        r.energySource = profile.energySource;
        r.powerThreshold = profile.powerThreshold;
        r.reporter = r.reporter.withPowerMax(profile.powerMax);
        r.endpoint = profile.endpoint;
        emit ProfileSet(nodeId, profile);
    }

    /// @dev A key works for an owner only if it says so, or nobody's own key would be safe from being claimed by another.
    function _setOperator(uint32 nodeId, Consent calldata consent) private {
        address operator = consent.operator;
        require(operator != address(0), InvalidOperator());
        uint32 taken = nodeOfOperator[operator];
        require(taken == 0, OperatorTaken(operator, taken));
        if (operator != msg.sender) {
            require(block.timestamp <= consent.deadline, ConsentExpired(operator, consent.deadline));
            bytes32 digest = consentDigest(msg.sender, operator, consent.deadline);
            require(
                SignatureChecker.isValidSignatureNowCalldata(operator, digest, consent.signature),
                NoConsent(operator, msg.sender)
            );
        }
        nodeOfOperator[operator] = nodeId;
        _records[nodeId].reporter = _records[nodeId].reporter.withOperator(operator);
        emit OperatorSet(nodeId, operator);
    }

    /// @dev What reports are weighed by. The supply has checked that it fits 24 bits.
    function _noteCapacity(uint32 nodeId, uint24 capacity) private {
        _records[nodeId].reporter = _records[nodeId].reporter.withCapacity(capacity);
    }

    /// @dev However short unbonding is set, the stake outlasts the judging of what the node has just delivered.
    function _unbonding() private view returns (uint256) {
        uint256 judging = PARAMETERS.get(Param.DisputeWindow) + PARAMETERS.get(Param.ArbitrationTimeout);
        return Math.max(PARAMETERS.get(Param.UnbondingPeriod), judging);
    }

    function _view(uint32 nodeId) private view returns (NodeView memory v) {
        ISupply.Offer memory n = SUPPLY.offerOf(nodeId);
        Record storage r = _records[nodeId];
        v.id = nodeId;
        v.status = n.status;
        v.classId = n.classId;
        v.askTick = n.askTick;
        v.capacity = n.capacity;
        v.leased = n.leased;
        v.undecided = n.undecided;
        v.listedUnits = n.listedUnits;
        v.listedClassId = n.listedClassId;
        v.listedTick = n.listedTick;
        v.listedPosition = n.listedPosition;
        v.cooldownUntil = n.cooldownUntil;
        v.withdrawableAt = r.withdrawableAt;
        v.owner = r.owner;
        v.operator = r.reporter.operator();
        v.energySource = r.energySource;
        v.powerThreshold = r.powerThreshold;
        v.powerMax = r.reporter.powerMax();
        v.ineligible = n.ineligible;
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
        require(msg.sender == r.owner || msg.sender == r.reporter.operator(), NotOwnerOrOperator(nodeId, msg.sender));
    }
}
