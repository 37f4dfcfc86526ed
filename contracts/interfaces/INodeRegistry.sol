// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Permit} from "../types/Permit.sol";
import {Reporter} from "../types/Reporter.sol";
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
        /// Where its electricity comes from.
        EnergySource energySource;
        /// Average power above which it is throttled, watts; 0: never.
        uint32 powerThreshold;
        /// Maximum power that the machine can draw, watts; reports above it are refused.
        uint32 powerMax;
        /// Where peers reach it: one or more multiaddrs, comma-separated, at most 256 bytes.
        string endpoint;
    }

    /// @notice A node as clients read it.
    struct NodeView {
        /// Its id.
        uint32 id;
        /// Its status.
        ISupply.NodeStatus status;
        /// Class of its terms.
        uint8 classId;
        /// Its ask for a unit, in ticks of the class.
        uint16 askTick;
        /// Units that it can hold at once.
        uint32 capacity;
        /// Units under live leases.
        uint32 leased;
        /// Delivered units that are neither paid nor refused yet; the stake also backs them.
        uint32 undecided;
        /// Free units with which it is listed now.
        uint32 listedUnits;
        /// Class that it is listed in.
        uint8 listedClassId;
        /// Tick that it is listed at.
        uint16 listedTick;
        /// Its place in its tick's array.
        uint32 listedPosition;
        /// No new leases before this time, seconds.
        uint40 cooldownUntil;
        /// Time from which the stake can be withdrawn, seconds; 0: it is not leaving.
        uint40 withdrawableAt;
        /// Who owns it.
        address owner;
        /// Key of the node's agent.
        address operator;
        /// Where its electricity comes from.
        EnergySource energySource;
        /// Average power above which the node is throttled, watts; 0: never.
        uint32 powerThreshold;
        /// Maximum power that the machine can draw, watts.
        uint32 powerMax;
        /// Whether its reports keep it out of new work: overloaded, too slow, throttled or silent.
        bool ineligible;
        /// Stake, wei.
        uint256 stake;
        /// Where peers reach it: multiaddrs, comma-separated.
        string endpoint;
    }

    /// @notice What judging a node's reports needs to know of its registration.
    struct Facts {
        /// Average power above which the node is throttled, watts; 0: never.
        uint32 powerThreshold;
        /// Maximum power that the machine can draw, watts.
        uint32 powerMax;
        /// When it was registered, seconds.
        uint40 registeredAt;
        /// How often the operator key was changed: the highest 8 bits of its reports' sequences.
        uint8 keyNumber;
        /// Key of the node's agent.
        address operator;
    }

    /// @notice A key that is to work for a node, and its agreement: the operator's signature of the EIP-712 type
    /// OperatorConsent(address owner,address operator,uint256 deadline) in the domain {name "DRMP", version "1", chainId,
    /// verifyingContract: this contract}, 65 bytes of ECDSA or whatever an operator that is a contract accepts (ERC-1271).
    struct Consent {
        /// Key of the node's agent.
        address operator;
        /// Until when the owner may name the operator, seconds.
        uint256 deadline;
        /// Empty where the owner names itself.
        bytes signature;
    }

    /// @notice A node was registered.
    /// @param nodeId Id of the node.
    /// @param owner Who owns the node.
    /// @param operator Key of the node's agent.
    /// @param terms What the node offers.
    event NodeRegistered(uint32 indexed nodeId, address indexed owner, address indexed operator, ISupply.Terms terms);
    /// @notice A node's terms were set.
    /// @param nodeId Id of the node.
    /// @param terms What the node offers.
    event TermsSet(uint32 indexed nodeId, ISupply.Terms terms);
    /// @notice A node's profile was set.
    /// @param nodeId Id of the node.
    /// @param profile What the node says of itself.
    event ProfileSet(uint32 indexed nodeId, Profile profile);
    /// @notice A node's operator key was set.
    /// @param nodeId Id of the node.
    /// @param operator Key of the node's agent.
    event OperatorSet(uint32 indexed nodeId, address indexed operator);
    /// @notice Stake was added to a node.
    /// @param nodeId Id of the node.
    /// @param amount Amount, wei.
    event StakeAdded(uint32 indexed nodeId, uint256 amount);
    /// @notice A node takes no new leases.
    /// @param nodeId Id of the node.
    event NodeDraining(uint32 indexed nodeId);
    /// @notice A node takes leases again.
    /// @param nodeId Id of the node.
    event NodeResumed(uint32 indexed nodeId);
    /// @notice An audit found a node's work wrong: it takes no more leases, for good.
    /// @param nodeId Id of the node.
    event NodeExpelled(uint32 indexed nodeId);
    /// @notice The module that may expel nodes was named.
    /// @param audits The audits.
    event ModuleSet(address audits);
    /// @notice A node left the market; its stake waits.
    /// @param nodeId Id of the node.
    /// @param withdrawableAt Time from which the stake can be withdrawn, seconds.
    event NodeUnbonding(uint32 indexed nodeId, uint40 withdrawableAt);
    /// @notice A node's stake was paid out.
    /// @param nodeId Id of the node.
    /// @param stake Credited to its owner, wei.
    event NodeWithdrawn(uint32 indexed nodeId, uint256 stake);

    /// @notice The caller is not the node's owner.
    /// @param nodeId Id of the node.
    /// @param caller Who called.
    error NotOwner(uint32 nodeId, address caller);
    /// @notice The caller is neither the node's owner nor its operator.
    /// @param nodeId Id of the node.
    /// @param caller Who called.
    error NotOwnerOrOperator(uint32 nodeId, address caller);
    /// @notice There is no such node.
    /// @param nodeId Id of the node.
    error UnknownNode(uint32 nodeId);
    /// @notice The key is the operator of another node.
    /// @param operator Key of the node's agent.
    /// @param nodeId That node.
    error OperatorTaken(address operator, uint32 nodeId);
    /// @notice The operator is the zero address.
    error InvalidOperator();
    /// @notice The operator has not agreed to work for this owner: the signature is not its own for this owner, deadline, chain
    /// and contract.
    /// @param operator Key of the node's agent.
    /// @param owner Who names it.
    error NoConsent(address operator, address owner);
    /// @notice The operator's consent ran out at `deadline`; have it sign another.
    /// @param operator Key of the node's agent.
    /// @param deadline When its consent ran out, seconds.
    error ConsentExpired(address operator, uint256 deadline);
    /// @notice The operator key was changed 255 times; register another node.
    /// @param nodeId Id of the node.
    error TooManyKeys(uint32 nodeId);
    /// @notice The endpoint is longer than 256 bytes.
    /// @param length Its length, bytes.
    error InvalidEndpoint(uint256 length);
    /// @notice The stake waits until the node has unbonded.
    /// @param nodeId Id of the node.
    /// @param withdrawableAt Time from which the stake can be withdrawn, seconds.
    error StillUnbonding(uint32 nodeId, uint40 withdrawableAt);
    /// @notice An audit found the node's work wrong: it does not come back.
    /// @param nodeId Id of the node.
    error Expelled(uint32 nodeId);

    /// @notice Registers a node; the caller becomes its owner and stakes `stake` wei, having approved the vault.
    /// @param consent Key of the node's agent, and that it agrees; one node per operator, and it may not be zero.
    /// @param terms What the node offers.
    /// @param profile What the node says of itself.
    /// @param stake Stake, wei.
    function register(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake
    ) external returns (uint32 nodeId);

    /// @notice {register} with an ERC-2612 permit for the vault instead of an approval before.
    /// @param consent Key of the node's agent, and that it agrees; one node per operator, and it may not be zero.
    /// @param terms What the node offers.
    /// @param profile What the node says of itself.
    /// @param stake Stake, wei.
    /// @param permit The caller's permit for the vault.
    function registerWithPermit(
        Consent calldata consent,
        ISupply.Terms calldata terms,
        Profile calldata profile,
        uint256 stake,
        Permit calldata permit
    ) external returns (uint32 nodeId);

    /// @notice Changes a node's terms. Owner only. In an open round or batch the old terms stand until it ends.
    /// @param nodeId Id of the node.
    /// @param terms What the node offers.
    function setTerms(uint32 nodeId, ISupply.Terms calldata terms) external;

    /// @notice Changes a node's profile. Owner or operator.
    /// @param nodeId Id of the node.
    /// @param profile What the node says of itself.
    function setProfile(uint32 nodeId, Profile calldata profile) external;

    /// @notice Changes a node's operator key, at most 255 times; the new key's reports begin a sequence of their own.
    /// Owner only, with the new key's consent.
    /// @dev Warning: what the old key has signed and nobody has posted is lost.
    /// @param nodeId Id of the node.
    /// @param consent The new key, and that it agrees.
    function setOperator(uint32 nodeId, Consent calldata consent) external;

    /// @notice Adds stake. Anyone, having approved the vault. While the listings are frozen only the owner's stake is
    /// listed as soon as they thaw; a stranger's with the node's next change or {ISupply.sync}.
    /// @dev Warning: what anyone adds to a node belongs to its owner.
    /// @param nodeId Id of the node.
    /// @param amount Amount, wei.
    function addStake(uint32 nodeId, uint256 amount) external;

    /// @notice {addStake} with an ERC-2612 permit of the caller for the vault instead of an approval before.
    /// @param nodeId Id of the node.
    /// @param amount Amount, wei.
    /// @param permit The caller's permit for the vault.
    function addStakeWithPermit(uint32 nodeId, uint256 amount, Permit calldata permit) external;

    /// @notice No new leases from now on (but those of an open round or batch). Owner or operator.
    /// @param nodeId Id of the node.
    function drain(uint32 nodeId) external;

    /// @notice Takes leases again after {drain}. Owner or operator.
    /// @param nodeId Id of the node.
    function resume(uint32 nodeId) external;

    /// @notice Takes a node whose work an audit found wrong out of the market, for good: what it runs, it may end. Audits only.
    /// @param nodeId Id of the node.
    function expel(uint32 nodeId) external;

    /// @notice Names the module that may expel nodes. Deployer only, once.
    /// @param audits The audits.
    function initialise(address audits) external;

    /// @notice Leaves the market: starts the unbonding of an idle, draining node, which lasts at least as long as what
    /// it has just delivered can be disputed and judged. Owner only.
    /// @param nodeId Id of the node.
    function exit(uint32 nodeId) external;

    /// @notice Makes the stake of an unbonded node claimable in the vault. Owner only.
    /// @param nodeId Id of the node.
    function withdraw(uint32 nodeId) external;

    /// @notice A node; reverts if unknown.
    /// @param nodeId Id of the node.
    function node(uint32 nodeId) external view returns (NodeView memory);

    /// @notice Up to `count` nodes from id `from` on (ids start at 1). A page of 500 costs about 10 million gas of a
    /// read.
    /// @param from First id.
    /// @param count Maximum number of them.
    function nodePage(uint32 from, uint32 count) external view returns (NodeView[] memory page);

    /// @notice Ids run from 1 to this number.
    function nodeCount() external view returns (uint32);

    /// @notice What an operator signs to work for an owner until `deadline`, seconds: its EIP-712 digest.
    /// @param owner Who names the operator.
    /// @param operator Key of the node's agent.
    /// @param deadline Until when the owner may name it, seconds.
    function consentDigest(address owner, address operator, uint256 deadline) external view returns (bytes32);

    /// @notice The node of an operator key, 0 if none.
    /// @param operator Key of the node's agent.
    function nodeOfOperator(address operator) external view returns (uint32);

    /// @notice Owner of a node, 0 if it is unknown. One read.
    /// @param nodeId Id of the node.
    function ownerOf(uint32 nodeId) external view returns (address owner);

    /// @notice Key of a node's agent, 0 if it is unknown. One read.
    /// @param nodeId Id of the node.
    function operatorOf(uint32 nodeId) external view returns (address operator);

    /// @notice Owner and operator of a node. Two reads.
    /// @param nodeId Id of the node.
    function keysOf(uint32 nodeId) external view returns (address owner, address operator);

    /// @notice What judging a node's reports needs to know of its registration; reverts if unknown. Two reads.
    /// @param nodeId Id of the node.
    function factsOf(uint32 nodeId) external view returns (Facts memory);

    /// @notice Who reports for nodes, and within which bounds, in their order; zero where unknown. One read each.
    /// @param nodeIds Ids of the nodes.
    function reportersOf(uint32[] calldata nodeIds) external view returns (Reporter[] memory);
}
