// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {VRFCoordinatorV2_5Mock} from "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol";
import {Base} from "./Base.sol";
import {AuditEpochs} from "../../../contracts/audits/AuditEpochs.sol";
import {Audits} from "../../../contracts/audits/Audits.sol";
import {Balancer} from "../../../contracts/periphery/balancing/Balancer.sol";
import {CheckpointRegistry} from "../../../contracts/checkpoints/CheckpointRegistry.sol";
import {EnergyLedger} from "../../../contracts/periphery/energy/EnergyLedger.sol";
import {Reassignment} from "../../../contracts/core/reassignment/Reassignment.sol";
import {Parameters} from "../../../contracts/governance/Parameters.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Lens} from "../../../contracts/periphery/Lens.sol";
import {LeaseRegistry} from "../../../contracts/core/leases/LeaseRegistry.sol";
import {ReleaseFees} from "../../../contracts/periphery/releases/ReleaseFees.sol";
import {NodeRegistry} from "../../../contracts/core/nodes/NodeRegistry.sol";
import {HolderPool} from "../../../contracts/core/nodes/HolderPool.sol";
import {Supply} from "../../../contracts/core/nodes/Supply.sol";
import {RoundManager} from "../../../contracts/core/rounds/RoundManager.sol";
import {TaskRegistry} from "../../../contracts/core/tasks/TaskRegistry.sol";
import {Telemetry} from "../../../contracts/periphery/telemetry/Telemetry.sol";
import {VerToken} from "../../../contracts/token/VerToken.sol";
import {PoolOutlet} from "../../../contracts/core/vault/PoolOutlet.sol";
import {Vault} from "../../../contracts/core/vault/Vault.sol";
import {VrfSeeds} from "../../../contracts/core/seeds/VrfSeeds.sol";

/// @title The contracts under test, who's who, and the smallest helpers
abstract contract System is Base {
    /// @dev Where the system is deployed.
    struct Contracts {
        AccessManager manager;
        VerToken ver;
        Parameters parameters;
        Vault vault;
        NodeRegistry nodes;
        Supply supply;
        HolderPool holderPool;
        TaskRegistry tasks;
        LeaseRegistry leases;
        CheckpointRegistry checkpoints;
        ReleaseFees releaseFees;
        VRFCoordinatorV2_5Mock coordinator;
        VrfSeeds seeds;
        RoundManager rounds;
        Telemetry telemetry;
        EnergyLedger ledger;
        Balancer balancer;
        Reassignment reassignment;
        Lens lens;
        Audits audits;
        AuditEpochs auditEpochs;
    }

    uint256 internal constant SUPPLY = 1e27;
    uint256 internal constant MICRO = 1e12;
    /// @dev BASE refuses transactions of more gas than this.
    uint256 internal constant GAS_CAP = 1 << 24;

    uint64 internal constant ROLE_PARAMETERS = 1;
    uint64 internal constant ROLE_GUARDIAN = 2;
    uint64 internal constant ROLE_ARBITER = 3;
    uint32 internal constant PARAMETER_DELAY = 1 hours;

    uint32 internal constant CALLBACK_GAS = 100_000;

    uint8 internal constant CPU_EU = 0;
    uint8 internal constant CPU_US = 1;
    uint8 internal constant GPU_EU = 2;
    uint8 internal constant GPU_US = 3;

    AccessManager internal manager;
    VerToken internal ver;
    Parameters internal parameters;
    Vault internal vault;
    NodeRegistry internal nodes;
    Supply internal supply;
    HolderPool internal holderPool;
    TaskRegistry internal tasks;
    LeaseRegistry internal leases;
    CheckpointRegistry internal checkpoints;
    ReleaseFees internal releaseFees;
    VRFCoordinatorV2_5Mock internal coordinator;
    VrfSeeds internal seeds;
    RoundManager internal rounds;
    Telemetry internal telemetry;
    EnergyLedger internal ledger;
    Balancer internal balancer;
    Reassignment internal reassignment;
    PoolOutlet internal outlet;
    Lens internal lens;
    Audits internal audits;
    AuditEpochs internal auditEpochs;

    address internal governance = makeAddr("governance");
    address internal guardian = makeAddr("guardian");
    address internal arbiter = makeAddr("arbiter");
    address internal keeper = makeAddr("keeper");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");

    function attach(Contracts memory c) internal {
        manager = c.manager;
        ver = c.ver;
        parameters = c.parameters;
        vault = c.vault;
        nodes = c.nodes;
        supply = c.supply;
        holderPool = c.holderPool;
        tasks = c.tasks;
        leases = c.leases;
        checkpoints = c.checkpoints;
        releaseFees = c.releaseFees;
        coordinator = c.coordinator;
        seeds = c.seeds;
        rounds = c.rounds;
        telemetry = c.telemetry;
        ledger = c.ledger;
        balancer = c.balancer;
        reassignment = c.reassignment;
        lens = c.lens;
        audits = c.audits;
        auditEpochs = c.auditEpochs;
    }

    function contracts() internal view returns (Contracts memory c) {
        c.manager = manager;
        c.ver = ver;
        c.parameters = parameters;
        c.vault = vault;
        c.nodes = nodes;
        c.supply = supply;
        c.holderPool = holderPool;
        c.tasks = tasks;
        c.leases = leases;
        c.checkpoints = checkpoints;
        c.releaseFees = releaseFees;
        c.coordinator = coordinator;
        c.seeds = seeds;
        c.rounds = rounds;
        c.telemetry = telemetry;
        c.ledger = ledger;
        c.balancer = balancer;
        c.reassignment = reassignment;
        c.lens = lens;
        c.audits = audits;
        c.auditEpochs = auditEpochs;
    }

    /// @dev Sets a parameter as governance does, but without waiting.
    function setParam(Param p, uint64 value) internal {
        parameters.set(p, value);
        telemetry.refresh();
    }

    function param(Param p) internal view returns (uint256) {
        return parameters.get(p);
    }

    /// @dev Gives `to` VER and lets the vault take it.
    function fund(address to, uint256 amount) internal {
        ver.transfer(to, amount);
        vm.prank(to);
        ver.approve(address(vault), type(uint256).max);
    }
}
