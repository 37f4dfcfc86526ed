// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "../support/Base.sol";
import {AuditDraw} from "../../../contracts/audits/AuditDraw.sol";
import {TraceTree} from "../../../contracts/audits/TraceTree.sol";
import {Link} from "../../../contracts/types/Link.sol";

/// @title Traces, links and draws of audits, held to the same values as packages/protocol/audits
contract AuditWordsTest is Base {
    string private json;

    function setUp() public {
        json = vm.readFile("test/vectors/audits.json");
    }

    function test_Traces() public view {
        uint256 opened;
        for (uint256 i; vm.keyExistsJson(json, _at("$.traces", i)); ++i) {
            string memory trace = _at("$.traces", i);
            bytes32 root = _word(trace, ".root");
            for (uint256 k; vm.keyExistsJson(json, _at(string.concat(trace, ".openings"), k)); (++k, ++opened)) {
                string memory key = _at(string.concat(trace, ".openings"), k);
                TraceTree.Opening memory o = _opening(string.concat(key, ".opened"));
                assertEq(TraceTree.answer(o), _word(key, ".answer"));
                uint256 probe = _number(key, ".probe");
                assertEq(_root(o, probe, key), root);
                // Nothing else is proved by the same paths.
                assertNotEq(_root(o, probe + 1, key), root);
                ++o.count;
                assertNotEq(_root(o, probe, key), root);
                --o.count;
                ++o.units;
                assertNotEq(_root(o, probe, key), root);
                --o.units;
                ++o.endStep;
                assertNotEq(_root(o, probe, key), root);
            }
        }
        assertEq(opened, 12);
    }

    function test_Links() public view {
        bytes32 head;
        uint256 i;
        for (; vm.keyExistsJson(json, _at("$.links", i)); ++i) {
            string memory key = _at("$.links", i);
            Link memory link = Link({
                sequence: uint32(_number(key, ".link.sequence")),
                digest: _word(key, ".link.digest"),
                traceRoot: _word(key, ".link.traceRoot"),
                progress: uint40(_number(key, ".link.progress")),
                at: uint40(_number(key, ".link.at")),
                codec: uint16(_number(key, ".link.codec")),
                size: uint64(_number(key, ".link.size"))
            });
            head = link.headAfter(head);
            assertEq(link.hash(), _word(key, ".hash"));
            assertEq(head, _word(key, ".head"));
        }
        assertEq(i, 3);
    }

    function test_Draws() public view {
        uint256 i;
        for (; vm.keyExistsJson(json, _at("$.draws", i)); ++i) {
            string memory key = _at("$.draws", i);
            bytes32 salt = AuditDraw.salt(
                _word(key, ".seed"),
                uint32(_number(key, ".leaseId")),
                uint32(_number(key, ".sequence"))
            );
            assertEq(salt, _word(key, ".salt"));
            assertEq(
                AuditDraw.isDrawn(salt, _number(key, ".chance")),
                vm.parseJsonBool(json, string.concat(key, ".drawn"))
            );
            (uint32 position, uint256 acceptance) = AuditDraw.candidate(
                salt,
                uint32(_number(key, ".positions")),
                uint16(_number(key, ".candidate"))
            );
            assertEq(position, _number(key, ".position"));
            assertEq(acceptance, _number(key, ".acceptance"));
            assertEq(AuditDraw.unitAt(salt, uint32(_number(key, ".units"))), _number(key, ".unit"));
            uint32 leaves = uint32(_number(key, ".leaves"));
            assertEq(AuditDraw.probeAt(salt, uint16(_number(key, ".question")), leaves), _number(key, ".probe"));
        }
        assertEq(i, 24);
    }

    function _opening(string memory key) private view returns (TraceTree.Opening memory o) {
        o.units = uint32(_number(key, ".units"));
        o.place = uint32(_number(key, ".place"));
        o.unit = uint24(_number(key, ".unit"));
        o.count = uint32(_number(key, ".count"));
        o.probeStep = uint64(_number(key, ".probe.step"));
        o.probeDigest = _word(key, ".probe.digest");
        o.endStep = uint64(_number(key, ".end.step"));
        o.endDigest = _word(key, ".end.digest");
    }

    function _root(TraceTree.Opening memory o, uint256 probe, string memory key) private view returns (bytes32) {
        return
            TraceTree.rootOf(
                o,
                probe,
                TraceTree.Paths({
                    probe: vm.parseJsonBytes32Array(json, string.concat(key, ".opened.probePath")),
                    end: vm.parseJsonBytes32Array(json, string.concat(key, ".opened.endPath")),
                    unit: vm.parseJsonBytes32Array(json, string.concat(key, ".opened.unitPath"))
                })
            );
    }

    function _at(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }

    function _number(string memory key, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(key, field));
    }

    function _word(string memory key, string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(key, field));
    }
}
