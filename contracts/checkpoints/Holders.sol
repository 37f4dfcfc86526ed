// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who may sign for a lease's checkpoints
/// @notice A lease has an endless row of candidates, each a position of the {HolderPool}, which follow from the seed that it
/// was granted with and from its range. Candidates count while their node was in the pool before the listings froze, is
/// accepted by its stake, reports in time, and belongs to another owner than the lease's node. The holders are the first
/// few that count. packages/protocol/checkpoints/holders.ts is the same in TypeScript.
library Holders {
    /// @notice Holders beyond the receipts that a task asks for: one may lag behind and one refuse.
    uint256 internal constant SPARE = 2;

    /// @notice Candidates that are looked at. If one in ten counts, none is found for one lease in 850; such a lease needs
    /// fewer receipts.
    uint256 internal constant CANDIDATES = 64;

    /// @notice Maximum number of receipts that a task may ask for, and that a checkpoint may carry.
    uint256 internal constant MAX_RECEIPTS = 4;

    /// @notice What a lease's candidates follow from.
    struct Draw {
        /// From the seed that the lease was granted with.
        uint64 salt;
        /// Number of that seed's freeze of the listings.
        uint32 freeze;
        /// Positions of the pool at the freeze.
        uint32 positions;
        /// Average stake at the freeze, whole VER.
        uint40 average;
        uint32 taskId;
        /// First unit of the lease.
        uint24 start;
    }

    /// @notice Candidate `k` of a lease.
    /// @return position Its position in the pool.
    /// @return chance Random number by which it is accepted, 0 to 2^128 - 1.
    function candidate(Draw memory draw, uint256 k) internal pure returns (uint32 position, uint256 chance) {
        uint256 word = uint256(keccak256(abi.encodePacked(draw.salt, draw.taskId, draw.start, uint8(k))));
        return (uint32((word >> 128) % draw.positions), uint128(word));
    }
}
