import type {
  IgnitionModuleBuilder,
  NamedArtifactContractAtFuture,
  NamedArtifactContractDeploymentFuture,
} from "@nomicfoundation/ignition-core";
import { id } from "ethers";

import { ENUMS } from "../../packages/client/generated/enums.ts";

/** Roles of the access manager. 0 is OpenZeppelin's admin role. */
export const ROLES = { admin: 0n, parameters: 1n, guardian: 2n, arbiter: 3n } as const;

/** The governed parameters in the order of their ids, by the names that the contracts use. */
const PARAMETERS = ENUMS.Param.map((name) => name.charAt(0).toUpperCase() + name.slice(1));

/**
 * Deploys and wires the whole protocol, hands every role over and leaves the deployer with none.
 *
 * The subscription to the oracle is created, funded in ETH and offered to governance; the seeds contract is its
 * consumer.
 *
 * @param coordinator Chainlink's VRF v2.5 coordinator.
 */
export function deployProtocol(
  m: IgnitionModuleBuilder,
  coordinator: NamedArtifactContractAtFuture<"IVrfCoordinator">,
) {
  const deployer = m.getAccount(0);
  const governance = m.getParameter<string>("governance");
  const guardian = m.getParameter<string>("guardian");
  const arbiter = m.getParameter<string>("arbiter");
  const treasury = m.getParameter<string>("treasury");
  const tokenSupply = m.getParameter<bigint>("supply");

  const manager = m.contract("AccessManager", [deployer]);
  const token = m.contract("VerToken", [manager, m.getParameter("supplyCap"), deployer, tokenSupply]);
  const parameters = m.contract("Parameters", [manager, PARAMETERS.map((name) => m.getParameter(name))]);
  const vault = m.contract("Vault", [token]);
  const holderPool = m.contract("HolderPool", []);
  const supply = m.contract("Supply", [manager, vault, parameters, holderPool]);
  const nodes = m.contract("NodeRegistry", [vault, parameters, supply]);
  const tasks = m.contract("TaskRegistry", [vault, parameters, supply]);
  const leases = m.contract("LeaseRegistry", [
    manager,
    vault,
    parameters,
    nodes,
    supply,
    holderPool,
    tasks,
    m.getParameter("sequencerUptimeFeed"),
  ]);
  const ledger = m.contract("EnergyLedger", [manager, parameters, nodes, supply, leases]);
  const telemetry = m.contract("Telemetry", [manager, vault, parameters, nodes, supply]);
  const checkpoints = m.contract("CheckpointRegistry", [leases, tasks, nodes, holderPool, telemetry]);
  const releaseFees = m.contract("ReleaseFees", [vault, parameters, nodes, supply, tasks, leases, checkpoints]);

  const subscribed = m.call(coordinator, "createSubscription", []);
  const subscriptionId = m.readEventArgument(subscribed, "SubscriptionCreated", "subId", {
    emitter: coordinator,
  });
  const funded = m.call(coordinator, "fundSubscriptionWithNative", [subscriptionId], {
    value: m.getParameter<bigint>("subscriptionFunding"),
  });
  const seeds = m.contract("VrfSeeds", [
    coordinator,
    {
      keyHash: m.getParameter("vrfKeyHash"),
      subscriptionId,
      callbackGasLimit: m.getParameter("vrfCallbackGasLimit"),
      confirmations: m.getParameter("vrfConfirmations"),
      nativePayment: true,
    },
  ]);
  const consumer = m.call(coordinator, "addConsumer", [subscriptionId, seeds], { after: [funded] });
  m.call(coordinator, "requestSubscriptionOwnerTransfer", [subscriptionId, governance], { after: [consumer] });

  const balancer = m.contract("Balancer", [parameters, supply, tasks, leases, telemetry, ledger, releaseFees]);
  const reassignment = m.contract("Reassignment", [parameters, nodes, supply, tasks, leases, seeds, telemetry]);
  const rounds = m.contract("RoundManager", [vault, parameters, supply, tasks, leases, seeds, reassignment]);

  const auditEpochs = m.contract("AuditEpochs", [
    manager,
    { parameters, nodes, supply, holders: holderPool, reports: telemetry, seeds, tasks, leases, checkpoints },
    m.getParameter("auditTerms"),
  ]);
  const audits = m.contract("Audits", [{ vault, nodes, tasks, leases, checkpoints, epochs: auditEpochs }]);

  const outlet = m.contract("PoolOutlet", [manager, vault]);
  const lens = m.contract("Lens", [leases, nodes, checkpoints, tasks, telemetry]);

  m.call(vault, "initialise", [{ nodes, supply, tasks, leases, rounds, outlet, releaseFees, telemetry, audits }]);
  m.call(holderPool, "initialise", [supply]);
  m.call(supply, "initialise", [{ nodes, rounds, leases, telemetry, reassignment, releaseFees }]);
  m.call(tasks, "initialise", [rounds, leases, reassignment]);
  m.call(leases, "initialise", [{ rounds, checkpoints, telemetry, balancer, reassignment, releaseFees, audits }]);
  m.call(nodes, "initialise", [audits]);
  m.call(telemetry, "initialise", [balancer]);
  m.call(seeds, "initialise", [rounds, reassignment, auditEpochs]);
  const classes = m.call(supply, "addClasses", [m.getParameter("classes")]);
  const energies = m.call(ledger, "setClassEnergies", [m.getParameter("classEnergies")]);

  // The supply: bounty pool and treasury; a faucet takes the rest where there is one.
  const bountyPool = m.getParameter<bigint>("bountyPool");
  const approved = m.call(token, "approve", [vault, bountyPool]);
  m.call(vault, "fundBountyPool", [bountyPool], { after: [approved] });
  m.call(token, "transfer", [treasury, m.getParameter("treasurySupply")], { id: "FundTreasury" });

  // Roles. What is not named here (minting, roles themselves) stays with the admin role, which governance gets last.
  const selector = (signature: string) => id(signature).slice(0, 10);
  const rolesSet = [
    m.call(manager, "setTargetFunctionRole", [parameters, [selector("set(uint8,uint64)")], ROLES.parameters], {
      id: "RoleOfSet",
    }),
    m.call(manager, "setTargetFunctionRole", [parameters, [selector("setIntakePaused(bool)")], ROLES.guardian], {
      id: "RoleOfPause",
    }),
    m.call(manager, "setTargetFunctionRole", [outlet, [selector("pay(address,uint256)")], ROLES.parameters], {
      id: "RoleOfOutlet",
    }),
    m.call(manager, "setTargetFunctionRole", [leases, [selector("rule(uint32,bool)")], ROLES.arbiter], {
      id: "RoleOfRule",
    }),
    m.call(manager, "setTargetFunctionRole", [supply, [selector("addClasses((bytes32,uint40)[])")], ROLES.parameters], {
      id: "RoleOfClasses",
      after: [classes],
    }),
    m.call(
      manager,
      "setTargetFunctionRole",
      [ledger, [selector("setClassEnergies((uint8,(uint40,uint24))[])")], ROLES.parameters],
      { id: "RoleOfClassEnergies", after: [energies] },
    ),
    m.call(manager, "setTargetFunctionRole", [telemetry, [selector("setMaxLatency(uint8,uint16)")], ROLES.parameters], {
      id: "RoleOfLatency",
    }),
    m.call(
      manager,
      "setTargetFunctionRole",
      [auditEpochs, [selector("setTerms((uint32,uint32,uint32,uint16,uint16,uint16,uint8))")], ROLES.parameters],
      { id: "RoleOfAuditTerms" },
    ),
    m.call(manager, "grantRole", [ROLES.parameters, governance, m.getParameter("parameterDelay")], {
      id: "GrantParameters",
    }),
    m.call(manager, "grantRole", [ROLES.guardian, guardian, 0], { id: "GrantGuardian" }),
    m.call(manager, "grantRole", [ROLES.arbiter, arbiter, 0], { id: "GrantArbiter" }),
    // The guardian may cancel what governance has scheduled.
    m.call(manager, "setRoleGuardian", [ROLES.parameters, ROLES.guardian], { id: "GuardParameters" }),
  ];

  // The seeds contract has an owner of Chainlink's making; the access manager becomes it, so that changes are delayed.
  const offered = m.call(seeds, "transferOwnership", [manager]);
  const owned = m.call(manager, "execute", [seeds, m.encodeFunctionCall(seeds, "acceptOwnership", [])], {
    after: [offered],
  });

  const admin = m.call(manager, "grantRole", [ROLES.admin, governance, m.getParameter("adminDelay")], {
    id: "GrantAdmin",
    after: [...rolesSet, owned],
  });
  m.call(manager, "renounceRole", [ROLES.admin, deployer], { after: [admin] });

  return {
    manager,
    token,
    parameters,
    vault,
    nodes,
    supply,
    holderPool,
    tasks,
    leases,
    checkpoints,
    releaseFees,
    seeds,
    rounds,
    telemetry,
    ledger,
    balancer,
    reassignment,
    auditEpochs,
    audits,
    outlet,
    lens,
  };
}

/** A faucet of test VER with its share of the supply. */
export function deployFaucet(m: IgnitionModuleBuilder, token: NamedArtifactContractDeploymentFuture<"VerToken">) {
  const faucet = m.contract("TestnetFaucet", [token, m.getParameter("faucetDrip")]);
  m.call(token, "transfer", [faucet, m.getParameter("faucetSupply")], { id: "FundFaucet" });
  return { faucet };
}
