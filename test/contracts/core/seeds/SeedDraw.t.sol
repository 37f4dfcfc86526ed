// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "../../support/Base.sol";
import {SeedDraw} from "../../../../contracts/core/seeds/SeedDraw.sol";

/// @title The draws, held to the same values as packages/protocol/vrf/draws.ts
contract SeedDrawTest is Base {
    string private json;

    function setUp() public {
        json = vm.readFile("test/vectors/draws.json");
    }

    function test_Dither() public view {
        uint256 i;
        for (; _has("dither", i); ++i) {
            bytes32 seed = vm.parseJsonBytes32(json, _key("dither", i, "seed"));
            uint256 drawn = SeedDraw.dither(
                seed,
                uint32(_number("dither", i, "taskId")),
                uint8(_number("dither", i, "classId"))
            );
            assertEq(drawn, _number("dither", i, "value"));
        }
        assertGt(i, 5);
    }

    function test_FillStart() public view {
        uint256 i;
        for (; _has("fillStart", i); ++i) {
            bytes32 seed = vm.parseJsonBytes32(json, _key("fillStart", i, "seed"));
            uint256 drawn = SeedDraw.fillStart(
                seed,
                uint8(_number("fillStart", i, "classId")),
                _number("fillStart", i, "count")
            );
            assertEq(drawn, _number("fillStart", i, "value"));
        }
        assertGt(i, 5);
    }

    function test_NodeOrder() public view {
        uint256 i;
        for (; _has("nodeOrder", i); ++i) {
            bytes32 seed = vm.parseJsonBytes32(json, _key("nodeOrder", i, "seed"));
            uint256 drawn = SeedDraw.nodeOrder(seed, uint32(_number("nodeOrder", i, "nodeId")));
            assertEq(drawn, _number("nodeOrder", i, "value"));
        }
        assertGt(i, 5);
    }

    function _has(string memory list, uint256 i) private view returns (bool) {
        return vm.keyExistsJson(json, _key(list, i, "seed"));
    }

    function _number(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _key(list, i, field));
    }

    function _key(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat("$.", list, "[", vm.toString(i), "].", field);
    }
}
