// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {INodeRegistry} from "../../../../contracts/interfaces/INodeRegistry.sol";
import {ITelemetry} from "../../../../contracts/interfaces/ITelemetry.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title A wallet that accepts what its key signed, in the 64 bytes of ERC-2098
contract Wallet is IERC1271 {
    address private immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 vs = bytes32(signature[32:64]);
        uint8 v = uint8(uint256(vs) >> 255) + 27;
        address signer = ecrecover(hash, v, bytes32(signature[0:32]), vs & bytes32(type(uint256).max >> 1));
        return signer == KEY ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title An operator that burns all the gas that it is given, once it has been named
contract Burner is IERC1271 {
    bool private burning;

    function burn() external {
        burning = true;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        while (burning && gasleft() != 0) {}
        return IERC1271.isValidSignature.selector;
    }
}

/// @title Reports of nodes whose operator is a contract
contract ContractOperatorsTest is Fixture, Reports {
    function setUp() public override {
        super.setUp();
        for (uint32 i; i < 3; ++i) register(alice, CPU_EU, 4, 10);
        vm.warp(block.timestamp + 60);
    }

    function test_WalletReports() public {
        Wallet wallet = new Wallet(operatorOf(1));
        bytes32 consent = consentDigest(alice, address(wallet), block.timestamp);
        _setOperator(1, address(wallet), sign(operatorKey(1), consent));
        ITelemetry.Report memory r = _next(1);
        assertEq(post(signed(r)), 1, "its key signed");
        assertEq(telemetry.reportStateOf(1).load, r.load);
        vm.warp(block.timestamp + 60);
        ++r.sequence;
        bytes memory foreign = pack(r, sign(operatorKey(2), digest(r, block.chainid, address(telemetry))));
        refused(foreign, 1, r.sequence, ITelemetry.Refusal.BadSignature);
    }

    /// @notice What an operator does with its gas costs its own report, not those of others in the batch.
    function test_BurnerSpoilsNothing() public {
        Burner burner = new Burner();
        _setOperator(1, address(burner), "");
        burner.burn();
        bytes memory batch = bytes.concat(signed(_next(1)), signed(reportOf(2, 5_000)), signed(reportOf(3, 5_000)));
        uint256 before = gasleft();
        assertEq(post(batch), 2);
        assertLt(before - gasleft(), 600_000);
    }

    /// @notice A wallet that did not agree is nobody's operator.
    function test_WalletDoesNotConsent() public {
        Wallet wallet = new Wallet(operatorOf(1));
        bytes32 other = consentDigest(bob, address(wallet), block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoConsent.selector, address(wallet), alice));
        _setOperator(1, address(wallet), sign(operatorKey(1), other));
    }

    function _setOperator(uint32 nodeId, address operator, bytes memory signature) private {
        vm.prank(alice);
        nodes.setOperator(nodeId, INodeRegistry.Consent(operator, block.timestamp, signature));
    }

    /// @dev The first report of the node's second key.
    function _next(uint32 nodeId) private view returns (ITelemetry.Report memory r) {
        r = reportOf(nodeId, 5_000);
        r.sequence = uint32((1 << telemetry.KEY_SHIFT()) + 1);
    }
}
