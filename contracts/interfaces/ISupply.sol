// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fill} from "../types/Fill.sol";

/// @title Supply: what nodes offer, what of it is leased, and where rounds, draws and moves find it
/// @notice A node is *listed* with the free capacity and the ask that the next round may use. While a round or a batch of
/// reassignments is open all listings are frozen: what nodes change meanwhile (ask, class, capacity, draining, units freed)
/// reaches the listings only after it, so nobody can react to a seed. Who a node is, and who may change it, is kept by
/// {INodeRegistry}.
interface ISupply {
    /// @notice None: never registered. Active: takes leases. Draining: takes no new lease. Unbonding: left the market,
    /// the stake waits (and can be slashed). Withdrawn: gone, the stake was paid out.
    enum NodeStatus {
        None,
        Active,
        Draining,
        Unbonding,
        Withdrawn
    }

    /// @notice A class of interchangeable nodes: hardware kind x region.
    struct Class {
        /// Name such as "gpu-80g/eu", at most 31 bytes.
        bytes32 name;
        /// Price of one tick, in micro-VER; an ask is a whole number of them.
        uint40 tickSize;
    }

    /// @notice What a node offers.
    struct Terms {
        /// Class that it belongs to.
        uint8 classId;
        /// Units that it can hold at once.
        uint32 capacity;
        /// What it wants for a unit, in wei: a multiple of the class's tick.
        uint256 ask;
    }

    /// @notice The modules that join, freeze, fill, free and judge.
    struct Modules {
        /// The node registry.
        address nodes;
        /// The round manager.
        address rounds;
        /// The lease registry.
        address leases;
        /// The telemetry contract.
        address telemetry;
        /// The reassignment contract.
        address reassignment;
        /// The release fees.
        address releaseFees;
    }

    /// @notice What judging a node's reports and receipts needs to know of its supply.
    struct State {
        /// Its status.
        NodeStatus status;
        /// Class of its terms.
        uint8 classId;
        /// Whether its reports keep it out of new work.
        bool ineligible;
        /// Units that it can hold at once.
        uint32 capacity;
        /// Units under live leases.
        uint32 leased;
    }

    /// @notice All that is kept of a node's supply.
    struct Offer {
        /// Its status.
        NodeStatus status;
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
        /// No new leases before this time, seconds: the node cools down after a failure, or its owner is barred.
        uint40 cooldownUntil;
        /// Whether its reports keep it out of new work.
        bool ineligible;
    }

    /// @notice The last freeze of the listings: whose turn it was.
    struct Freeze {
        /// Whether it lasts.
        bool frozen;
        /// Whether it is a reassignment batch's, else it is a round's.
        bool forBatch;
        /// Its number, from 1 on; 0: there was none.
        uint32 count;
        /// When a batch last froze the listings, seconds; 0: never.
        uint40 batchAt;
        /// When it ended, seconds; 0 while it lasts.
        uint40 thawedAt;
    }

    /// @notice The modules were named.
    /// @param modules The modules.
    event ModulesSet(Modules modules);
    /// @notice A class was added.
    /// @param classId Id of the class.
    /// @param name Its name, such as "gpu-80g/eu".
    /// @param tickSize Price of one tick, micro-VER.
    event ClassAdded(uint8 indexed classId, bytes32 name, uint40 tickSize);
    /// @notice Its reports make the node eligible for new work, or ineligible.
    /// @param nodeId Id of the node.
    /// @param eligible Whether it may take new work.
    event NodeEligibilitySet(uint32 indexed nodeId, bool eligible);
    /// @notice None of the owner's nodes is listed for a time, because a lease was given back, or failed, without headway.
    /// @param owner The owner.
    /// @param level How many such leases are not forgotten yet, this one not counted.
    /// @param until When the bar ends, seconds.
    event OwnerBarred(address indexed owner, uint8 level, uint40 until);
    /// @notice A node lost stake and cools down.
    /// @param nodeId Id of the node.
    /// @param slashed Stake taken, wei.
    /// @param cooldownUntil Time until which the node gets no new leases, seconds.
    event NodeSlashed(uint32 indexed nodeId, uint256 slashed, uint40 cooldownUntil);
    /// @notice The node's listing changed to this many free units at this class and tick.
    /// @param nodeId Id of the node.
    /// @param classId Id of the class.
    /// @param tick Price tick, 0 to 4095.
    /// @param units Free units with which it is listed; 0: it is not.
    event Listed(uint32 indexed nodeId, uint8 indexed classId, uint16 tick, uint32 units);
    /// @notice Listings are frozen for a round or a batch, or no longer frozen.
    /// @param frozen Whether they are frozen.
    event ListingsFrozenSet(bool frozen);

    /// @notice All 256 class ids are used.
    error TooManyClasses();
    /// @notice The tick is zero, or 4095 of them are above the maximum price.
    /// @param tickSize Tick that was given, micro-VER.
    error InvalidTickSize(uint40 tickSize);
    /// @notice There is a class of this name.
    /// @param name The name.
    error ClassNameTaken(bytes32 name);
    /// @notice The capacity is zero or above 2^24 - 1 units.
    /// @param capacity Capacity that was given, units.
    error InvalidCapacity(uint32 capacity);
    /// @notice The ask is no multiple of the class's tick, which is `tickWei` wei.
    /// @param ask Ask that was given, wei.
    /// @param tickWei Tick of the class, wei.
    error AskNotOnTick(uint256 ask, uint256 tickWei);
    /// @notice The ask is above the class's highest tick, which is `highest` wei.
    /// @param ask Ask that was given, wei.
    /// @param highest Highest tick of the class, wei.
    error AskTooHigh(uint256 ask, uint256 highest);
    /// @notice The stake does not cover the capacity.
    /// @param stake Stake, wei.
    /// @param needed Stake that the capacity needs, wei.
    error StakeTooLow(uint256 stake, uint256 needed);
    /// @notice Units are leased, or promised to the open round or batch; the capacity cannot go below them.
    /// @param nodeId Id of the node.
    /// @param requested Capacity that was given, units.
    /// @param committed Units that are leased or promised.
    error CapacityInUse(uint32 nodeId, uint32 requested, uint32 committed);
    /// @notice The node's status does not allow this.
    /// @param nodeId Id of the node.
    /// @param status Its status.
    error WrongStatus(uint32 nodeId, NodeStatus status);
    /// @notice The node still has units leased or listed.
    /// @param nodeId Id of the node.
    /// @param leased Units under leases.
    /// @param listed Units that are listed.
    error NodeBusy(uint32 nodeId, uint32 leased, uint32 listed);
    /// @notice Listings wait to be brought up to date: call {syncPending} first.
    /// @param count How many wait.
    error ListingsPending(uint256 count);
    /// @notice A round or a batch holds the listings.
    error ListingsFrozen();
    /// @notice No round or batch of the caller's holds the listings.
    error ListingsNotFrozen();

    /// @notice The node lists fewer free units than asked for.
    /// @param nodeId Id of the node.
    /// @param listed Free units that it lists.
    /// @param asked Units asked for.
    error NotEnoughListed(uint32 nodeId, uint32 listed, uint32 asked);

    // Refusals of a round's post, see {fill}.

    /// @notice The node is not listed in this class.
    /// @param nodeId Id of the node.
    /// @param classId Id of the class.
    error NodeNotListed(uint32 nodeId, uint8 classId);
    /// @notice The node asks more than the clearing price.
    /// @param nodeId Id of the node.
    /// @param tick Its ask, ticks.
    /// @param clearing Clearing price of the class, micro-VER x 1024.
    error AskAboveClearing(uint32 nodeId, uint16 tick, uint64 clearing);
    /// @notice The node stands at the marginal tick, but the seed's filling does not reach it.
    /// @param nodeId Id of the node.
    error NotInFilling(uint32 nodeId);
    /// @notice Nodes of a class must come in ascending order of their hash with the seed, each once.
    /// @param nodeId First node that is out of place.
    error NodesOutOfOrder(uint32 nodeId);
    /// @notice The class's rows hold `granted` units where the clearing price asks for `required`.
    /// @param classId Id of the class.
    /// @param granted Units that its rows hold.
    /// @param required Units that flow through the class.
    error ClassUnitsMismatch(uint8 classId, uint256 granted, uint256 required);
    /// @notice With this clearing price at least `below` and at most `upTo` units must be granted, not `units`.
    /// @param classId Id of the class.
    /// @param units Units that flow through the class.
    /// @param below Minimum: units listed below the price.
    /// @param upTo Maximum: units listed up to the price.
    error ClearingPriceMismatch(uint8 classId, uint256 units, uint256 below, uint256 upTo);

    /// @notice Names the modules that join, freeze, fill, free and judge. Deployer only, once.
    /// @param modules The modules.
    function initialise(Modules calldata modules) external;

    /// @notice Adds classes, whose ids follow on. Only the role that the access manager names. O(n).
    /// @param added The classes.
    function addClasses(Class[] calldata added) external;

    /// @notice Brings a new node of `owner` into the market, active and with these terms. Node registry only.
    /// @param nodeId Id of the node.
    /// @param owner Who owns the node.
    /// @param terms What the node offers.
    function join(uint32 nodeId, address owner, Terms calldata terms) external;

    /// @notice Changes a node's terms. In an open round or batch the old terms stand until it ends. Node registry only.
    /// @param nodeId Id of the node.
    /// @param terms What the node offers.
    function setTerms(uint32 nodeId, Terms calldata terms) external;

    /// @notice Changes a node's status; reverts if it is not `from`, or if a node that would leave is busy. Node
    /// registry only.
    /// @param nodeId Id of the node.
    /// @param from Status that it has.
    /// @param to Status that it gets.
    function setStatus(uint32 nodeId, NodeStatus from, NodeStatus to) external;

    /// @notice Takes note of stake that was added to a node in the market. While the listings are frozen a stranger's
    /// stake leaves the listing as it is, until anything else or {sync} brings it up to date: nobody makes work on
    /// another's node. Node registry only.
    /// @param nodeId Id of the node.
    /// @param byOwner Whether its owner added the stake.
    function noteStake(uint32 nodeId, bool byOwner) external;

    /// @notice Brings listings up to date with what the nodes are now. Anyone; not while the listings are frozen. O(n) in the
    /// ids given.
    /// @param nodeIds Ids of the nodes.
    function sync(uint32[] calldata nodeIds) external;

    /// @notice Works off listings that changed during a round or a batch, and those of barred owners: up to `most` and
    /// as far as the gas goes, but one at least. Anyone; not while the listings are frozen.
    /// @param most Maximum number of listings.
    /// @return left How many entries still wait.
    function syncPending(uint256 most) external returns (uint256 left);

    /// @notice Freezes the listings for a round or a batch; works off up to `most` pending ones first and reverts if
    /// some are left. Round manager and reassignment only.
    /// @param most Maximum number of pending listings that are brought up to date.
    function freeze(uint256 most) external;

    /// @notice Ends the freeze. Only the module that froze.
    function thaw() external;

    /// @notice Grants `units` units of a class at a clearing price and checks that nothing cheaper is skipped and that
    /// the marginal tick is filled from where the seed says. Round manager only. O(n) in the nodes given, independent
    /// of the nodes registered.
    /// @param classId Id of the class.
    /// @param seed Seed of the round.
    /// @param clearing The class's clearing price in micro-VER x 1024 (see Units.sol).
    /// @param units Units to be granted.
    /// @param nodeIds The granted nodes, 4 bytes each, big-endian, in ascending {SeedDraw.nodeOrder}.
    /// @return fills One for each node, in the order given.
    function fill(
        uint8 classId,
        bytes32 seed,
        uint64 clearing,
        uint256 units,
        bytes calldata nodeIds
    ) external returns (Fill[] memory fills);

    /// @notice Leases `units` of a node's listed units. Reassignment only, while it holds the freeze.
    /// @param nodeId Id of the node.
    /// @param units Number of units.
    /// @return classId Class with which the node is listed.
    /// @return priceMicroVer Its ask for a unit, micro-VER.
    function reserve(uint32 nodeId, uint32 units) external returns (uint8 classId, uint40 priceMicroVer);

    /// @notice Units of a lease are no longer run by the node. Lease registry only.
    /// @param nodeId Id of the node.
    /// @param units Number of units.
    function release(uint32 nodeId, uint32 units) external;

    /// @notice Units of a lease were delivered: they leave the capacity that they took, and stay backed by the stake
    /// until they are decided. Lease registry only.
    /// @param nodeId Id of the node.
    /// @param units Number of units.
    function markDelivered(uint32 nodeId, uint32 units) external;

    /// @notice Delivered units were paid or refused. Lease registry only.
    /// @param nodeId Id of the node.
    /// @param units Number of units.
    function markDecided(uint32 nodeId, uint32 units) external;

    /// @notice Slashes up to `amount` wei and starts a cooldown. Never reverts for lack of stake. Lease registry only.
    /// @param nodeId Id of the node.
    /// @param amount Maximum to be taken, wei.
    /// @return slashed Wei taken.
    function slash(uint32 nodeId, uint256 amount) external returns (uint256 slashed);

    /// @notice Keeps all nodes of an owner out of new leases for {Param.ReleaseBar} seconds, doubled for each time
    /// before that is not forgotten yet. An owner that is barred already is not barred for longer. Takes the newest 16
    /// of its nodes out of the listings at once, or none while these are frozen; the others wait behind one entry of the
    /// pending listings, so that no freeze begins before all are out. Release fees only.
    /// @param owner The owner.
    /// @param counts Whether the bar is doubled by those before it, and doubles those after it.
    function bar(address owner, bool counts) external;

    /// @notice Lets a node into new work, or keeps it out of it; while the listings are frozen the listing stands.
    /// Telemetry only.
    /// @param nodeId Id of the node.
    /// @param eligible Whether it may take new work.
    function setEligible(uint32 nodeId, bool eligible) external;

    /// @notice A class; reverts if unknown.
    /// @param classId Id of the class.
    function class(uint8 classId) external view returns (Class memory);

    /// @notice All classes, in the order of their ids.
    function classes() external view returns (Class[] memory);

    /// @notice What judging a node's reports and receipts needs to know of its supply; all zero if unknown. One read.
    /// @param nodeId Id of the node.
    function stateOf(uint32 nodeId) external view returns (State memory);

    /// @notice All that is kept of a node's supply; all zero if unknown. Two reads.
    /// @param nodeId Id of the node.
    function offerOf(uint32 nodeId) external view returns (Offer memory);

    /// @notice What a node is listed with: free units, class, and its ask for a unit in micro-VER; all zero if it is
    /// not.
    /// @param nodeId Id of the node.
    /// @return units Free units.
    /// @return classId Id of the class.
    /// @return priceMicroVer Its ask for a unit, micro-VER.
    function listingOf(uint32 nodeId) external view returns (uint32 units, uint8 classId, uint40 priceMicroVer);

    /// @notice Free listed units of a class at ticks below `tick`. Four reads.
    /// @param classId Id of the class.
    /// @param tick Price tick, 0 to 4096.
    function unitsBelow(uint8 classId, uint16 tick) external view returns (uint256);

    /// @notice Free listed units of a class at or below this price (micro-VER). Four reads.
    /// @param classId Id of the class.
    /// @param priceMicroVer Price of a unit, micro-VER.
    function unitsAtOrBelow(uint8 classId, uint256 priceMicroVer) external view returns (uint256);

    /// @notice Until when an owner's nodes are kept out of new leases, and how many leases that it gave back, or that
    /// failed, without headway count against it.
    /// @param owner The owner.
    /// @return until When the bar ends, seconds.
    /// @return level Such leases that are not forgotten.
    function barOf(address owner) external view returns (uint40 until, uint8 level);

    /// @notice How many entries wait to be brought up to date: a listing each, or all nodes that are left of a barred owner.
    function pendingCount() external view returns (uint256);

    /// @notice Whether a round or a batch holds the listings.
    function frozen() external view returns (bool);

    /// @notice The last freeze. One read.
    function lastFreeze() external view returns (Freeze memory);

    /// @notice Lowest price at which a class lists at least this many free units. Four reads.
    /// @dev Warning: reverts for 0 units.
    /// @param classId Id of the class.
    /// @param units At least 1.
    /// @return Micro-VER a unit; the highest number if the class lists fewer.
    function priceOf(uint8 classId, uint256 units) external view returns (uint256);

    /// @notice Draws a node of the price that unit `unit` of a class is listed at: each with probability proportional
    /// to its free units, of which four times the average of the nodes at that price count. O(1).
    /// @dev Warning: it reads the listings of now: only while they are frozen does it say the same twice.
    /// @param classId Id of the class.
    /// @param unit Number of a listed free unit of the class, counted from the cheapest, from 0 on.
    /// @param seed Seed of the batch.
    /// @param leaseId Lease whose range is drawn for; with `attempt`, the number of the try, it makes draws of a seed
    /// differ.
    /// @param attempt Number of the try.
    /// @return nodeId 0 if none was found: less than once in 10,000 where no node has more than four times the average.
    /// @return units Free units that it lists.
    function draw(
        uint8 classId,
        uint256 unit,
        bytes32 seed,
        uint32 leaseId,
        uint32 attempt
    ) external view returns (uint32 nodeId, uint32 units);
}
