// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {StdAssertions} from "forge-std/StdAssertions.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {TestBase} from "forge-std/Base.sol";

/// @title What tests use of forge-std
/// @dev Its own `Test` also has the functions by which an invariant test names its targets, and the chains that it knows: each
/// test would be larger by a fifth, and the build as much longer. An invariant test inherits `StdInvariant` itself.
/// Its assertions are calls; what holds is seen here without one, of which an invariant makes hundreds after each step.
abstract contract Base is TestBase, StdAssertions, StdCheats, StdUtils {
    function assertTrue(bool data) internal pure override {
        if (!data) super.assertTrue(data);
    }

    function assertFalse(bool data) internal pure override {
        if (data) super.assertFalse(data);
    }

    function assertEq(uint256 left, uint256 right) internal pure override {
        if (left != right) super.assertEq(left, right);
    }

    function assertLt(uint256 left, uint256 right) internal pure override {
        if (left >= right) super.assertLt(left, right);
    }

    function assertGt(uint256 left, uint256 right) internal pure override {
        if (left <= right) super.assertGt(left, right);
    }

    function assertLe(uint256 left, uint256 right) internal pure override {
        if (left > right) super.assertLe(left, right);
    }

    function assertGe(uint256 left, uint256 right) internal pure override {
        if (left < right) super.assertGe(left, right);
    }

    function assertTrue(bool data, string memory err) internal pure override {
        if (!data) super.assertTrue(data, err);
    }

    function assertFalse(bool data, string memory err) internal pure override {
        if (data) super.assertFalse(data, err);
    }

    function assertEq(uint256 left, uint256 right, string memory err) internal pure override {
        if (left != right) super.assertEq(left, right, err);
    }

    function assertLt(uint256 left, uint256 right, string memory err) internal pure override {
        if (left >= right) super.assertLt(left, right, err);
    }

    function assertGt(uint256 left, uint256 right, string memory err) internal pure override {
        if (left <= right) super.assertGt(left, right, err);
    }

    function assertLe(uint256 left, uint256 right, string memory err) internal pure override {
        if (left > right) super.assertLe(left, right, err);
    }

    function assertGe(uint256 left, uint256 right, string memory err) internal pure override {
        if (left < right) super.assertGe(left, right, err);
    }
}
