import { type Signer, Wallet } from "ethers";

import { signConsent } from "@verai/client/consent";
import { WEI_PER_VER } from "@verai/protocol/money/units";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { connect } from "@verai/client/deployment";
import { TransactionQueue } from "@verai/client/tx/queue";
import { openSigner } from "@verai/client/keys";
import { openProvider } from "@verai/client/provider";
import { Reader } from "@verai/client/readers";
import type { ParameterChanges } from "./chain.ts";
import { deployLocal } from "./deploy.ts";
import { serve } from "./serve.ts";

const VER = WEI_PER_VER;

/** What a node offers in a test. */
export interface Offer {
  readonly classId: number;
  readonly capacity: number;
  /** Wei for a unit. */
  readonly ask: bigint;
}

/** What a developer wants in a test. */
export interface Wish {
  readonly units: number;
  /** Wei. */
  readonly maxPrice: bigint;
  readonly classIds: readonly number[];
  readonly surcharges?: readonly bigint[];
  /** The spec's CID; by default one that nobody has the content of. */
  readonly spec?: { readonly digest: string; readonly codec: number };
  /** Seconds between checkpoints. */
  readonly interval?: number;
  /** Nodes that have to sign for a checkpoint; by default none. */
  readonly replicas?: number;
  /** Chance of audits, basis points; by default none. */
  readonly auditChance?: number;
}

/** Markets that were closed, by what they were deployed with: the next one begins where these did. */
const closed = new Map<string, Deployed[]>();

type Deployed = Awaited<ReturnType<typeof deploy>>;

/** Deploys a market, and keeps what it is before anything happens on it. */
async function deploy(changes: ParameterChanges, rules?: "base") {
  const deployed = await deployLocal(rules, changes);
  const { contracts, connection, accounts } = deployed;
  await contracts.token.connect(accounts.governance).approve(contracts.vault, 10n ** 9n * VER);
  return { ...deployed, since: performance.now(), untouched: await connection.networkHelpers.takeSnapshot() };
}

/** Sets a market that was closed back to its beginning, which is now. Deploying it again would take 50 times as long. */
async function reopen(deployed: Deployed): Promise<Deployed> {
  const { connection, since, untouched } = deployed;
  await connection.provider.request({ method: "evm_setIntervalMining", params: [0] });
  await connection.provider.request({ method: "evm_setAutomine", params: [true] });
  await untouched.restore();
  // Programs compare the chain's clock with their own.
  await connection.networkHelpers.time.increase(Math.max(1, Math.floor((performance.now() - since) / 1000)));
  return deployed;
}

/**
 * A deployed market with helpers to fill it: what contributors, developers and the oracle do, done by one account.
 *
 * @param changes Governed parameters that differ from localhost's.
 * @param rules Network whose governed parameters hold in place of localhost's.
 */
export async function openMarket(changes: ParameterChanges = {}, rules?: "base") {
  const kind = JSON.stringify([changes, rules]);
  const before = closed.get(kind)?.pop();
  const deployed = before ? await reopen(before) : await deploy(changes, rules);
  const { contracts, connection, accounts } = deployed;
  const { ethers } = connection;
  const treasury = accounts.governance;
  const vault = await contracts.vault.getAddress();
  const tasks = contracts.tasks.connect(treasury);
  const server = await serve(connection.provider);
  let operators = 0;
  return {
    ...deployed,
    url: server.url,
    async close(): Promise<void> {
      await server.close();
      closed.set(kind, [...(closed.get(kind) ?? []), deployed]);
    },
    /**
     * Registers a node.
     *
     * @param operator Its agent's key; by default one that nobody uses.
     * @param owner Index of the account that owns it, 10 or more; by default the treasury's owns all of them.
     */
    async addNode(
      { classId, capacity, ask }: Offer,
      operator?: Pick<Signer, "getAddress" | "signTypedData">,
      owner?: number,
    ): Promise<void> {
      operators += 1;
      const key = operator ?? new Wallet(ethers.id(`operator ${String(operators)}`));
      const profile = { energySource: 0, powerThreshold: 100, powerMax: 400, endpoint: "" };
      const stake = BigInt(capacity) * 100n * VER;
      const signer = owner === undefined ? treasury : ((await ethers.getSigners())[owner] ?? treasury);
      if (signer !== treasury) {
        await contracts.token.connect(treasury).transfer(signer, stake);
        await contracts.token.connect(signer).approve(vault, stake);
      }
      const consent = await signConsent(contracts, key, await signer.getAddress());
      await contracts.nodes.connect(signer).register({ ...consent }, { classId, capacity, ask }, profile, stake);
    },
    /** Submits a task. */
    async addTask({
      units,
      maxPrice,
      classIds,
      surcharges = [],
      spec,
      interval = 60,
      replicas = 0,
      auditChance = 0,
    }: Wish): Promise<void> {
      const now = await connection.networkHelpers.time.latest();
      await tasks.submit({
        specDigest: spec?.digest ?? ethers.id(`spec ${String(units)}`),
        specCodec: spec?.codec ?? 0x55,
        units,
        maxPrice,
        checkpointInterval: interval,
        maxUnitTime: 86_400,
        replicas,
        auditChance,
        deadline: now + 100_000,
        classIds: [...classIds],
        surcharges: [...surcharges],
      });
    },
    /** Fulfils the open round's request with this word. */
    async fulfil(word: bigint): Promise<void> {
      const { requestId } = await contracts.rounds.current();
      await contracts.coordinator.fulfillRandomWordsWithOverride(requestId, contracts.seeds, [word]);
    },
    /** Lets time pass, seconds. */
    async pass(seconds: number): Promise<void> {
      await connection.networkHelpers.time.increase(seconds);
    },
  };
}

/**
 * The same market through the typed client over real HTTP, with a queue for one of the chain's accounts.
 *
 * @param account Index of the account that pays.
 */
export async function openClient(market: Awaited<ReturnType<typeof openMarket>>, account = 5) {
  const provider = await openProvider(market.url, { chainId: LOCAL_CHAIN_ID, pollingMs: 20, timeoutMs: 60_000 });
  const addresses = await addressesOf(market);
  const contracts = connect({ chainId: LOCAL_CHAIN_ID, file: "test", addresses }, provider);
  const signer = (await openSigner({ testAccount: account }, LOCAL_CHAIN_ID)).connect(provider);
  const queue = await TransactionQueue.open(signer, provider, { maxFeePerGas: 10n ** 11n, pollMs: 20 });
  return { provider, contracts, reader: new Reader(contracts), queue, signer };
}

/** The deployed addresses by the contracts' names, as a deployment file holds them. */
export async function addressesOf(
  market: Pick<Awaited<ReturnType<typeof deployLocal>>, "contracts">,
): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  for (const [name, contract] of Object.entries({
    VerToken: market.contracts.token,
    Vault: market.contracts.vault,
    PoolOutlet: market.contracts.outlet,
    Parameters: market.contracts.parameters,
    NodeRegistry: market.contracts.nodes,
    Supply: market.contracts.supply,
    HolderPool: market.contracts.holderPool,
    TaskRegistry: market.contracts.tasks,
    LeaseRegistry: market.contracts.leases,
    CheckpointRegistry: market.contracts.checkpoints,
    VrfSeeds: market.contracts.seeds,
    RoundManager: market.contracts.rounds,
    Lens: market.contracts.lens,
    AuditEpochs: market.contracts.auditEpochs,
    Audits: market.contracts.audits,
    Reassignment: market.contracts.reassignment,
    ReleaseFees: market.contracts.releaseFees,
    Telemetry: market.contracts.telemetry,
    EnergyLedger: market.contracts.ledger,
    Balancer: market.contracts.balancer,
    TestnetFaucet: market.contracts.faucet,
    PasskeyAccountFactory: market.contracts.accountFactory,
    SponsorPaymaster: market.contracts.sponsor,
    AccessManager: market.contracts.manager,
    IVrfCoordinator: market.contracts.coordinator,
    VRFCoordinatorV2_5Mock: market.contracts.coordinator,
  })) {
    addresses[name] = await contract.getAddress();
  }
  return addresses;
}
