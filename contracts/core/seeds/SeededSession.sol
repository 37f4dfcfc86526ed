// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../interfaces/ILeaseRegistry.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ISupply} from "../../interfaces/ISupply.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {IVrfSeeds} from "../../interfaces/IVrfSeeds.sol";
import {SeedPending} from "../../types/Errors.sol";

/// @title A session over frozen listings that is decided by one seed
/// @notice Rounds and reassignment batches are sessions. Each freezes the listings and asks for a seed when it is opened, is
/// acted on by anyone once the seed is known, and is aborted by anyone when the oracle, or those who act, were silent for too
/// long. There is no second request for a session, and what its seed decides was fixed before it was asked for.
abstract contract SeededSession {
    /// @dev None: there is no such session. Seeding: it waits for its seed. Acting: the seed is known. Done, Aborted: over.
    /// The statuses of rounds and of batches have the same numbers.
    enum Phase {
        None,
        Seeding,
        Acting,
        Done,
        Aborted
    }

    /// @dev First slot: opener to phase.
    struct Session {
        /// Who opened it.
        address opener;
        /// When it was opened, seconds.
        uint40 openedAt;
        /// When it was over, seconds; 0 while it is open.
        uint40 closedAt;
        /// Stored as Seeding until it is over: no transaction of ours marks the arrival of the seed.
        Phase phase;
        /// Number of the request for its seed.
        uint256 requestId;
    }

    /// @notice Times, sizes, bounties, pause.
    IParameters public immutable PARAMETERS;
    /// @notice The listings that a session freezes.
    ISupply public immutable SUPPLY;
    /// @notice Where units wait for a session.
    ITaskRegistry public immutable TASKS;
    /// @notice Grants what a session decides.
    ILeaseRegistry public immutable LEASES;
    /// @notice Seeds.
    IVrfSeeds public immutable SEEDS;

    /// @dev Ids run from 1 to this number; the newest may be open.
    uint32 internal _count;
    mapping(uint32 id => Session) internal _sessions;

    constructor(IParameters parameters, ISupply supply, ITaskRegistry tasks, ILeaseRegistry leases, IVrfSeeds seeds) {
        PARAMETERS = parameters;
        SUPPLY = supply;
        TASKS = tasks;
        LEASES = leases;
        SEEDS = seeds;
    }

    /// @dev Opens the next session: freezes the listings, having brought up to `most` of them up to date.
    function _begin(uint256 most) internal returns (uint32 id, Session storage session) {
        id = ++_count;
        session = _sessions[id];
        session.opener = msg.sender;
        session.openedAt = uint40(block.timestamp);
        session.phase = Phase.Seeding;
        SUPPLY.freeze(most);
    }

    /// @dev Asks for the session's seed, once everything that it decides is fixed.
    function _request(Session storage session) internal returns (uint256 requestId) {
        requestId = SEEDS.request();
        session.requestId = requestId;
    }

    /// @dev Ends a session: the listings follow the nodes again.
    function _end(Session storage session, Phase phase) internal {
        session.phase = phase;
        session.closedAt = uint40(block.timestamp);
        SUPPLY.thaw();
    }

    function _isOpen(Session storage session) internal view returns (bool) {
        return session.phase == Phase.Seeding;
    }

    /// @dev The seed of a session; reverts while it is not known.
    function _seedOf(uint32 id, Session storage session) internal view returns (bytes32 seed) {
        seed = SEEDS.seedOf(session.requestId);
        require(seed != bytes32(0), SeedPending(id));
    }

    /// @dev Until when the oracle has time, and once it has answered those who act, seconds.
    function _timeoutOf(Session storage session) internal view returns (uint256 until) {
        until = session.openedAt + PARAMETERS.get(Param.SeedTimeout);
        if (SEEDS.seedOf(session.requestId) != bytes32(0)) until += PARAMETERS.get(Param.SettleTimeout);
    }

    function _phaseOf(Session storage session) internal view returns (Phase phase) {
        phase = session.phase;
        if (phase == Phase.Seeding && SEEDS.seedOf(session.requestId) != bytes32(0)) return Phase.Acting;
    }

    /// @dev Whether a round must let a batch go first: ranges wait for one that may be opened, and the last freeze was not a
    /// batch's, or a full one's.
    function _batchGoesFirst() internal view returns (bool) {
        (uint256 waiting, uint256 moving, bool inARow) = _orphanCounts();
        if (waiting == 0) return false;
        ISupply.Freeze memory last = SUPPLY.lastFreeze();
        return (inARow || !last.forBatch) && block.timestamp >= _batchFrom(last, waiting == moving);
    }

    /// @dev What {IOrphans.orphanCounts} says.
    function _orphanCounts() internal view virtual returns (uint256 waiting, uint256 moving, bool inARow);

    /// @dev From when on a batch may be opened if nothing that waits has failed, seconds. The stake of a failed node pays for its
    /// seed; moves cost nobody anything, so that they share one.
    function _batchFrom(ISupply.Freeze memory last, bool movesOnly) internal view returns (uint256) {
        if (last.batchAt == 0 || !movesOnly) return 0;
        return last.batchAt + PARAMETERS.get(Param.RoundInterval);
    }
}
