// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VRFConsumerBaseV2Plus} from "@chainlink/contracts/src/v0.8/vrf/dev/VRFConsumerBaseV2Plus.sol";
import {VRFCoordinatorV2_5Mock} from "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol";
import {IVrfSeeds} from "../../../../contracts/interfaces/IVrfSeeds.sol";
import {Fixture} from "../../support/Fixture.sol";

/// @title The oracle's callback: never reverts, constant gas, one seed per request
contract VrfSeedsTest is Fixture {
    function setUp() public override {
        super.setUp();
        register(alice, CPU_EU, 4, 10);
        submit(bob, 4, 20_000, CPU_EU);
    }

    function test_Fulfilled() public {
        openRound();
        bytes32 expected = keccak256(abi.encode(uint256(77)));
        vm.expectEmit(address(seeds));
        emit IVrfSeeds.SeedStored(1, expected);
        vm.expectEmit(true, true, false, false, address(coordinator));
        emit VRFCoordinatorV2_5Mock.RandomWordsFulfilled(1, 1, seeds.config().subscriptionId, 0, false, true, false);
        assertEq(fulfil(77), expected);
    }

    function test_OnlyRounds() public {
        vm.expectRevert(abi.encodeWithSelector(IVrfSeeds.NotModule.selector, address(this)));
        seeds.request();
    }

    function test_OnlyCoordinator() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                VRFConsumerBaseV2Plus.OnlyCoordinatorCanFulfill.selector,
                address(this),
                address(coordinator)
            )
        );
        seeds.rawFulfillRandomWords(1, new uint256[](1));
    }

    /// @notice Whatever the coordinator sends, whenever: no revert, the first seed stays, and what was not asked for is none.
    function testFuzz_CallbackNeverReverts(
        uint256 requestId,
        bool asked,
        uint256[] memory words,
        uint256[] memory again
    ) public {
        if (asked) _ask(requestId);
        vm.startPrank(address(coordinator));
        seeds.rawFulfillRandomWords(requestId, words);
        bytes32 seed = seeds.seedOf(requestId);
        assertEq(seed == bytes32(0), words.length == 0 || !asked);
        seeds.rawFulfillRandomWords(requestId, again);
        if (seed != bytes32(0)) assertEq(seeds.seedOf(requestId), seed);
        vm.stopPrank();
    }

    /// @notice A word of zero is a seed like any other.
    function test_ZeroWord() public {
        openRound();
        assertTrue(fulfil(0) != bytes32(0));
    }

    /// @notice Far below the limit that the oracle is told, whatever the word.
    /// hardhat-config: isolate = true
    function testFuzz_CallbackGasIsConstant(uint256 word) public {
        uint256[] memory words = new uint256[](1);
        words[0] = 1;
        _ask(1);
        _ask(2);
        vm.startPrank(address(coordinator));
        seeds.rawFulfillRandomWords(1, words);
        uint256 first = vm.lastCallGas().gasTotalUsed;
        words[0] = word;
        seeds.rawFulfillRandomWords(2, words);
        uint256 second = vm.lastCallGas().gasTotalUsed;
        vm.stopPrank();
        assertLt(first, CALLBACK_GAS);
        // Only the calldata's price differs, by 40 units of gas a byte at most.
        assertApproxEqAbs(first, second, 40 * 32);
    }

    function test_SetConfig() public {
        IVrfSeeds.Config memory c = seeds.config();
        assertEq(c.callbackGasLimit, CALLBACK_GAS);
        c.nativePayment = true;
        vm.expectEmit(address(seeds));
        emit IVrfSeeds.ConfigSet(c);
        seeds.setConfig(c);
        assertTrue(seeds.config().nativePayment);
        vm.prank(alice);
        vm.expectRevert("Only callable by owner");
        seeds.setConfig(c);
    }

    /// @dev Has the round manager ask for a seed, which the coordinator gives this number.
    function _ask(uint256 requestId) private {
        vm.mockCall(
            address(coordinator),
            abi.encodeWithSelector(coordinator.requestRandomWords.selector),
            abi.encode(requestId)
        );
        vm.prank(address(rounds));
        assertEq(seeds.request(), requestId);
        vm.clearMockedCalls();
    }
}
