import { Contract, type ContractRunner, getAddress, isAddress, type Provider } from "ethers";

import type {
  AccessManager,
  AuditEpochs,
  Audits,
  Balancer,
  CheckpointRegistry,
  EnergyLedger,
  HolderPool,
  IVrfCoordinator,
  LeaseRegistry,
  NodeRegistry,
  Parameters,
  PasskeyAccountFactory,
  PoolOutlet,
  Lens,
  Reassignment,
  ReleaseFees,
  RoundManager,
  SponsorPaymaster,
  Supply,
  TaskRegistry,
  Telemetry,
  TestnetFaucet,
  Vault,
  VerToken,
  VRFCoordinatorV2_5Mock,
  VrfSeeds,
} from "./generated/contract-types.ts";
import { BASE_CHAIN_ID, BASE_SEPOLIA_CHAIN_ID, LOCAL_CHAIN_ID } from "./chains.ts";
import { ChainError } from "./errors.ts";
import { BatchedCalls } from "./batched-calls.ts";
import { explain } from "./error-messages.ts";
import { RememberingInterface } from "./remembering-interface.ts";
import { abiOf, CONTRACT_NAMES, type ContractName } from "./abi.ts";

export type { ContractName } from "./abi.ts";

/** The protocol's contracts, ready to be called. */
export interface Contracts {
  readonly token: VerToken;
  readonly vault: Vault;
  readonly outlet: PoolOutlet;
  readonly parameters: Parameters;
  readonly nodes: NodeRegistry;
  readonly supply: Supply;
  readonly holderPool: HolderPool;
  readonly tasks: TaskRegistry;
  readonly leases: LeaseRegistry;
  readonly checkpoints: CheckpointRegistry;
  readonly seeds: VrfSeeds;
  readonly rounds: RoundManager;
  readonly telemetry: Telemetry;
  readonly ledger: EnergyLedger;
  readonly balancer: Balancer;
  readonly reassignment: Reassignment;
  readonly releaseFees: ReleaseFees;
  /** Epochs of audits. */
  readonly auditEpochs: AuditEpochs;
  readonly audits: Audits;
  /** Views that read much in one call. */
  readonly lens: Lens;
  /** OpenZeppelin's access manager, which holds the roles and delays; if the deployment names it. */
  readonly manager?: AccessManager;
  /** Chainlink's coordinator; if the deployment names it. */
  readonly coordinator?: IVrfCoordinator;
  /** Chainlink's mock of its coordinator, which brings seeds when it is told to; only on a local chain. */
  readonly coordinatorMock?: VRFCoordinatorV2_5Mock;
  /** The faucet of test VER; only on test networks. */
  readonly faucet?: TestnetFaucet;
  /** The factory of accounts whose keys are passkeys; if the deployment names it. */
  readonly accountFactory?: PasskeyAccountFactory;
  /** The paymaster of a sponsor; if the deployment names one. */
  readonly sponsor?: SponsorPaymaster;
}

/** Which contract each key of {@link Contracts} is. */
export const CONTRACT_KEYS: Readonly<Record<keyof Contracts, ContractName>> = {
  token: "VerToken",
  vault: "Vault",
  outlet: "PoolOutlet",
  parameters: "Parameters",
  nodes: "NodeRegistry",
  supply: "Supply",
  holderPool: "HolderPool",
  tasks: "TaskRegistry",
  leases: "LeaseRegistry",
  checkpoints: "CheckpointRegistry",
  seeds: "VrfSeeds",
  rounds: "RoundManager",
  telemetry: "Telemetry",
  ledger: "EnergyLedger",
  balancer: "Balancer",
  reassignment: "Reassignment",
  releaseFees: "ReleaseFees",
  auditEpochs: "AuditEpochs",
  audits: "Audits",
  lens: "Lens",
  manager: "AccessManager",
  coordinator: "IVrfCoordinator",
  coordinatorMock: "VRFCoordinatorV2_5Mock",
  faucet: "TestnetFaucet",
  accountFactory: "PasskeyAccountFactory",
  sponsor: "SponsorPaymaster",
};

/** Contracts that a deployment may lack. */
const OPTIONAL_CONTRACTS: readonly ContractName[] = [
  "AccessManager",
  "IVrfCoordinator",
  "VRFCoordinatorV2_5Mock",
  "TestnetFaucet",
  "PasskeyAccount",
  "PasskeyAccountFactory",
  "SponsorPaymaster",
];

/** Where the protocol is deployed on a chain. */
export interface Deployment {
  readonly chainId: number;
  /** The file that the addresses come from. */
  readonly file: string;
  /** Checksummed addresses by contract name. */
  readonly addresses: Readonly<Partial<Record<ContractName, string>>>;
}

/** Names of the networks in hardhat.config.ts, for the remedy in error messages. */
const NETWORKS: Readonly<Record<number, string>> = {
  [LOCAL_CHAIN_ID]: "localhost",
  [BASE_SEPOLIA_CHAIN_ID]: "baseSepolia",
  [BASE_CHAIN_ID]: "base",
};

/** The command that deploys to a chain. */
export function deployCommand(chainId: number): string {
  return `npx hardhat network:deploy --network ${NETWORKS[chainId] ?? "<network>"}`;
}

/**
 * Reads the addresses in a deployment file: an object from names to addresses. Of a name such as `Drmp#NodeRegistry`
 * only what follows the last `#` counts; names of other contracts are skipped.
 */
export function parseDeployment(chainId: number, file: string, text: string): Deployment {
  const invalid = (why: string, cause?: unknown) =>
    new ChainError(
      "DEPLOYMENT_INVALID",
      false,
      `The deployment file ${file} cannot be used: ${why}. Name Ignition's deployed_addresses.json, or deploy again with \`${deployCommand(chainId)}\`.`,
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid("it is not valid JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalid("it is no object of addresses");
  const addresses: Partial<Record<ContractName, string>> = {};
  for (const [key, value] of Object.entries(json)) {
    const name = CONTRACT_NAMES.find((known) => known === key.split("#").at(-1));
    if (!name) continue;
    if (!isAddress(value)) throw invalid(`${key} is no address`);
    const address = getAddress(value);
    if (addresses[name] !== undefined && addresses[name] !== address)
      throw invalid(`it names two addresses of ${name}`);
    addresses[name] = address;
  }
  const missing = CONTRACT_NAMES.filter((name) => !OPTIONAL_CONTRACTS.includes(name) && addresses[name] === undefined);
  if (missing.length > 0) {
    throw new ChainError(
      "DEPLOYMENT_INCOMPLETE",
      false,
      `The deployment in ${file} lacks ${missing.join(", ")}; complete it with: \`${deployCommand(chainId)}\`.`,
      { details: { missing } },
    );
  }
  return { chainId, file, addresses };
}

/**
 * Checks that there is code at every address of a deployment. A local chain that was restarted has lost it, while
 * the file still names it.
 *
 * @throws {@link ChainError} `DEPLOYMENT_GONE`, or RpcUnavailableError.
 */
export async function checkDeployment(deployment: Deployment, provider: Provider): Promise<void> {
  const named = Object.entries(deployment.addresses);
  const codes = await Promise.all(
    named.map(async ([, address]) =>
      provider.getCode(address).catch((error: unknown) => {
        throw explain(error);
      }),
    ),
  );
  for (const [i, [name, address]] of named.entries()) {
    if (codes[i] !== "0x") continue;
    throw new ChainError(
      "DEPLOYMENT_GONE",
      false,
      `There is no contract at ${address}, where ${deployment.file} says that ${name} is: the file belongs to another chain, ` +
        `or the local chain was restarted. Deploy again with \`${deployCommand(deployment.chainId)} --reset\`.`,
      { details: { name, address } },
    );
  }
}

/**
 * The contracts of a deployment.
 *
 * @param runner A provider to read, through which views asked for together go out together ({@link BatchedCalls}); a signer
 * to also write (but prefer a transaction queue for that).
 */
export function connect(deployment: Deployment, runner: ContractRunner): Contracts {
  const lens = deployment.addresses.Lens;
  const views = new Set<string>();
  const isView = (to: string, selector: string): boolean => views.has(`${to.toLowerCase()} ${selector}`);
  const reads = lens !== undefined && isProvider(runner) ? new BatchedCalls(runner, lens, isView) : runner;
  const named = Object.entries(CONTRACT_KEYS).flatMap(([key, name]) => {
    const address = deployment.addresses[name];
    if (address === undefined) return [];
    const contract = new Contract(address, new RememberingInterface(abiOf(name)), reads);
    contract.interface.forEachFunction(({ constant, selector }) => {
      if (constant) views.add(`${address.toLowerCase()} ${selector}`);
    });
    return [[key, contract] as const];
  });
  return Object.fromEntries(named) as unknown as Contracts;
}

/** Whether a runner is a provider itself, and not an account that has one. */
function isProvider(runner: ContractRunner): runner is ContractRunner & Provider {
  return runner.provider === runner;
}
