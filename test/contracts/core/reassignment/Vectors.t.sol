// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Failures} from "../../support/Failures.sol";

/// @title Batches drawn in TypeScript (test/vectors/reassignment.json), drawn by the contracts
contract ReassignmentVectorsTest is Failures {
    string private json;
    string private at;

    function test_Batches() public {
        json = vm.readFile("test/vectors/reassignment.json");
        // Every node of the vectors is fit.
        setParam(Param.BalanceBand, 5_000);
        setParam(Param.LoadFloor, 2_000);
        uint256 i;
        for (; vm.keyExistsJson(json, string.concat("$.batches[", vm.toString(i), "].word")); ++i) {
            at = string.concat("$.batches[", vm.toString(i), "].");
            uint256 fresh = vm.snapshotState();
            uint32 failed = _lose();
            _market();
            for (uint32 id = 1; id <= failed; ++id) {
                if (block.timestamp <= leases.lease(id).due) vm.warp(uint256(leases.lease(id).due) + 1);
                leases.expire(id);
            }
            openBatch();
            assertEq(fulfilBatch(_number("word")), vm.parseJsonBytes32(json, string.concat(at, "seed")), "seed");
            // In parts or at once: nobody can change what is drawn.
            if (i % 2 == 0) reassignment.draw(100);
            else while (reassignment.draw(1) != 0) {}
            _compare(failed);
            vm.revertToState(fresh);
        }
        assertGt(i, 5);
    }

    function _lose() private returns (uint32 failed) {
        uint256[] memory units = vm.parseJsonUintArray(json, string.concat(at, "failed"));
        uint256[] memory wide = vm.parseJsonUintArray(json, string.concat(at, "classIds"));
        uint8[] memory classIds = new uint8[](wide.length);
        for (uint256 k; k < wide.length; ++k) classIds[k] = uint8(wide[k]);
        uint256[] memory surcharges = vm.parseJsonUintArray(json, string.concat(at, "surcharges"));
        for (uint256 k; k < surcharges.length; ++k) surcharges[k] *= MICRO;
        for (uint256 i; i < units.length; ++i) {
            ITaskRegistry.Submission memory s = submission(uint32(units[i]), _number("maxPrice"), classIds);
            s.surcharges = surcharges;
            leaseOn(uint32(units[i]), s);
        }
        return uint32(units.length);
    }

    function _market() private {
        uint32 first = nodes.nodeCount() + 1;
        uint256 count;
        for (; _has("nodes", count, "tick"); ++count) {
            register(
                vm.parseJsonBool(json, _key("nodes", count, "kin")) ? carol : alice,
                uint8(_number("nodes", count, "classId")),
                uint32(_number("nodes", count, "capacity")),
                _number("nodes", count, "tick")
            );
        }
        vm.warp(block.timestamp + 61);
        for (uint32 i; i < count; ++i) {
            report(first + i, uint16(_number("nodes", i, "load")), uint16(_number("nodes", i, "latency")));
            assertFalse(nodes.node(first + i).ineligible, "fit");
        }
    }

    function _compare(uint32 failed) private view {
        uint256 i;
        for (; _has("drawn", i, "leaseId"); ++i) {
            ILeaseRegistry.Lease memory held = leases.lease(uint32(failed + 1 + i));
            assertEq(held.parent, _number("drawn", i, "leaseId"), "parent");
            assertEq(held.nodeId, _number("drawn", i, "nodeId"), "node");
            assertEq(held.start, _number("drawn", i, "start"), "start");
            assertEq(held.count, _number("drawn", i, "count"), "count");
            assertEq(held.fence, 2, "fence");
        }
        assertEq(leases.leaseCount(), failed + i, "leases");
    }

    function _number(string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, field));
    }

    function _number(string memory list_, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _key(list_, i, field));
    }

    function _has(string memory list_, uint256 i, string memory field) private view returns (bool) {
        return vm.keyExistsJson(json, _key(list_, i, field));
    }

    function _key(string memory list_, uint256 i, string memory field) private view returns (string memory) {
        return string.concat(at, list_, "[", vm.toString(i), "].", field);
    }
}
