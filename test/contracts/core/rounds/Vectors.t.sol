// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reference} from "../../support/Reference.sol";

/// @title Rounds planned in TypeScript (test/vectors/rounds.json), settled by the contracts
contract VectorsTest is Fixture {
    string private json;
    string private at;

    function test_Rounds() public {
        json = vm.readFile("test/vectors/rounds.json");
        uint256 i;
        for (; vm.keyExistsJson(json, string.concat("$.rounds[", vm.toString(i), "].post")); ++i) {
            at = string.concat("$.rounds[", vm.toString(i), "].");
            uint256 fresh = vm.snapshotState();
            _nodes();
            _tasks();
            openRound();
            assertEq(fulfil(_number("word")), vm.parseJsonBytes32(json, string.concat(at, "seed")), "seed");
            Reference.Instance memory p = instance();
            uint256 least = Reference.solve(p).cost;
            settle(vm.parseJsonBytes(json, string.concat(at, "post")));
            _leases();
            assertEq(_cost(p), least, "cost of the leases");
            vm.revertToState(fresh);
        }
        assertGt(i, 10);
    }

    function _nodes() private {
        for (uint256 i; _has("nodes", i, "tick"); ++i) {
            register(
                alice,
                uint8(_number("nodes", i, "classId")),
                uint32(_number("nodes", i, "capacity")),
                _number("nodes", i, "tick")
            );
        }
    }

    function _tasks() private {
        for (uint256 i; _has("tasks", i, "units"); ++i) {
            uint256[] memory wide = vm.parseJsonUintArray(json, _key("tasks", i, "classIds"));
            uint8[] memory classIds = new uint8[](wide.length);
            for (uint256 k; k < wide.length; ++k) classIds[k] = uint8(wide[k]);
            ITaskRegistry.Submission memory s = submission(
                uint32(_number("tasks", i, "units")),
                _number("tasks", i, "maxPrice"),
                classIds
            );
            s.surcharges = vm.parseJsonUintArray(json, _key("tasks", i, "surcharges"));
            for (uint256 k; k < s.surcharges.length; ++k) s.surcharges[k] *= MICRO;
            submit(bob, s);
        }
    }

    function _leases() private view {
        uint256 i;
        for (; _has("leases", i, "price"); ++i) {
            ILeaseRegistry.Lease memory held = leases.lease(uint32(i + 1));
            assertEq(held.taskId, _number("leases", i, "taskId"), "task");
            assertEq(held.nodeId, _number("leases", i, "nodeId"), "node");
            assertEq(held.start, _number("leases", i, "start"), "start");
            assertEq(held.count, _number("leases", i, "count"), "count");
            assertEq(held.price, _number("leases", i, "price"), "price");
        }
        assertEq(leases.leaseCount(), i, "leases");
    }

    /// @dev Objective of what was granted, from the leases alone.
    function _cost(Reference.Instance memory p) private view returns (uint256 total) {
        for (uint256 t; t < p.tasks.length; ++t) {
            uint256 open = p.tasks[t].demand;
            for (uint32 id = 1; id <= leases.leaseCount(); ++id) {
                ILeaseRegistry.Lease memory held = leases.lease(id);
                if (held.taskId != p.tasks[t].id) continue;
                open -= held.count;
                uint8 classId = nodes.node(held.nodeId).classId;
                uint256 f;
                while (p.classes[p.tasks[t].columns[f]].id != classId) ++f;
                total += held.count * (uint256(held.price) * 1024 + Reference.surcharge(p, t, f));
            }
            total += open * (p.tasks[t].maxPrice * 1024 + 1023);
        }
    }

    function _number(string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(at, field));
    }

    function _number(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _key(list, i, field));
    }

    function _has(string memory list, uint256 i, string memory field) private view returns (bool) {
        return vm.keyExistsJson(json, _key(list, i, field));
    }

    function _key(string memory list, uint256 i, string memory field) private view returns (string memory) {
        return string.concat(at, list, "[", vm.toString(i), "].", field);
    }
}
