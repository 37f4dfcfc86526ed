// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISupply} from "./ISupply.sol";

/// @title Registry of nodes: who they are
/// @notice Contributors register machines here: owner, operator key, profile, endpoint, stake, and the ways into and out of
/// the market. What a node offers and what of it is leased is kept by {ISupply}.
interface INodeRegistry {
    /// @notice Where a node says its electricity comes from.
    enum EnergySource {
        Unknown,
        Grid,
        Solar,
        Wind,
        Hydro,
        Geothermal,
        Nuclear,
        Storage
    }

    /// @notice What a node says of itself beside its terms.
    struct Profile {
        EnergySource energySource;
        /// Average power above which it is throttled, watts; 0: never.
        uint32 powerThreshold;
        /// The most power that the machine can draw, watts; reports above it are refused.
        uint32 powerMax;
        /// Where peers reach it: one or more multiaddrs, comma-separated, at most 256 bytes.
        string endpoint;
    }

    /// @notice A node as clients read it.
    struct NodeView {
        uint32 id;
        ISupply.NodeStatus status;
        uint8 classId;
        uint16 askTick;
        uint32 capacity;
        /// Units under live leases.
        uint32 leased;
        /// Delivered units that are neither paid nor refused yet; the stake also backs them.
        uint32 undecided;
        /// Free units, class and tick with which the node is listed now, and its place in its tick's array.
        uint32 listedUnits;
        uint8 listedClassId;
        uint16 listedTick;
        uint32 listedPosition;
        /// No new leases before this time.
        uint40 cooldownUntil;
        /// Time from which the stake can be withdrawn (0: not leaving).
        uint40 withdrawableAt;
        address owner;
        address operator;
        EnergySource energySource;
        uint32 powerThreshold;
        uint32 powerMax;
        /// Whether its reports keep it out of new work: overloaded, too slow, throttled or silent.
        bool ineligible;
        /// Stake in wei.
        uint256 stake;
        string endpoint;
    }

    /// @notice What judging a node's reports needs to know of its registration.
    struct Facts {
        uint32 powerThreshold;
        uint32 powerMax;
        uint40 registeredAt;
        /// How often the operator key was changed: the highest 8 bits of its reports' sequences.
        uint8 keyNumber;
        address operator;
    }

    /// @notice Who reports for a node, and within which bounds.
    struct Reporter {
        address operator;
        /// See {Facts.keyNumber}.
        uint8 keyNumber;
        /// The most power that the machine can draw, watts.
        uint32 powerMax;
        uint40 registeredAt;
    }

    /// @notice A key that is to work for a node, and its agreement: the operator's signature of the EIP-712 type
    /// OperatorConsent(address owner,address operator,uint256 deadline) in the domain {name "DRMP", version "1", chainId,
    /// verifyingContract: this contract}, 65 bytes of ECDSA or whatever an operator that is a contract accepts (ERC-1271).
    struct Consent {
        address operator;
        /// Until when the owner may name the operator, seconds.
        uint256 deadline;
        /// Empty where the owner names itself.
        bytes signature;
    }

    event NodeRegistered(uint32 indexed nodeId, address indexed owner, address indexed operator, ISupply.Terms terms);
    event TermsSet(uint32 indexed nodeId, ISupply.Terms terms);
    event ProfileSet(uint32 indexed nodeId, Profile profile);
    event OperatorSet(uint32 indexed nodeId, address indexed operator);
    event StakeAdded(uint32 indexed nodeId, uint256 amount);
    event NodeDraining(uint32 indexed nodeId);
    event NodeResumed(uint32 indexed nodeId);
    event NodeUnbonding(uint32 indexed nodeId, uint40 withdrawableAt);
    event NodeWithdrawn(uint32 indexed nodeId, uint256 stake);

    /// @notice The caller is not the node's owner.
    error NotOwner(uint32 nodeId, address caller);
    /// @notice The caller is neither the node's owner nor its operator.
    error NotOwnerOrOperator(uint32 nodeId, address caller);
    error UnknownNode(uint32 nodeId);
    error OperatorTaken(address operator, uint32 nodeId);
    error InvalidOperator();
    /// @notice The operator has not agreed to work for this owner: the signature is not its own for this owner, deadline, chain
    /// and contract.
    error NoConsent(address operator, address owner);
    /// @notice The operator's consent ran out at `deadline`; have it sign another.
    error ConsentExpired(address operator, uint256 deadline);
    /// @notice The operator key was changed 255 times; register another node.
    error TooManyKeys(uint32 nodeId);
    error InvalidEndpoint(uint256 length);
    error StillUnbonding(uint32 nodeId, uint40 withdrawableAt);

    /// @notice Registers a node; the caller becomes its owner and stakes `stake` wei, having approved the vault.
    /// @param consent Key of the node's agent, and that it agrees; one node per operator, and it may not be zero.
    function register(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) external returns (uint32 nodeId);

    /// @notice {register} with an ERC-2612 permit for the vault instead of an approval before.
    function registerWithPermit(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint32 nodeId);

    /// @notice Changes a node's terms. Owner only. In an open round the old terms stand until it ends.
    function setTerms(uint32 nodeId, ISupply.Terms calldata terms) external;

    /// @notice Changes a node's profile. Owner or operator.
    function setProfile(uint32 nodeId, Profile calldata profile) external;

    /// @notice Changes a node's operator key, at most 255 times; the new key's reports begin a sequence of their own. Owner
    /// only, with the new key's consent.
    function setOperator(uint32 nodeId, Consent calldata consent) external;

    /// @notice Adds stake. Anyone, having approved the vault. While the listings are frozen only the owner's stake is listed
    /// as soon as they thaw; a stranger's with the node's next change or {ISupply.sync}.
    function addStake(uint32 nodeId, uint256 amount) external;

    /// @notice {addStake} with an ERC-2612 permit of the caller for the vault instead of an approval before.
    function addStakeWithPermit(
        uint32 nodeId,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice No new leases from now on (but those of a round that is open). Owner or operator.
    function drain(uint32 nodeId) external;

    /// @notice Takes leases again after {drain}. Owner or operator.
    function resume(uint32 nodeId) external;

    /// @notice Leaves the market: starts the unbonding of an idle, draining node, which lasts at least as long as what it
    /// has just delivered can be disputed and judged. Owner only.
    function exit(uint32 nodeId) external;

    /// @notice Makes the stake of an unbonded node claimable in the vault. Owner only.
    function withdraw(uint32 nodeId) external;

    /// @notice A node; reverts if unknown.
    function node(uint32 nodeId) external view returns (NodeView memory);

    /// @notice Up to `count` nodes from id `from` on (ids start at 1). A page of 500 costs about 10 million gas of a read.
    function nodePage(uint32 from, uint32 count) external view returns (NodeView[] memory page);

    /// @notice Ids run from 1 to this number.
    function nodeCount() external view returns (uint32);

    /// @notice What an operator signs to work for an owner until `deadline`, seconds: its EIP-712 digest.
    function consentDigest(address owner, address operator, uint256 deadline) external view returns (bytes32);

    /// @notice The node of an operator key, 0 if none.
    function nodeOfOperator(address operator) external view returns (uint32);

    /// @notice Owner and operator of a node.
    function keysOf(uint32 nodeId) external view returns (address owner, address operator);

    /// @notice What judging a node's reports needs to know of its registration; reverts if unknown. Two reads.
    function factsOf(uint32 nodeId) external view returns (Facts memory);

    /// @notice Who reports for a node; all zero if unknown. One read.
    function reporterOf(uint32 nodeId) external view returns (Reporter memory);
}
