// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {VRFCoordinatorV2_5Mock} from "@chainlink/contracts/src/v0.8/vrf/mocks/VRFCoordinatorV2_5Mock.sol";
import {AuditEpochs} from "../../../contracts/audits/AuditEpochs.sol";
import {Audits} from "../../../contracts/audits/Audits.sol";
import {Balancer} from "../../../contracts/periphery/balancing/Balancer.sol";
import {CheckpointRegistry} from "../../../contracts/checkpoints/CheckpointRegistry.sol";
import {EnergyLedger} from "../../../contracts/periphery/energy/EnergyLedger.sol";
import {Reassignment} from "../../../contracts/core/reassignment/Reassignment.sol";
import {Parameters} from "../../../contracts/governance/Parameters.sol";
import {IAuditEpochs} from "../../../contracts/interfaces/IAuditEpochs.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {IParameters, Param} from "../../../contracts/interfaces/IParameters.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {IVrfSeeds} from "../../../contracts/interfaces/IVrfSeeds.sol";
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
import {Actions} from "./Actions.sol";
import {System} from "./System.sol";

/// @title Deploys the whole system, wires it and hands its roles out
abstract contract Deploying is System {
    /// @param uptimeFeed The feed of the sequencer's uptime; none if zero.
    function deploySystem(AggregatorV3Interface uptimeFeed) internal {
        manager = AccessManager(_deploy("AccessManager", abi.encode(address(this))));
        ver = VerToken(_deploy("VerToken", abi.encode(manager, SUPPLY, address(this), SUPPLY / 2)));
        parameters = Parameters(_deploy("Parameters", abi.encode(manager, initialParameters())));
        vault = Vault(_deploy("Vault", abi.encode(ver)));
        holderPool = HolderPool(_deploy("HolderPool", ""));
        supply = Supply(_deploy("Supply", abi.encode(manager, vault, parameters, holderPool)));
        holderPool.initialise(address(supply));
        nodes = NodeRegistry(_deploy("NodeRegistry", abi.encode(vault, parameters, supply)));
        tasks = TaskRegistry(_deploy("TaskRegistry", abi.encode(vault, parameters, supply)));
        leases = LeaseRegistry(
            _deploy(
                "LeaseRegistry",
                abi.encode(manager, vault, parameters, nodes, supply, holderPool, tasks, uptimeFeed)
            )
        );
        ledger = EnergyLedger(_deploy("EnergyLedger", abi.encode(manager, parameters, nodes, supply, leases)));
        telemetry = Telemetry(_deploy("Telemetry", abi.encode(manager, vault, parameters, nodes, supply)));
        checkpoints = CheckpointRegistry(
            _deploy("CheckpointRegistry", abi.encode(leases, tasks, nodes, holderPool, telemetry))
        );
        releaseFees = ReleaseFees(
            _deploy("ReleaseFees", abi.encode(vault, parameters, nodes, supply, tasks, leases, checkpoints))
        );
        _deploySeeds();
        balancer = Balancer(
            _deploy("Balancer", abi.encode(parameters, supply, tasks, leases, telemetry, ledger, releaseFees))
        );
        reassignment = Reassignment(
            _deploy("Reassignment", abi.encode(parameters, nodes, supply, tasks, leases, seeds, telemetry))
        );
        rounds = RoundManager(
            _deploy("RoundManager", abi.encode(vault, parameters, supply, tasks, leases, seeds, reassignment))
        );

        lens = Lens(_deploy("Lens", abi.encode(leases, nodes, checkpoints, tasks, telemetry)));
        _deployAudits();
        outlet = PoolOutlet(_deploy("PoolOutlet", abi.encode(manager, vault)));

        vault.initialise(
            IVault.Modules({
                nodes: address(nodes),
                supply: address(supply),
                tasks: address(tasks),
                leases: address(leases),
                rounds: address(rounds),
                outlet: address(outlet),
                releaseFees: address(releaseFees),
                telemetry: address(telemetry),
                audits: address(audits)
            })
        );
        supply.initialise(
            ISupply.Modules({
                nodes: address(nodes),
                rounds: address(rounds),
                leases: address(leases),
                telemetry: address(telemetry),
                reassignment: address(reassignment),
                releaseFees: address(releaseFees)
            })
        );
        tasks.initialise(address(rounds), address(leases), address(reassignment));
        leases.initialise(
            ILeaseRegistry.Modules({
                rounds: address(rounds),
                checkpoints: address(checkpoints),
                telemetry: address(telemetry),
                balancer: address(balancer),
                reassignment: address(reassignment),
                releaseFees: address(releaseFees),
                audits: address(audits)
            })
        );
        nodes.initialise(address(audits));
        seeds.initialise(address(rounds), address(reassignment), address(auditEpochs));
        telemetry.initialise(address(balancer));
        supply.addClasses(initialClasses());
        _handOutRoles();

        ver.approve(address(vault), type(uint256).max);
        vault.fundBountyPool(1_000 ether);
    }

    /// @dev The parameters that nearly all tests run with, in the order of {Param}.
    function initialParameters() internal pure returns (IParameters.Bounded[] memory b) {
        b = new IParameters.Bounded[](uint256(type(Param).max) + 1);
        b[uint256(Param.StakePerUnit)] = IParameters.Bounded(10_000_000, 1_000_000, 1e11);
        b[uint256(Param.UnbondingPeriod)] = IParameters.Bounded(7 days, 1 hours, 60 days);
        b[uint256(Param.FeeBps)] = IParameters.Bounded(200, 0, 1_000);
        b[uint256(Param.RoundInterval)] = IParameters.Bounded(4, 2, 3_600);
        b[uint256(Param.RoundMaxTasks)] = IParameters.Bounded(16, 1, 128);
        b[uint256(Param.RoundMaxUnits)] = IParameters.Bounded(192, 1, 256);
        b[uint256(Param.SeedTimeout)] = IParameters.Bounded(60, 30, 1 days);
        b[uint256(Param.SettleTimeout)] = IParameters.Bounded(120, 60, 1 days);
        b[uint256(Param.LeaseGrace)] = IParameters.Bounded(30, 10, 1 days);
        b[uint256(Param.MinCheckpointInterval)] = IParameters.Bounded(10, 1, 1 hours);
        b[uint256(Param.MaxCheckpointInterval)] = IParameters.Bounded(1 days, 1 hours, 7 days);
        b[uint256(Param.MinLeaseTime)] = IParameters.Bounded(60, 10, 7 days);
        b[uint256(Param.DisputeWindow)] = IParameters.Bounded(1 hours, 10, 3 days);
        b[uint256(Param.ArbitrationTimeout)] = IParameters.Bounded(2 hours, 20, 3 days);
        b[uint256(Param.DisputeBondBps)] = IParameters.Bounded(1_000, 100, 10_000);
        b[uint256(Param.SlashBps)] = IParameters.Bounded(500, 0, 10_000);
        b[uint256(Param.Cooldown)] = IParameters.Bounded(10 minutes, 10, 7 days);
        b[uint256(Param.RoundBounty)] = IParameters.Bounded(500_001, 0, 1e8);
        b[uint256(Param.ExpireBounty)] = IParameters.Bounded(500_000, 0, 1e8);
        b[uint256(Param.ReportInterval)] = IParameters.Bounded(60, 5, 1 hours);
        b[uint256(Param.ReportTimeout)] = IParameters.Bounded(12 hours, 15, 12 hours);
        b[uint256(Param.BalanceBand)] = IParameters.Bounded(1_000, 100, 5_000);
        b[uint256(Param.MoveCooldown)] = IParameters.Bounded(10 minutes, 10, 1 days);
        b[uint256(Param.MoveGrace)] = IParameters.Bounded(2 minutes, 10, 1 hours);
        b[uint256(Param.MaxLatency)] = IParameters.Bounded(500, 10, 60_000);
        b[uint256(Param.BaselinePue)] = IParameters.Bounded(15_600, 10_000, 20_000);
        b[uint256(Param.SubmissionFee)] = IParameters.Bounded(10_000, 0, 1e7);
        b[uint256(Param.LatencyFloor)] = IParameters.Bounded(50, 1, 1_000);
        b[uint256(Param.MaxReassignments)] = IParameters.Bounded(32, 2, 64);
        b[uint256(Param.OutageGrace)] = IParameters.Bounded(1 hours, 1 minutes, 1 days);
        // None, so that small loads show what the average does.
        b[uint256(Param.LoadFloor)] = IParameters.Bounded(0, 0, 9_000);
        b[uint256(Param.MaxTaskTime)] = IParameters.Bounded(365 days, 30 days, 1_095 days);
        // None, so that fees show what they are; tests of what a round costs its tasks set it.
        b[uint256(Param.SeedPrice)] = IParameters.Bounded(0, 0, 1e6);
        // None: most tests give leases back to show something else. {Actions.chargeReleases} sets what chains have.
        b[uint256(Param.ReleaseFee)] = IParameters.Bounded(0, 0, 1e8);
        b[uint256(Param.ReleaseUnitFee)] = IParameters.Bounded(0, 0, 1e7);
        b[uint256(Param.ReleaseBar)] = IParameters.Bounded(0, 0, 1 days);
        b[uint256(Param.ReleaseMemory)] = IParameters.Bounded(1 days, 1 days, 30 days);
    }

    function initialClasses() internal pure returns (ISupply.Class[] memory c) {
        c = new ISupply.Class[](4);
        c[CPU_EU] = ISupply.Class("cpu/eu", 1_000);
        c[CPU_US] = ISupply.Class("cpu/us", 1_000);
        c[GPU_EU] = ISupply.Class("gpu-80g/eu", 1_500);
        c[GPU_US] = ISupply.Class("gpu-80g/us", 7);
    }

    function _deployAudits() private {
        IAuditEpochs.Terms memory terms = IAuditEpochs.Terms({
            epoch: 5 minutes,
            openTime: 30 minutes,
            step: 5 minutes,
            chance: 100,
            newChance: 1_000,
            loss: 5_000,
            panelOwners: 5
        });
        AuditEpochs.Contracts memory under = AuditEpochs.Contracts({
            parameters: parameters,
            nodes: nodes,
            supply: supply,
            holders: holderPool,
            reports: telemetry,
            seeds: seeds,
            tasks: tasks,
            leases: leases,
            checkpoints: checkpoints
        });
        auditEpochs = AuditEpochs(_deploy("AuditEpochs", abi.encode(manager, under, terms)));
        audits = Audits(
            _deploy(
                "Audits",
                abi.encode(
                    Audits.Contracts({
                        vault: vault,
                        nodes: nodes,
                        tasks: tasks,
                        leases: leases,
                        checkpoints: checkpoints,
                        epochs: auditEpochs
                    })
                )
            )
        );
    }

    function _deploySeeds() private {
        coordinator = VRFCoordinatorV2_5Mock(_deploy("VRFCoordinatorV2_5Mock", abi.encode(1e9, 1e9, 1e15)));
        uint256 subscription = coordinator.createSubscription();
        coordinator.fundSubscription(subscription, 1e27);
        IVrfSeeds.Config memory config = IVrfSeeds.Config({
            keyHash: bytes32(uint256(1)),
            subscriptionId: subscription,
            callbackGasLimit: CALLBACK_GAS,
            confirmations: 3,
            nativePayment: false
        });
        seeds = VrfSeeds(_deploy("VrfSeeds", abi.encode(coordinator, config)));
        coordinator.addConsumer(subscription, address(seeds));
    }

    /// @dev Deploys an artifact. A contract created by `new` is part of each test that inherits this one, and compiled again
    /// for each: the build took three times as long.
    function _deploy(string memory name, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(name), arguments);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), name);
    }

    function _handOutRoles() private {
        _setRole(address(parameters), Parameters.set.selector, ROLE_PARAMETERS);
        _setRole(address(supply), Supply.addClasses.selector, ROLE_PARAMETERS);
        _setRole(address(ledger), EnergyLedger.setClassEnergies.selector, ROLE_PARAMETERS);
        _setRole(address(telemetry), Telemetry.setMaxLatency.selector, ROLE_PARAMETERS);
        _setRole(address(auditEpochs), AuditEpochs.setTerms.selector, ROLE_PARAMETERS);
        _setRole(address(outlet), PoolOutlet.pay.selector, ROLE_PARAMETERS);
        _setRole(address(parameters), Parameters.setIntakePaused.selector, ROLE_GUARDIAN);
        _setRole(address(leases), LeaseRegistry.rule.selector, ROLE_ARBITER);
        manager.grantRole(ROLE_PARAMETERS, governance, PARAMETER_DELAY);
        manager.grantRole(ROLE_PARAMETERS, address(this), 0);
        manager.grantRole(ROLE_GUARDIAN, guardian, 0);
        manager.grantRole(ROLE_ARBITER, arbiter, 0);
    }

    function _setRole(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        manager.setTargetFunctionRole(target, selectors, role);
    }
}

/// @title The code that deploys the system, which tests call as their own
/// @dev It writes the storage of {System}, which is first in every test. As a part of each test it would be compiled as often
/// as there are tests.
contract Deployment is Deploying {
    function deploy(AggregatorV3Interface uptimeFeed) external {
        deploySystem(uptimeFeed);
    }
}

/// @title The whole system, deployed, wired and with its roles handed out
abstract contract Fixture is Actions, Deploying {
    function setUp() public virtual {
        vm.warp(1_800_000_000);
        address deployment = makeAddr("deployment");
        vm.etch(deployment, vm.getDeployedCode("Deployment"));
        Address.functionDelegateCall(deployment, abi.encodeCall(Deployment.deploy, (uptimeFeed())));
    }

    /// @dev Nearly all tests run without a feed of the sequencer's uptime.
    function uptimeFeed() internal virtual returns (AggregatorV3Interface) {
        return AggregatorV3Interface(address(0));
    }
}
