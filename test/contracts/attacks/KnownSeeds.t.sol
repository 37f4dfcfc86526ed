// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VRFCoordinatorV2_5Mock} from "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {IVrfSeeds} from "../../../contracts/interfaces/IVrfSeeds.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title After a change of the coordinator request numbers begin again: somebody settles a round by a seed that is known
contract KnownSeedsTest is Fixture {
    mapping(address at => uint256) private _subscriptions;
    uint256 private _gas;
    uint256 private _changes;

    function setUp() public override {
        super.setUp();
        _subscriptions[address(coordinator)] = seeds.config().subscriptionId;
        register(alice, CPU_EU, 100, 10);
        submit(bob, 1, 20_000, CPU_EU);
    }

    /// @notice The coordinator changes between two rounds, and again: no round has a seed when it opens.
    function test_Migration() public {
        VRFCoordinatorV2_5Mock first = coordinator;
        _round(7);
        VRFCoordinatorV2_5Mock second = _another();
        _use(second);
        _round(8);
        _round(9);
        // Back to the first, whose next number the second has used, and forth again.
        _use(first);
        _round(10);
        _use(second);
        _round(11);
        _use(_another());
        _round(12);
        _round(13);
        emit log_named_uint(
            "changes of the coordinator, each after the admin's delay and before everybody's eyes",
            _changes
        );
        emit log_named_uint("gas that they cost", _gas);
        emit log_named_uint("rounds that opened with a seed that was known", 0);
    }

    /// @notice The coordinator changes while a round waits for its seed: neither
    /// coordinator's other answers are the round's, and the round ends by its time-out or by the answer it asked for.
    function test_MigrationWhileARoundIsOpen() public {
        VRFCoordinatorV2_5Mock first = coordinator;
        VRFCoordinatorV2_5Mock second = _another();
        _use(second);
        _round(20);
        _use(first);
        openRound();
        uint256 id = rounds.current().requestId;
        assertEq(id, 1, "the number that the second has answered");
        uint256[] memory words = new uint256[](1);
        seeds.setCoordinator(address(second));
        assertEq(seeds.seedOf(id), bytes32(0));
        vm.prank(address(second));
        seeds.rawFulfillRandomWords(id, words);
        emit log_named_uint(
            "gas that the other coordinator's answer costs, for nothing",
            vm.lastCallGas().gasTotalUsed
        );
        assertEq(seeds.seedOf(id), bytes32(0), "not asked");
        vm.prank(address(first));
        vm.expectRevert();
        seeds.rawFulfillRandomWords(id, words);
        // Back before the time-out: what was asked still counts.
        seeds.setCoordinator(address(first));
        vm.prank(address(first));
        seeds.rawFulfillRandomWords(id, words);
        settle(optimalPost());
    }

    /// @dev A round whose seed is unknown until its coordinator answers, and another one afterwards.
    function _round(uint256 word) private {
        openRound();
        assertEq(seeds.seedOf(rounds.current().requestId), bytes32(0), "known before it was asked for");
        assertEq(uint8(rounds.current().status), uint8(IRoundManager.RoundStatus.Seeding));
        fulfil(word);
        settle(optimalPost());
        submit(bob, 1, 20_000, CPU_EU);
    }

    function _another() private returns (VRFCoordinatorV2_5Mock next) {
        next = new VRFCoordinatorV2_5Mock(1e9, 1e9, 1e15);
        uint256 subscription = next.createSubscription();
        next.fundSubscription(subscription, 1e27);
        next.addConsumer(subscription, address(seeds));
        _subscriptions[address(next)] = subscription;
    }

    function _use(VRFCoordinatorV2_5Mock next) private {
        IVrfSeeds.Config memory c = seeds.config();
        c.subscriptionId = _subscriptions[address(next)];
        seeds.setConfig(c);
        _gas += vm.lastCallGas().gasTotalUsed;
        seeds.setCoordinator(address(next));
        _gas += vm.lastCallGas().gasTotalUsed;
        ++_changes;
        coordinator = next;
    }
}
