// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PRICE_UNIT} from "../../types/Units.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IReassignment} from "../../interfaces/IReassignment.sol";
import {IRoundManager} from "../../interfaces/IRoundManager.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";
import {Certificate} from "./Certificate.sol";
import {Layout} from "./Layout.sol";
import {RoundPost} from "./RoundPost.sol";

/// @title Rounds: open tasks meet free capacity at the minimum cost
/// @notice See {IRoundManager}.
contract RoundManager is IRoundManager {
    /// @dev Most pending listings that opening a round brings up to date itself: with as many of the dearest changes it
    /// fits a transaction beside the dearest look at the queue.
    uint256 private constant SYNC_AT_OPEN = 16;

    struct Round {
        // One slot.
        address opener;
        uint40 openedAt;
        uint40 closedAt;
        RoundStatus status;
        uint256 requestId;
        uint256 classes;
        // One slot.
        uint32 leases;
        uint32 unitsOpen;
        Demand[] demands;
    }

    /// @notice Pays bounties.
    IVault public immutable VAULT;
    /// @notice Sizes, times, bounties, pause.
    IParameters public immutable PARAMETERS;
    /// @notice Supply.
    ISupply public immutable SUPPLY;
    /// @notice Demand.
    ITaskRegistry public immutable TASKS;
    /// @notice Grants what a round decides.
    ILeaseRegistry public immutable LEASES;
    /// @notice Seeds.
    IVrfSeeds public immutable SEEDS;
    /// @notice Takes turns with rounds.
    IReassignment public immutable REASSIGNMENT;

    uint32 private _count;
    mapping(uint32 roundId => Round) private _rounds;

    constructor(
        IVault vault,
        IParameters parameters,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        IVrfSeeds seeds,
        IReassignment reassignment
    ) {
        VAULT = vault;
        PARAMETERS = parameters;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        SEEDS = seeds;
        REASSIGNMENT = reassignment;
    }

    /// @inheritdoc IRoundManager
    function open() external returns (uint32 roundId) {
        require(!PARAMETERS.intakePaused(), IntakePaused());
        require(_rounds[_count].status != RoundStatus.Seeding, RoundOpen(_count));
        uint256 earliest = nextOpening();
        require(block.timestamp >= earliest, RoundTooSoon(earliest));
        require(!REASSIGNMENT.hasTurn(), BatchPending());
        SUPPLY.freeze(SYNC_AT_OPEN);
        (uint32[] memory taskIds, uint32[] memory units) = TASKS.freeze(
            PARAMETERS.get(Param.RoundMaxTasks),
            PARAMETERS.get(Param.RoundMaxUnits)
        );
        roundId = ++_count;
        Round storage r = _rounds[roundId];
        r.opener = msg.sender;
        r.openedAt = uint40(block.timestamp);
        r.status = RoundStatus.Seeding;
        uint256 classes;
        for (uint256 i; i < taskIds.length; ++i) {
            r.demands.push(Demand(taskIds[i], units[i]));
            classes |= TASKS.roundTask(taskIds[i]).classes;
        }
        r.classes = classes;
        r.requestId = SEEDS.request();
        emit RoundOpened(roundId, msg.sender, r.requestId, r.demands, classes);
    }

    /// @inheritdoc IRoundManager
    function settle(uint32 roundId, bytes calldata post) external {
        Round storage r = _requireOpen();
        require(roundId == _count, WrongRound(roundId, _count));
        bytes32 seed = SEEDS.seedOf(r.requestId);
        require(seed != bytes32(0), SeedPending(roundId));

        Layout.Board memory board = Layout.read(TASKS, r.demands, r.classes, seed, post);
        Certificate.check(board);
        _fill(roundId, board, seed, post);
        ILeaseRegistry.Grant[] memory grants = Layout.lay(TASKS, board);

        r.status = RoundStatus.Settled;
        r.closedAt = uint40(block.timestamp);
        r.leases = uint32(grants.length);
        r.unitsOpen = uint32(board.demand - board.granted);
        emit RoundSettled(roundId, msg.sender, r.leases, uint32(board.granted), r.unitsOpen);
        // Before a task that was cancelled meanwhile can end.
        uint256 fees = _charge(board);
        _thaw(r, false);
        LEASES.grant(grants, seed);
        // Half of what the round cannot give back, beyond its seed: whoever settles rounds of its own tasks loses by it.
        uint256 beyond = Math.saturatingSub(fees, PARAMETERS.get(Param.SeedPrice) * PRICE_UNIT);
        uint256 bounty = Math.min(PARAMETERS.get(Param.RoundBounty) * PRICE_UNIT, beyond / 2);
        VAULT.payBounty(r.opener, bounty / 2);
        VAULT.payBounty(msg.sender, bounty - bounty / 2);
    }

    /// @inheritdoc IRoundManager
    function abort() external {
        Round storage r = _requireOpen();
        uint256 until = r.openedAt + PARAMETERS.get(Param.SeedTimeout);
        if (SEEDS.seedOf(r.requestId) != bytes32(0)) until += PARAMETERS.get(Param.SettleTimeout);
        require(block.timestamp > until, RoundNotTimedOut(_count, until));
        emit RoundAborted(_count, _status(r));
        r.status = RoundStatus.Aborted;
        r.closedAt = uint40(block.timestamp);
        _thaw(r, true);
    }

    /// @inheritdoc IRoundManager
    function current() external view returns (RoundView memory) {
        return round(_count);
    }

    /// @inheritdoc IRoundManager
    function round(uint32 roundId) public view returns (RoundView memory) {
        Round storage r = _rounds[roundId];
        return
            RoundView({
                id: roundId,
                status: _status(r),
                openedAt: r.openedAt,
                closedAt: r.closedAt,
                opener: r.opener,
                requestId: r.requestId,
                seed: SEEDS.seedOf(r.requestId),
                demands: r.demands,
                classes: r.classes,
                leases: r.leases,
                unitsOpen: r.unitsOpen
            });
    }

    /// @inheritdoc IRoundManager
    function nextOpening() public view returns (uint256) {
        uint256 last = _rounds[_count].openedAt;
        return last == 0 ? 0 : last + PARAMETERS.get(Param.RoundInterval);
    }

    /// @dev Grants each class's flow at its clearing price. O(classes + granted nodes).
    function _fill(uint32 roundId, Layout.Board memory board, bytes32 seed, bytes calldata post) private {
        uint256 offset = board.nodesOffset;
        for (uint256 k; k < board.classes.length; ++k) {
            Layout.ClassColumn memory column = board.classes[k];
            bytes calldata ids;
            (ids, offset) = RoundPost.nodes(post, offset);
            column.fills = SUPPLY.fill(column.classId, seed, column.clearing, column.units, ids);
            emit ClassCleared(roundId, column.classId, column.clearing, uint32(column.units));
        }
        require(offset == post.length, MalformedPost(post.length));
    }

    /// @dev Collects what the tasks pay for the round. O(tasks).
    function _charge(Layout.Board memory board) private returns (uint256 fees) {
        uint256 count = board.tasks.length;
        uint32[] memory taskIds = new uint32[](count);
        uint256[] memory values = new uint256[](count);
        for (uint256 t; t < count; ++t) (taskIds[t], values[t]) = (board.tasks[t].taskId, board.tasks[t].fresh);
        return TASKS.charge(taskIds, values);
    }

    function _thaw(Round storage r, bool toFront) private {
        SUPPLY.thaw();
        uint256 count = r.demands.length;
        uint32[] memory taskIds = new uint32[](count);
        for (uint256 i; i < count; ++i) taskIds[i] = r.demands[i].taskId;
        TASKS.thaw(taskIds, toFront);
    }

    function _requireOpen() private view returns (Round storage r) {
        r = _rounds[_count];
        require(r.status == RoundStatus.Seeding, NoRoundOpen());
    }

    /// @dev A stored round waits for its seed until the seed is there; no transaction of ours marks that moment.
    function _status(Round storage r) private view returns (RoundStatus status) {
        status = r.status;
        if (status == RoundStatus.Seeding && SEEDS.seedOf(r.requestId) != bytes32(0)) return RoundStatus.Settling;
    }
}
