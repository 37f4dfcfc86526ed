// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {IRoundManager} from "../../interfaces/IRoundManager.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";
import {PackedUint32} from "../../libraries/PackedUint32.sol";
import {ClassSet} from "../../types/ClassSet.sol";
import {IntakePaused} from "../../types/Errors.sol";
import {PRICE_UNIT} from "../../types/Units.sol";
import {IOrphans} from "../interfaces/IOrphans.sol";
import {SeededSession} from "../seeds/SeededSession.sol";
import {Certificate} from "./Certificate.sol";
import {Layout} from "./Layout.sol";
import {RoundPost} from "./RoundPost.sol";

/// @title Rounds: open tasks meet free capacity at the minimum cost
/// @notice See {IRoundManager}.
contract RoundManager is IRoundManager, SeededSession {
    /// @dev Maximum number of pending listings that opening a round brings up to date itself: with as many of the dearest changes
    /// it fits a transaction beside the dearest look at the queue.
    uint256 private constant SYNC_AT_OPEN = 16;

    /// @dev What a round is about, beside its session.
    struct Round {
        ClassSet classes;
        // One slot.
        uint32 leases;
        uint32 unitsOpen;
        /// Task ids and units in turn, eight numbers to a word; 0 ends them.
        uint256[] demands;
    }

    /// @notice Pays bounties.
    IVault public immutable VAULT;
    /// @notice Ranges that a batch may have to draw for first.
    IOrphans public immutable ORPHANS;

    mapping(uint32 roundId => Round) private _rounds;

    constructor(
        IVault vault,
        IParameters parameters,
        ISupply supply,
        ITaskRegistry tasks,
        ILeaseRegistry leases,
        IVrfSeeds seeds,
        IOrphans orphans
    ) SeededSession(parameters, supply, tasks, leases, seeds) {
        VAULT = vault;
        ORPHANS = orphans;
    }

    /// @inheritdoc IRoundManager
    function open() external returns (uint32 roundId) {
        require(!PARAMETERS.intakePaused(), IntakePaused());
        require(!_isOpen(_sessions[_count]), RoundOpen(_count));
        uint256 earliest = nextOpening();
        require(block.timestamp >= earliest, RoundTooSoon(earliest));
        require(!_batchGoesFirst(), BatchPending());
        Session storage session;
        (roundId, session) = _begin(SYNC_AT_OPEN);
        (uint32[] memory taskIds, uint32[] memory units, ClassSet classes) = TASKS.freeze(
            PARAMETERS.get(Param.RoundMaxTasks),
            PARAMETERS.get(Param.RoundMaxUnits)
        );
        Round storage r = _rounds[roundId];
        r.classes = classes;
        Demand[] memory demands = _store(r, taskIds, units);
        emit RoundOpened(roundId, msg.sender, _request(session), demands, classes);
    }

    /// @inheritdoc IRoundManager
    function settle(uint32 roundId, bytes calldata post) external {
        Session storage session = _requireOpen();
        require(roundId == _count, WrongRound(roundId, _count));
        bytes32 seed = _seedOf(roundId, session);
        Round storage r = _rounds[roundId];

        Layout.Board memory board = Layout.read(TASKS, _demandsOf(r), r.classes, seed, post);
        Certificate.check(board);
        _fill(roundId, board, seed, post);
        ILeaseRegistry.Grant[] memory grants = Layout.lay(TASKS, board);

        r.leases = uint32(grants.length);
        r.unitsOpen = uint32(board.demand - board.granted);
        emit RoundSettled(roundId, msg.sender, r.leases, uint32(board.granted), r.unitsOpen);
        // Before a task that was cancelled meanwhile can end.
        uint256 fees = _charge(board);
        _close(roundId, session, Phase.Done);
        LEASES.grant(grants, seed);
        // Half of what the round cannot give back, beyond its seed: who settles rounds of its own tasks loses by it.
        uint256 beyond = Math.saturatingSub(fees, PARAMETERS.get(Param.SeedPrice) * PRICE_UNIT);
        uint256 bounty = Math.min(PARAMETERS.get(Param.RoundBounty) * PRICE_UNIT, beyond / 2);
        VAULT.payBounty(session.opener, bounty / 2);
        VAULT.payBounty(msg.sender, bounty - bounty / 2);
    }

    /// @inheritdoc IRoundManager
    function abort() external {
        Session storage session = _requireOpen();
        uint256 until = _timeoutOf(session);
        require(block.timestamp > until, RoundNotTimedOut(_count, until));
        emit RoundAborted(_count, _statusOf(session));
        _close(_count, session, Phase.Aborted);
    }

    /// @inheritdoc IRoundManager
    function current() external view returns (RoundView memory) {
        return round(_count);
    }

    /// @inheritdoc IRoundManager
    function round(uint32 roundId) public view returns (RoundView memory) {
        Session storage session = _sessions[roundId];
        Round storage r = _rounds[roundId];
        return
            RoundView({
                id: roundId,
                status: _statusOf(session),
                openedAt: session.openedAt,
                closedAt: session.closedAt,
                opener: session.opener,
                requestId: session.requestId,
                seed: SEEDS.seedOf(session.requestId),
                demands: _demandsOf(r),
                classes: r.classes,
                leases: r.leases,
                unitsOpen: r.unitsOpen
            });
    }

    /// @inheritdoc IRoundManager
    function nextOpening() public view returns (uint256) {
        uint256 last = _sessions[_count].openedAt;
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

    /// @dev Ends the round; its tasks go back to the front of the queue if it was aborted. O(tasks).
    function _close(uint32 roundId, Session storage session, Phase phase) private {
        _end(session, phase);
        Demand[] memory demands = _demandsOf(_rounds[roundId]);
        uint32[] memory taskIds = new uint32[](demands.length);
        for (uint256 i; i < taskIds.length; ++i) taskIds[i] = demands[i].taskId;
        TASKS.thaw(taskIds, phase == Phase.Aborted);
    }

    /// @dev Keeps what tasks bring, each word written once. O(tasks).
    function _store(
        Round storage r,
        uint32[] memory taskIds,
        uint32[] memory units
    ) private returns (Demand[] memory demands) {
        demands = new Demand[](taskIds.length);
        uint256 word;
        for (uint256 i; i < taskIds.length; ++i) {
            demands[i] = Demand(taskIds[i], units[i]);
            word = PackedUint32.set(PackedUint32.set(word, 2 * i, taskIds[i]), 2 * i + 1, units[i]);
            if (i & 3 != 3 && i + 1 != taskIds.length) continue;
            r.demands.push(word);
            word = 0;
        }
    }

    /// @dev What {_store} kept. O(tasks).
    function _demandsOf(Round storage r) private view returns (Demand[] memory demands) {
        uint256 words = r.demands.length;
        demands = new Demand[](4 * words);
        uint256 count;
        for (uint256 i; i < words; ++i) {
            uint256 word = r.demands[i];
            for (uint256 at; at < 8; at += 2) {
                uint32 taskId = PackedUint32.get(word, at);
                if (taskId != 0) demands[count++] = Demand(taskId, PackedUint32.get(word, at + 1));
            }
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(demands, count)
        }
    }

    function _orphanCounts() internal view override returns (uint256, uint256, bool) {
        return ORPHANS.orphanCounts();
    }

    function _requireOpen() private view returns (Session storage session) {
        session = _sessions[_count];
        require(_isOpen(session), NoRoundOpen());
    }

    function _statusOf(Session storage session) private view returns (RoundStatus) {
        return RoundStatus(uint8(_phaseOf(session)));
    }
}
