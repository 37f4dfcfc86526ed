// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "../../support/Base.sol";
import {FairShare} from "../../../../contracts/core/tasks/FairShare.sol";

/// @title Fair shares of a round's units
contract FairShareTest is Base {
    function test_Examples() public pure {
        assertEq(_cut(10, 3, 3, 3), _three(3, 3, 3));
        assertEq(_cut(9, 100, 100, 100), _three(3, 3, 3));
        // What the modest leave is shared by the others; the rest of a division goes to the first.
        assertEq(_cut(10, 100, 1, 100), _three(5, 1, 4));
        assertEq(_cut(12, 2, 4, 100), _three(2, 4, 6));
        assertEq(_cut(3, 100, 100, 100), _three(1, 1, 1));
        assertEq(_cut(4, 100, 100, 100), _three(2, 1, 1));
        // Those whose wish is the equal share leave the rest of its division to the others.
        assertEq(_cut(11, 3, 3, 100), _three(3, 3, 5));
        uint32[] memory none = new uint32[](0);
        FairShare.cut(none, 7);
    }

    /// @notice The defining property, checked without computing a level: nobody gets more than it wants, all units are given
    /// out if they are wanted, and anyone who gets less than it wants has at least as much as anybody, less the rest of a division.
    function testFuzz_MaxMin(uint256 seed, uint256 units) public pure {
        uint32[] memory wanted = new uint32[](1 + (seed % 16));
        units = bound(units, wanted.length, 300);
        uint256 total;
        for (uint256 i; i < wanted.length; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            wanted[i] = uint32(1 + ((word >> 8) % (word & 1 == 0 ? 8 : 400)));
            total += wanted[i];
        }
        uint32[] memory given = abi.decode(abi.encode(wanted), (uint32[]));
        FairShare.cut(given, units);
        uint256 sum;
        uint256 highest;
        for (uint256 i; i < given.length; ++i) {
            assertLe(given[i], wanted[i]);
            assertGe(given[i], 1);
            sum += given[i];
            if (given[i] > highest) highest = given[i];
        }
        assertEq(sum, total < units ? total : units);
        for (uint256 i; i < given.length; ++i) {
            if (given[i] < wanted[i]) assertGe(uint256(given[i]) + 1, highest);
        }
    }

    function _cut(uint256 units, uint32 a, uint32 b, uint32 c) private pure returns (bytes32) {
        uint32[] memory wanted = new uint32[](3);
        (wanted[0], wanted[1], wanted[2]) = (a, b, c);
        FairShare.cut(wanted, units);
        return keccak256(abi.encode(wanted));
    }

    function _three(uint32 a, uint32 b, uint32 c) private pure returns (bytes32) {
        uint32[] memory values = new uint32[](3);
        (values[0], values[1], values[2]) = (a, b, c);
        return keccak256(abi.encode(values));
    }
}
