import { readFileSync } from "node:fs";

import hre from "hardhat";

import local from "../../ignition/modules/Local.ts";
import type { ParameterChanges } from "./chain.ts";

/** Ignition's parameter files hold big integers as strings with a trailing n. */
function parameters(network: string): Record<string, Record<string, never>> {
  const file = new URL(`../../ignition/parameters/${network}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"), (_key, value: unknown) =>
    typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as Record<string, Record<string, never>>;
}

/** The governed parameters of a network: those that have a value and bounds, and what audits go by. */
function governed(network: string): Record<string, never> {
  const all: Record<string, object> = parameters(network)["Drmp"] ?? {};
  const governs = ([name, value]: [string, object]): boolean => "min" in Object(value) || name === "auditTerms";
  return Object.fromEntries(Object.entries(all).filter(governs)) as Record<string, never>;
}

/** A chain in this process. */
export type LocalConnection = Awaited<ReturnType<typeof connectLocal>>;

async function connectLocal() {
  return hre.network.create();
}

/**
 * A fresh in-process chain with the protocol deployed on it by the very module and parameters that localhost uses.
 *
 * @param rules Network whose governed parameters (times, stakes, fees, bounties) hold instead of localhost's.
 * @param changes Governed parameters that differ from these.
 * @param onto What a deployment of its own kind has: the chain of an earlier one, to deploy beside it, and plain parameters that differ, such
 * as the delays of roles.
 */
export async function deployLocal(
  rules?: "base" | "baseSepolia",
  changes: ParameterChanges = {},
  onto: { readonly connection?: LocalConnection; readonly plain?: Readonly<Record<string, number>> } = {},
) {
  const connection = onto.connection ?? (await connectLocal());
  const file: Record<string, object> = { ...parameters("localhost")["Drmp"], ...(rules && governed(rules)) };
  for (const [name, change] of Object.entries(changes)) file[name] = { ...file[name], ...change };
  Object.assign(file, onto.plain);
  const deployed = await connection.ignition.deploy(local, { parameters: { Drmp: file as Record<string, never> } });
  const { ethers } = connection;
  const [deployer, governance, guardian, arbiter, ...others] = await ethers.getSigners();
  if (!deployer || !governance || !guardian || !arbiter) throw new Error("the simulated chain has too few accounts");
  return {
    connection,
    accounts: { deployer, governance, guardian, arbiter, others },
    contracts: {
      manager: await ethers.getContractAt("AccessManager", deployed.manager),
      token: await ethers.getContractAt("VerToken", deployed.token),
      faucet: await ethers.getContractAt("TestnetFaucet", deployed.faucet),
      parameters: await ethers.getContractAt("Parameters", deployed.parameters),
      vault: await ethers.getContractAt("Vault", deployed.vault),
      outlet: await ethers.getContractAt("PoolOutlet", deployed.outlet),
      nodes: await ethers.getContractAt("NodeRegistry", deployed.nodes),
      supply: await ethers.getContractAt("Supply", deployed.supply),
      holderPool: await ethers.getContractAt("HolderPool", deployed.holderPool),
      tasks: await ethers.getContractAt("TaskRegistry", deployed.tasks),
      leases: await ethers.getContractAt("LeaseRegistry", deployed.leases),
      checkpoints: await ethers.getContractAt("CheckpointRegistry", deployed.checkpoints),
      seeds: await ethers.getContractAt("VrfSeeds", deployed.seeds),
      rounds: await ethers.getContractAt("RoundManager", deployed.rounds),
      reassignment: await ethers.getContractAt("Reassignment", deployed.reassignment),
      releaseFees: await ethers.getContractAt("ReleaseFees", deployed.releaseFees),
      auditEpochs: await ethers.getContractAt("AuditEpochs", deployed.auditEpochs),
      audits: await ethers.getContractAt("Audits", deployed.audits),
      lens: await ethers.getContractAt("Lens", deployed.lens),
      telemetry: await ethers.getContractAt("Telemetry", deployed.telemetry),
      ledger: await ethers.getContractAt("EnergyLedger", deployed.ledger),
      balancer: await ethers.getContractAt("Balancer", deployed.balancer),
      accountFactory: await ethers.getContractAt("PasskeyAccountFactory", deployed.accountFactory),
      sponsor: await ethers.getContractAt("SponsorPaymaster", deployed.sponsor),
      coordinator: await ethers.getContractAt("VRFCoordinatorV2_5Mock", deployed.coordinator),
    },
  };
}
