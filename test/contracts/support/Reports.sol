// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEnergyLedger} from "../../../contracts/interfaces/IEnergyLedger.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ITelemetry} from "../../../contracts/interfaces/ITelemetry.sol";
import {Actions} from "./Actions.sol";

/// @title Signs, packs and posts reports, and reports energy
/// @dev Packing and hashing are written here once more, independently of the contracts.
abstract contract Reports is Actions {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    string private constant REPORT_TYPE =
        "Report(uint32 nodeId,uint32 sequence,uint16 load,uint16 latency,uint32 watts,bool renewable)";

    /// @dev A good report that follows the node's last one: 100 W, nothing renewable.
    function reportOf(uint32 nodeId, uint16 load) internal view returns (ITelemetry.Report memory r) {
        r.nodeId = nodeId;
        r.sequence = telemetry.reportStateOf(nodeId).sequence + 1;
        r.load = load;
        r.latency = 20;
        r.watts = 100;
    }

    /// @dev The energy of a minute: 100 W, nothing renewable.
    function energyOf(uint32 nodeId) internal pure returns (IEnergyLedger.EnergyReport memory r) {
        r.nodeId = nodeId;
        r.period = 60;
        r.joules = 6_000;
        r.method = uint8(IEnergyLedger.Method.Rapl);
        r.version = 1;
    }

    /// @dev The same with one more share, of a lease that ran for all of the period.
    function withShare(
        IEnergyLedger.EnergyReport memory r,
        uint32 leaseId,
        uint40 joules
    ) internal pure returns (IEnergyLedger.EnergyReport memory) {
        IEnergyLedger.Share[] memory shares = new IEnergyLedger.Share[](r.shares.length + 1);
        for (uint256 i; i < r.shares.length; ++i) shares[i] = r.shares[i];
        shares[r.shares.length] = IEnergyLedger.Share(leaseId, r.period, joules);
        r.shares = shares;
        return r;
    }

    /// @dev A node's operator reports its energy.
    function reportEnergy(IEnergyLedger.EnergyReport memory r) internal {
        (, address operator) = nodes.keysOf(r.nodeId);
        vm.prank(operator);
        ledger.report(r);
    }

    function profileOf(uint32 threshold, uint32 most) internal pure returns (INodeRegistry.Profile memory) {
        return INodeRegistry.Profile(INodeRegistry.EnergySource.Grid, threshold, most, "");
    }

    /// @dev The EIP-712 digest for a chain and a contract.
    function digest(ITelemetry.Report memory r, uint256 chainId, address verifier) internal pure returns (bytes32) {
        bytes memory fields = abi.encode(r.nodeId, r.sequence, r.load, r.latency, r.watts, r.renewable);
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, keccak256("DRMP"), keccak256("1"), chainId, verifier));
        bytes32 hash = keccak256(bytes.concat(keccak256(bytes(REPORT_TYPE)), fields));
        return keccak256(bytes.concat(hex"1901", domain, hash));
    }

    function pack(ITelemetry.Report memory r, bytes memory signature) internal pure returns (bytes memory) {
        return bytes.concat(fieldsOf(r), signature);
    }

    function fieldsOf(ITelemetry.Report memory r) internal pure returns (bytes memory) {
        return abi.encodePacked(r.nodeId, r.sequence, r.load, r.latency, r.watts, r.renewable);
    }

    function sign(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, bytes32((uint256(v - 27) << 255) | uint256(s)));
    }

    /// @dev A report as its node's operator signs it.
    function signed(ITelemetry.Report memory r) internal view returns (bytes memory) {
        return pack(r, sign(operatorKey(r.nodeId), digest(r, block.chainid, address(telemetry))));
    }

    function post(bytes memory packed) internal returns (uint256) {
        vm.prank(keeper);
        return telemetry.post(packed);
    }

    /// @dev Posts a report that must be taken.
    function report(ITelemetry.Report memory r) internal {
        assertEq(post(signed(r)), 1, "report taken");
    }

    function report(uint32 nodeId, uint16 load) internal {
        report(reportOf(nodeId, load));
    }

    /// @dev Posts a report that must be refused for this reason and change nothing.
    function refused(ITelemetry.Report memory r, ITelemetry.Refusal reason) internal {
        refused(signed(r), r.nodeId, r.sequence, reason);
    }

    function refused(bytes memory packed, uint32 nodeId, uint32 sequence, ITelemetry.Refusal reason) internal {
        bytes32 before = keccak256(abi.encode(telemetry.reportStateOf(nodeId), telemetry.totals()));
        vm.expectEmit(address(telemetry));
        emit ITelemetry.ReportRefused(nodeId, sequence, reason);
        assertEq(post(packed), 0, "report refused");
        assertEq(keccak256(abi.encode(telemetry.reportStateOf(nodeId), telemetry.totals())), before, "nothing changed");
    }
}
