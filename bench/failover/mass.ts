import { AbiCoder, keccak256, toBeHex } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { roundSnapshot } from "@verai/client/snapshot";
import { FailoverKeeper } from "@verai/keepers/failover/failover-keeper";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { queueSender } from "@verai/keepers/sender";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { openClient, openMarket } from "@verai/devnet/market";
import { SimulatedBase } from "../simulated-base.ts";
import { MILLI, SUPPLY_CLASS } from "../gas/registration.ts";

/** How many leases of how many nodes are lost at once, and how long it takes. */
export interface MassFailure {
  readonly nodes: number;
  readonly leases: number;
  /** Leases drawn for; the others found no node. */
  readonly drawn: number;
  readonly batches: number;
  readonly transactions: number;
  /** Gas of the largest of them. */
  readonly largest: number;
  readonly gas: number;
  /** Seconds from the moment at which all are overdue until the first, half and all of them are drawn for. */
  readonly first: number;
  readonly half: number;
  readonly last: number;
  /** Seconds until the last of them is expired. */
  readonly expired: number;
}

/** Tasks of one unit in a round. */
const TASKS_AT_ONCE = 16;
/** Units of a node, each leased to another task. */
const UNITS = 10;
/** Nodes that go on with the work, for each that is lost. */
const OTHERS = 3;
/** Blocks after which the simulation is given up. */
const MAX_BLOCKS = 2_000;
/** Where the due time stands in a lease's first word. */
const DUE_SHIFT = 144n;

type Market = Awaited<ReturnType<typeof openMarket>>;

/**
 * Loses many leases at once on a simulated chain with BASE's parameters, block time and limit to a transaction, and lets the
 * failover keeper, as it is, work with one key ({@link SimulatedBase}). The leases are granted by rounds; then their due times are written into storage, so that they
 * fall due in the same second.
 *
 * @param nodes Nodes that are lost, with ten leases each.
 */
export async function measureMassFailure(nodes: number, say: (text: string) => void): Promise<MassFailure> {
  const market = await openMarket({}, "base");
  const client = await openClient(market);
  try {
    await populate(market, client, nodes, say);
    const overdueAt = await alignDues(market, nodes * UNITS);
    return await new Simulation(market, client, overdueAt).run(nodes);
  } finally {
    client.provider.destroy();
    await market.close();
  }
}

/** Leases all units of the nodes that are lost, then registers others, of another owner. */
async function populate(
  market: Market,
  client: Awaited<ReturnType<typeof openClient>>,
  nodes: number,
  say: (text: string) => void,
): Promise<void> {
  const { contracts, connection } = market;
  const rpc = (method: string, ...params: unknown[]) => connection.provider.request({ method, params });
  say(`registering ${String(nodes)} nodes of ${String(UNITS)} units`);
  for (let i = 0; i < nodes; i++) await market.addNode({ classId: SUPPLY_CLASS, capacity: UNITS, ask: MILLI });
  const leases = nodes * UNITS;
  for (let leased = 0; leased < leases;) {
    const tasks = Math.min(TASKS_AT_ONCE, leases - leased);
    const wish = { units: 1, maxPrice: 100n * MILLI, classIds: [SUPPLY_CLASS], interval: 60 };
    for (let i = 0; i < tasks; i++) await market.addTask(wish);
    await market.pass(60);
    await contracts.rounds.open();
    await market.fulfil(BigInt(leased + 1));
    const snapshot = await roundSnapshot(client.reader);
    if (!snapshot) throw new Error("the round has no seed");
    const plan = planRound(snapshot, networkSimplex);
    if (plan.kind !== "plan") throw new Error(plan.why);
    await contracts.rounds.settle(snapshot.roundId, plan.post);
    leased += tasks;
    if (leased % 160 === 0) say(`  ${String(leased)} leases`);
  }
  const granted = Number(await contracts.leases.leaseCount());
  if (granted !== leases) throw new Error(`${String(granted)} leases were granted, not ${String(leases)}`);
  say(`registering ${String(OTHERS * nodes)} others`);
  for (let i = 0; i < OTHERS * nodes; i++) {
    await market.addNode(
      { classId: SUPPLY_CLASS, capacity: UNITS, ask: MILLI + BigInt(i % 50) * MILLI },
      undefined,
      10,
    );
  }
  await rpc("evm_mine");
}

/** Has all leases fall due in the same second. @returns From when on they are overdue. */
async function alignDues({ contracts, connection }: Market, leases: number): Promise<number> {
  const rpc = async <T>(method: string, ...params: unknown[]): Promise<T> =>
    (await connection.provider.request({ method, params })) as T;
  const registry = await contracts.leases.getAddress();
  const { timestamp = 0 } = (await connection.ethers.provider.getBlock("latest")) ?? {};
  const due = BigInt(timestamp + 600);
  const mask = ((1n << 32n) - 1n) << DUE_SHIFT;
  const placeOf = (id: number, slot: number) =>
    keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [id, slot]));
  const wordAt = async (place: string) => BigInt(await rpc<string>("eth_getStorageAt", registry, place, "latest"));
  const { due: known } = await contracts.leases.lease(1);
  let slot = 0;
  while (slot < 24 && ((await wordAt(placeOf(1, slot))) & mask) >> DUE_SHIFT !== known) slot += 1;
  for (let id = 1; id <= leases; id++) {
    const place = placeOf(id, slot);
    const word = ((await wordAt(place)) & ~mask) | (due << DUE_SHIFT);
    await rpc("hardhat_setStorageAt", registry, place.replace(/^0x0+(?=.)/, "0x"), toBeHex(word, 32));
  }
  const last = await contracts.leases.lease(leases);
  if (last.due !== due) throw new Error("a lease's due time is not where it is written");
  return Number(due) + 1;
}

/** One keeper on BASE, from the moment at which the leases are overdue. */
class Simulation {
  readonly #market: Market;
  readonly #base: SimulatedBase;
  readonly #overdueAt: number;

  constructor(market: Market, client: Awaited<ReturnType<typeof openClient>>, overdueAt: number) {
    this.#market = market;
    const logger = pino({ level: "silent" });
    const { reader, queue } = client;
    const sender = queueSender(queue, logger, () => undefined);
    const keeper = new FailoverKeeper({ reader, sender, logger, metrics: failoverMetrics(new Registry()) });
    this.#base = new SimulatedBase(market, keeper, overdueAt, () => market.contracts.reassignment.current());
    this.#overdueAt = overdueAt;
  }

  async run(nodes: number): Promise<MassFailure> {
    const { contracts, connection } = this.#market;
    const leases = nodes * UNITS;
    const firstBlock = await connection.ethers.provider.getBlockNumber();
    await this.#base.begin();
    for (let idle = 0; idle < 5 && this.#base.blocks < MAX_BLOCKS;) {
      const sent = await this.#base.step();
      const { waiting } = await contracts.reassignment.orphanCounts();
      idle = sent || waiting > 0n || (await contracts.supply.frozen()) ? 0 : idle + 1;
    }
    return this.#told(nodes, leases, firstBlock);
  }

  async #told(nodes: number, leases: number, firstBlock: number): Promise<MassFailure> {
    const { contracts } = this.#market;
    const timeOf = new Map<number, number>();
    const secondsOf = async (blockNumber: number): Promise<number> => {
      const known = timeOf.get(blockNumber);
      if (known !== undefined) return known;
      const block = await this.#market.connection.ethers.provider.getBlock(blockNumber);
      const seconds = (block?.timestamp ?? NaN) - this.#overdueAt;
      timeOf.set(blockNumber, seconds);
      return seconds;
    };
    const since = firstBlock + 1;
    const drawn = await contracts.reassignment.queryFilter(contracts.reassignment.filters.RangeDrawn(), since);
    const expired = await contracts.leases.queryFilter(contracts.leases.filters.LeaseExpired(), since);
    const opened = await contracts.reassignment.queryFilter(contracts.reassignment.filters.BatchOpened(), since);
    const times: number[] = [];
    for (const { blockNumber } of drawn) times.push(await secondsOf(blockNumber));
    const hashes = new Set([...drawn, ...expired, ...opened].map(({ transactionHash }) => transactionHash));
    const used: number[] = [];
    for (const hash of hashes) {
      const receipt = await this.#base.rpc<{ gasUsed: string }>("eth_getTransactionReceipt", hash);
      used.push(Number(receipt.gasUsed));
    }
    times.sort((a, b) => a - b);
    return {
      nodes,
      leases,
      drawn: times.length,
      batches: opened.length,
      transactions: hashes.size,
      largest: Math.max(...used),
      gas: used.reduce((sum, each) => sum + each, 0),
      first: times[0] ?? NaN,
      half: times[Math.ceil(leases / 2) - 1] ?? NaN,
      last: times[leases - 1] ?? NaN,
      expired: await secondsOf(expired.at(-1)?.blockNumber ?? 0),
    };
  }
}
