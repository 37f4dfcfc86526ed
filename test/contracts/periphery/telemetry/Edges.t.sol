// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title An operator that accepts whatever it is shown
contract Accepting is IERC1271 {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }
}

/// @title One that reverts with the very word by which it would accept
contract Reverting {
    function isValidSignature(bytes32, bytes calldata) external pure {
        bytes32 answer = bytes32(IERC1271.isValidSignature.selector);
        // solhint-disable-next-line no-inline-assembly
        assembly {
            mstore(0, answer)
            revert(0, 32)
        }
    }
}

/// @title One that answers with the four bytes alone, which is no word
contract Short {
    function isValidSignature(bytes32, bytes calldata) external pure {
        bytes32 answer = bytes32(IERC1271.isValidSignature.selector);
        // solhint-disable-next-line no-inline-assembly
        assembly {
            mstore(0, answer)
            return(0, 4)
        }
    }
}

/// @title Reports at the edge of what is taken, and what they change to the unit
contract TelemetryEdgesTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 3; ++i) register(alice, CPU_EU, 4, 10 + i);
        vm.warp(block.timestamp + 2 hours);
    }

    function test_Renewable() public {
        ITelemetry.Report memory r = reportOf(1, 100);
        r.renewable = true;
        report(r);
        report(2, 100);
        assertTrue(telemetry.reportStateOf(1).renewable);
        assertFalse(telemetry.reportStateOf(2).renewable);
        assertEq(telemetry.totals().renewableNodes, 1);
    }

    /// @notice What was taken is told whole, in the order of the batch.
    function test_ThreeInABatch() public {
        bytes memory fields = bytes.concat(
            fieldsOf(reportOf(1, 100)),
            fieldsOf(reportOf(2, 200)),
            fieldsOf(reportOf(3, 300))
        );
        bytes memory batch = bytes.concat(signed(reportOf(1, 100)), signed(reportOf(2, 200)), signed(reportOf(3, 300)));
        vm.expectEmit(address(telemetry));
        emit ITelemetry.Reported(keeper, 0, fields);
        assertEq(post(batch), 3);
    }

    function test_ReportStatePage() public {
        report(2, 200);
        report(3, 300);
        ITelemetry.ReportState[] memory page = telemetry.reportStatePage(2, 2);
        assertEq(page.length, 2);
        assertEq(page[0].load, 200);
        assertEq(page[1].load, 300);
    }

    /// @notice Both of the last two reports must be above the threshold, which is 300 W.
    function test_ThrottleNeedsTwoAbove() public {
        _power(1, 300);
        _power(1, 301);
        vm.expectRevert(abi.encodeWithSelector(ITelemetry.PowerWithinThreshold.selector, 1, 301, 300, 300));
        telemetry.throttle(1);
    }

    /// @notice Who changes nothing pays nothing and gets nothing, and no event says that it did.
    function test_PrepayTheSameAgain() public {
        fund(alice, 600 * MICRO);
        vm.startPrank(alice);
        telemetry.prepay(1, 2, 300);
        vm.recordLogs();
        telemetry.prepay(1, 3, 200);
        assertEq(vm.getRecordedLogs().length, 1, "ReportsPrepaid alone");
        vm.stopPrank();
        assertEq(vault.claimable(address(telemetry)), 600 * MICRO);
    }

    /// @notice Half of an odd interval is rounded down: who reports then pays.
    function test_HalfOfAnOddInterval() public {
        setParam(Param.ReportInterval, 61);
        fund(alice, 600 * MICRO);
        vm.prank(alice);
        telemetry.prepay(1, 2, 300);
        report(1, 1);
        vm.warp(block.timestamp + 29);
        report(1, 1);
        assertEq(telemetry.reportStateOf(1).prepaid, 1);
        vm.warp(block.timestamp + 30);
        report(1, 1);
        assertEq(telemetry.reportStateOf(1).prepaid, 0);
    }

    function test_HighestLatencyOfAClass() public {
        telemetry.setMaxLatency(CPU_EU, 60_000);
        assertEq(telemetry.maxLatencyOf(CPU_EU), 60_000);
        telemetry.setMaxLatency(CPU_EU, 600);
        assertTrue(_isFitAt(600));
        assertFalse(_isFitAt(601));
    }

    /// @notice A class's bound below that of all counts, also after another class was given a higher one.
    function test_LatencyBelowThatOfAll() public {
        telemetry.setMaxLatency(CPU_EU, 100);
        assertTrue(_isFitAt(100));
        assertFalse(_isFitAt(101));
        telemetry.setMaxLatency(CPU_US, 600);
        assertTrue(_isFitAt(100));
        assertFalse(_isFitAt(101));
    }

    /// @notice Parameters hold for an hour, to the second.
    function test_ParametersAreReadAgainAfterAnHour() public {
        telemetry.refresh();
        uint256 read = block.timestamp;
        parameters.set(Param.MaxLatency, 100);
        vm.warp(read + 1 hours);
        assertTrue(_isFitAt(101));
        vm.warp(read + 1 hours + 1);
        assertFalse(_isFitAt(101));
    }

    /// @notice An operator that is a contract accepts with a word that it returns, and with nothing else.
    function test_AnswersThatAcceptNothing() public {
        address operator = address(new Accepting());
        _setOperator(operator);
        ITelemetry.Report memory r = reportOf(1, 100);
        r.sequence = (1 << 24) + 1;
        vm.etch(operator, address(new Reverting()).code);
        refused(r, ITelemetry.Refusal.BadSignature);
        vm.etch(operator, address(new Short()).code);
        refused(r, ITelemetry.Refusal.BadSignature);
        vm.etch(operator, address(new Accepting()).code);
        report(r);
    }

    /// @notice A signature counts with an s of half the order, and with none above it.
    function test_HighestS() public {
        bytes32 half = bytes32(uint256(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0));
        assertEq(_postSigned(half), 1);
        assertEq(_postSigned(bytes32(uint256(half) + 1)), 0);
    }

    /// @dev A report with this s, of an operator whose key nobody knows: it is the one that the signature recovers to. It
    /// agreed to its node while it was a contract.
    function _postSigned(bytes32 s) private returns (uint256) {
        ITelemetry.Report memory r = reportOf(1, 100);
        r.sequence = ((r.sequence >> 24) + 1) << 24;
        // The x of secp256k1's generator.
        bytes32 x = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;
        address operator = ecrecover(digest(r, block.chainid, address(telemetry)), 27, x, s);
        assertNotEq(operator, address(0));
        vm.etch(operator, address(new Accepting()).code);
        _setOperator(operator);
        vm.etch(operator, "");
        return post(pack(r, abi.encodePacked(x, s)));
    }

    function _setOperator(address operator) private {
        vm.prank(alice);
        nodes.setOperator(1, INodeRegistry.Consent(operator, block.timestamp, ""));
    }

    function _isFitAt(uint16 latency) private returns (bool) {
        ITelemetry.Report memory r = reportOf(1, 100);
        r.latency = latency;
        report(r);
        return !nodes.node(1).ineligible;
    }

    function _power(uint32 nodeId, uint32 watts) private {
        ITelemetry.Report memory r = reportOf(nodeId, 100);
        r.watts = watts;
        report(r);
        vm.warp(block.timestamp + 60);
    }
}
