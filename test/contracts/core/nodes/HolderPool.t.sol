// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHolderPool} from "../../../../contracts/interfaces/IHolderPool.sol";
import {Base} from "../../support/Base.sol";
import {Rng} from "../../support/Rng.sol";

/// @title The holder pool by itself, with the test as its supply
contract HolderPoolTest is Base {
    using Rng for Rng.Stream;

    /// @dev What the model knows of a position.
    struct Member {
        uint32 nodeId;
        bool active;
        /// Freezes that there had been when the node came, and when its stake last grew.
        uint32 since;
        uint32 grown;
        /// Whole VER: now, and at its lowest.
        uint40 stake;
        uint40 lowest;
    }

    uint32 private constant MOST_POSITIONS = 6;

    IHolderPool private pool;

    Member[MOST_POSITIONS] private members;
    mapping(uint32 freeze => mapping(uint32 position => uint40)) private stakeAt;

    function setUp() public {
        pool = IHolderPool(deployCode("HolderPool"));
        pool.initialise(address(this));
    }

    /// @notice A position that is given up is the next one's, so that few are empty.
    function test_GivenUpPositionsAreUsedAgain() public {
        for (uint32 i; i < 3; ++i) assertEq(pool.join(i + 1, 10 ether), i);
        pool.leave(0);
        pool.leave(1);
        assertEq(pool.join(4, 10 ether), 1);
        assertEq(pool.join(5, 10 ether), 0);
        assertEq(pool.join(6, 10 ether), 3);
    }

    function test_AverageIsOfActiveNodesRoundedDown() public {
        pool.join(1, 10 ether);
        pool.join(2, 11 ether);
        pool.join(3, 100 ether);
        pool.setActive(2, false);
        assertEq(_average(), 10);
        pool.setStake(0, 30 ether);
        assertEq(_average(), 20);
        pool.setStake(1, 4 ether);
        assertEq(_average(), 17);
        // What an inactive node adds counts once it is active again.
        pool.setStake(2, 26 ether);
        assertEq(_average(), 17);
        pool.setActive(2, true);
        assertEq(_average(), 20);
    }

    function test_AverageOfNobodyIsNone() public {
        assertEq(_average(), 0);
        pool.join(1, 10 ether);
        pool.leave(0);
        assertEq(_average(), 0);
    }

    /// @notice A part of a VER counts nothing, and nobody counts for more than 40 bits hold.
    function test_WholeVer() public {
        pool.join(1, 2 ether - 1);
        assertEq(_average(), 1);
        pool.setStake(0, 5e11 ether);
        assertEq(_average(), 5e11);
        pool.setStake(0, (uint256(type(uint40).max) + 8) * 1 ether);
        assertEq(_average(), type(uint40).max);
    }

    /// @notice Where no node has a whole VER each is accepted.
    function test_AverageOfNone() public {
        pool.join(1, 0.5 ether);
        pool.freeze(1);
        assertEq(pool.drawn(0, 1, 0, 7), 1);
    }

    /// @notice An average stake, and whatever is above it, is accepted by any chance.
    function test_AverageStakeIsAlwaysAccepted() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        for (uint256 chance; chance < 12; ++chance) {
            assertEq(pool.drawn(0, 1, 10, chance), 1);
            assertEq(pool.drawn(0, 1, 9, chance), 1);
        }
    }

    /// @notice Of as many chances as the average has VER so many are good as the node has.
    function test_SmallStakeIsAcceptedInProportion() public {
        pool.join(1, 3 ether);
        pool.freeze(1);
        for (uint256 chance; chance < 20; ++chance) assertEq(pool.drawn(0, 1, 10, chance), chance % 10 < 3 ? 1 : 0);
    }

    function test_NobodyIsDrawnThatCameSinceOrIsInactive() public {
        pool.freeze(1);
        pool.join(1, 10 ether);
        assertEq(pool.drawn(0, 1, 1, 0), 0);
        pool.freeze(2);
        assertEq(pool.drawn(0, 2, 1, 0), 1);
        pool.setActive(0, false);
        assertEq(pool.drawn(0, 2, 1, 0), 0);
        pool.setActive(0, true);
        pool.leave(0);
        assertEq(pool.drawn(0, 2, 1, 0), 0);
    }

    /// @notice What is added after a freeze gains nothing in its draws, and all in the next.
    function test_MoreStakeCountsFromTheNextFreezeOn() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        pool.setStake(0, 20 ether);
        _assertCounts(1, 10);
        pool.freeze(2);
        _assertCounts(2, 20);
    }

    function test_LessStakeCountsAtOnce() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        pool.setStake(0, 6 ether);
        _assertCounts(1, 6);
        pool.setStake(0, 8 ether);
        _assertCounts(1, 6);
    }

    /// @notice Once the stake has grown since a freeze, what it had at it is the bound, wherever it went in between.
    function test_LessStakeAfterMore() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        pool.setStake(0, 20 ether);
        pool.setStake(0, 5 ether);
        pool.setStake(0, 8 ether);
        _assertCounts(1, 8);
        pool.setStake(0, 12 ether);
        _assertCounts(1, 10);
    }

    /// @notice A draw that follows from an older freeze counts no more than the node had then, though it grew twice since.
    function test_OlderFreezes() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        pool.setStake(0, 20 ether);
        pool.freeze(2);
        pool.setStake(0, 30 ether);
        _assertCounts(1, 10);
        pool.freeze(3);
        _assertCounts(3, 30);
    }

    /// @notice The same stake again is no growth, which would have a draw go by a time long past.
    function test_SameStakeIsNoGrowth() public {
        pool.join(1, 10 ether);
        pool.freeze(1);
        pool.setStake(0, 20 ether);
        pool.freeze(2);
        pool.setStake(0, 20 ether);
        _assertCounts(2, 20);
    }

    /// @notice Whatever comes, goes, grows and shrinks: counts and averages are exact; nobody counts for more than it has,
    /// nor for more than it had at the freeze; who did not grow since counts in full, others at least for their lowest stake.
    function testFuzz_AgainstModel(uint256 seed) public {
        Rng.Stream memory rng = Rng.from(seed);
        uint32 freezes;
        uint32 nodeId;
        for (uint256 step; step < 24; ++step) {
            uint32 position = uint32(rng.below(MOST_POSITIONS));
            uint256 kind = rng.below(6);
            uint40 stake = uint40(rng.below(20));
            Member storage m = members[position];
            if (kind == 0) {
                freezes = _freezeAndCheck(freezes + 1);
            } else if (m.nodeId == 0) {
                _join(++nodeId, stake, freezes);
            } else if (kind == 1) {
                pool.leave(position);
                delete members[position];
            } else if (kind == 2) {
                m.active = !m.active;
                pool.setActive(position, m.active);
            } else {
                pool.setStake(position, uint256(stake) * 1 ether + rng.below(1 ether));
                if (stake > m.stake) m.grown = freezes;
                m.stake = stake;
                if (stake < m.lowest) m.lowest = stake;
            }
            for (uint32 i; i < MOST_POSITIONS; ++i) {
                _checkDraw(i, freezes);
                if (freezes > 1) _checkDraw(i, freezes - 1);
            }
        }
    }

    function _join(uint32 nodeId, uint40 stake, uint32 freezes) private {
        uint32 position = pool.join(nodeId, uint256(stake) * 1 ether);
        assertEq(members[position].nodeId, 0, "somebody else's position");
        members[position] = Member(nodeId, true, freezes, freezes, stake, stake);
    }

    function _freezeAndCheck(uint32 freezes) private returns (uint32) {
        (uint256 sum, uint256 active) = (0, 0);
        for (uint32 i; i < MOST_POSITIONS; ++i) {
            stakeAt[freezes][i] = members[i].stake;
            if (!members[i].active) continue;
            sum += members[i].stake;
            ++active;
        }
        pool.freeze(freezes);
        (uint32 count, uint32 positions, uint40 average) = pool.lastFreeze();
        assertEq(count, freezes);
        assertEq(pool.activeNodes(), active);
        assertEq(average, active == 0 ? 0 : sum / active);
        assertLe(positions, MOST_POSITIONS);
        for (uint32 i = positions; i < MOST_POSITIONS; ++i) assertEq(members[i].nodeId, 0, "beyond the positions");
        return freezes;
    }

    function _checkDraw(uint32 position, uint32 freeze) private view {
        Member memory m = members[position];
        if (!m.active || m.since >= freeze) {
            assertEq(pool.drawn(position, freeze, 0, 0), 0);
            return;
        }
        uint40 had = stakeAt[freeze][position];
        uint40 highest = m.stake < had ? m.stake : had;
        assertEq(pool.drawn(position, freeze, highest + 1, highest), 0, "counts for more");
        uint40 least = m.grown < freeze ? m.stake : m.lowest;
        if (least != 0) assertEq(pool.drawn(position, freeze, least + 1, least - 1), m.nodeId, "counts for less");
    }

    /// @dev The node of position 0 counts for just so much in the draws of a freeze.
    function _assertCounts(uint32 freeze, uint40 stake) private view {
        assertEq(pool.drawn(0, freeze, stake + 1, stake), 0, "counts for more");
        assertEq(pool.drawn(0, freeze, stake + 1, stake - 1), 1, "counts for less");
    }

    /// @dev The average that a freeze would fix now.
    function _average() private returns (uint40 average) {
        pool.freeze(1);
        (, , average) = pool.lastFreeze();
    }
}
