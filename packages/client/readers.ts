import type { Provider } from "ethers";

import type { Contracts } from "./deployment.ts";
import type { Batch, Checkpoint, Lease, Node, NodeClass, Round, Task } from "./entities.ts";
import { ChainError } from "./errors.ts";
import { explain } from "./error-messages.ts";
import {
  claimedText as textOf,
  safe,
  toBatch,
  toCheckpoint,
  toClass,
  toLease,
  toNode,
  toRound,
  toTask,
} from "./internal/convert.ts";
import { PageSize, pagesOf, readPages, runsOf } from "./internal/pager.ts";
import { type Finality, type BlockReference, blockReference } from "./block-reference.ts";
import {
  type Admission,
  ADMISSIONS,
  LEASE_HEALTHS,
  type LeaseHealth,
  PARAMETERS,
  type ParameterName,
  enumName,
} from "./enums.ts";

/** Maximum entries that one call reads; halved by itself where an endpoint cannot serve that many. */
export interface PageSizes {
  readonly nodes?: number;
  readonly tasks?: number;
  readonly leases?: number;
  readonly queue?: number;
  readonly checkpoints?: number;
}

/**
 * Entries that one view reads, of those that are asked for by id. Few: views that are asked for together go out together, and one that is
 * too much for an endpoint is asked for again by itself.
 */
const LEASE_PAGE = 20;
const NODE_PAGE = 10;
const LIVE_PAGE = 20;
const SERVABLE_PAGE = 64;

/** A node that may sign for a lease's checkpoints. */
export interface Holder {
  /** Which of the lease's candidates it is: receipts name it. */
  readonly candidate: number;
  readonly nodeId: number;
  readonly operator: string;
  /** Multiaddrs, comma-separated, as the node claims; empty if they are no text. */
  readonly endpoint: string;
}

/** Ids of leases between two that are wanted which are read along rather than skipped by another call. */
const LEASE_GAP = 16;

/**
 * Reads the protocol's state as plain data, every read pinned to one block.
 *
 * A read returns all of the truth at that block or throws a ChainError ({@link RpcUnavailableError} where the endpoint gave
 * no answer); it never returns a part.
 */
export class Reader {
  readonly contracts: Contracts;
  readonly provider: Provider;
  readonly #sizes: Readonly<Record<keyof PageSizes, PageSize>>;

  /** @param contracts Connected to a provider, or to a signer that has one. */
  constructor(contracts: Contracts, sizes: PageSizes = {}) {
    const provider = contracts.rounds.runner?.provider;
    if (!provider) {
      throw new ChainError("NO_PROVIDER", false, "The contracts are not connected to a provider; connect them to one.");
    }
    this.contracts = contracts;
    this.provider = provider;
    this.#sizes = {
      nodes: new PageSize(sizes.nodes ?? 250),
      tasks: new PageSize(sizes.tasks ?? 200),
      leases: new PageSize(sizes.leases ?? 500),
      queue: new PageSize(sizes.queue ?? 1000),
      checkpoints: new PageSize(sizes.checkpoints ?? 500),
    };
  }

  /** A block to pin reads to. */
  async block(finality: Finality = "latest"): Promise<BlockReference> {
    return blockReference(this.provider, finality);
  }

  /** All nodes ever registered, by ascending id. */
  async nodes(at: BlockReference): Promise<Node[]> {
    const { nodes } = this.contracts;
    const count = await answer(nodes.nodeCount(blockTag(at)));
    const page = (from: number, most: number) => nodes.nodePage(from, most, blockTag(at));
    return (await readPages(page, 1, safe(count), this.#sizes.nodes)).map(toNode);
  }

  /** A node; undefined if there is none with this id. */
  async node(at: BlockReference, nodeId: number): Promise<Node | undefined> {
    const [view] = await answer(this.contracts.nodes.nodePage(nodeId, 1, blockTag(at)));
    return view && safe(view.id) === nodeId ? toNode(view) : undefined;
  }

  /** The id of the node that an operator key belongs to; undefined if it belongs to none. */
  async nodeOfOperator(at: BlockReference, operator: string): Promise<number | undefined> {
    const id = await answer(this.contracts.nodes.nodeOfOperator(operator, blockTag(at)));
    return id === 0n ? undefined : safe(id);
  }

  /** All classes, by ascending id. */
  async classes(at: BlockReference): Promise<NodeClass[]> {
    return (await answer(this.contracts.supply.classes(blockTag(at)))).map(toClass);
  }

  /** All tasks with ids from `from` on, by ascending id. */
  async tasks(at: BlockReference, from = 1): Promise<Task[]> {
    const { tasks, lens } = this.contracts;
    const count = await answer(tasks.taskCount(blockTag(at)));
    const page = (first: number, most: number) => lens.taskPage(first, most, blockTag(at));
    return (await readPages(page, from, safe(count), this.#sizes.tasks)).map(toTask);
  }

  /** A task; undefined if there is none with this id. */
  async task(at: BlockReference, taskId: number): Promise<Task | undefined> {
    const [view] = await answer(this.contracts.lens.taskPage(taskId, 1, blockTag(at)));
    return view && safe(view.id) === taskId ? toTask(view) : undefined;
  }

  /** Ids of the tasks that wait, in the order of the queue; at most `most`. */
  async queue(at: BlockReference, most = Infinity): Promise<number[]> {
    const { tasks, lens } = this.contracts;
    const length = Math.min(safe(await answer(tasks.queueLength(blockTag(at)))), most);
    const page = (offset: number, count: number) => lens.queuePage(offset, count, blockTag(at));
    return (await readPages(page, 0, length - 1, this.#sizes.queue)).map(safe);
  }

  /** Ids of parked tasks, in no order: `count` from the `offset`-th on; and how many there are in all. */
  async parked(
    at: BlockReference,
    offset: number,
    count: number,
  ): Promise<{ readonly ids: number[]; readonly total: number }> {
    const { tasks, lens } = this.contracts;
    const total = safe(await answer(tasks.parkedCount(blockTag(at))));
    const ids = total === 0 ? [] : await answer(lens.parkedPage(offset, count, blockTag(at)));
    return { ids: ids.map(safe), total };
  }

  /** Ids of tasks whose release fees are held, in no order: `count` from the `offset`-th on; and how many there are in all. */
  async tasksWithFees(
    at: BlockReference,
    offset: number,
    count: number,
  ): Promise<{ readonly ids: number[]; readonly total: number }> {
    const { releaseFees } = this.contracts;
    const total = safe(await answer(releaseFees.heldCount(blockTag(at))));
    const ids = total === 0 ? [] : await answer(releaseFees.heldPage(offset, count, blockTag(at)));
    return { ids: ids.map(safe), total };
  }

  /** Whether a round could take a task at this block, or what keeps it out. */
  async admission(at: BlockReference, taskId: number): Promise<Admission> {
    return enumName(ADMISSIONS, await answer(this.contracts.tasks.admissionOf(taskId, blockTag(at))));
  }

  /** Which of these tasks a round could take at this block. One view for up to {@link SERVABLE_PAGE} of them. */
  async servable(at: BlockReference, taskIds: readonly number[]): Promise<number[]> {
    const { lens } = this.contracts;
    const pages = pagesOf(0, taskIds.length - 1, SERVABLE_PAGE);
    const found = await Promise.all(
      pages.map(async ({ from, to }) => answer(lens.servableOf(taskIds.slice(from, to + 1), blockTag(at)))),
    );
    return found.flat().map(safe);
  }

  /** Number of leases ever granted, which is the highest id. */
  async leaseCount(at: BlockReference): Promise<number> {
    return safe(await answer(this.contracts.leases.leaseCount(blockTag(at))));
  }

  /** All leases with ids `from` … `to`, by ascending id. `to` is at most {@link leaseCount}, its default. */
  async leases(at: BlockReference, from = 1, to?: number): Promise<Lease[]> {
    const { lens } = this.contracts;
    const last = to ?? (await this.leaseCount(at));
    const page = (first: number, count: number) => lens.leasePage(first, count, blockTag(at));
    return (await readPages(page, from, last, this.#sizes.leases)).map(toLease);
  }

  /** These leases, by ascending id. Neighbours share a call. */
  async leasesById(at: BlockReference, ids: readonly number[]): Promise<Lease[]> {
    const wanted = new Set(ids);
    const found: Lease[] = [];
    const runs = runsOf(ids, LEASE_GAP);
    for (const read of await Promise.all(runs.map(({ from, to }) => this.leases(at, from, to)))) {
      found.push(...read.filter(({ id }) => wanted.has(id)));
    }
    return found;
  }

  /** Those of these leases that exist, by ascending id, each read by itself. */
  async leasesThatExist(at: BlockReference, ids: readonly number[]): Promise<Lease[]> {
    const { lens } = this.contracts;
    const runs = runsOf([...new Set(ids)], 0);
    const pages = runs.flatMap(({ from, to }) => pagesOf(from, to, LEASE_PAGE));
    const read = await Promise.all(
      pages.map(async ({ from, to }) => answer(lens.leasePage(from, to - from + 1, blockTag(at)))),
    );
    return read.flat().map(toLease);
  }

  /** Leases among ids `from` … `from + count - 1` that can still change, by ascending id. */
  async liveLeases(at: BlockReference, from: number, count: number): Promise<Lease[]> {
    const { lens } = this.contracts;
    const pages = pagesOf(from, from + count - 1, LIVE_PAGE);
    const read = await Promise.all(
      pages.map(async (page) => answer(lens.liveLeases(page.from, page.to - page.from + 1, blockTag(at)))),
    );
    return read.flat().map(toLease);
  }

  /** These nodes, those that exist, by ascending id, each read by itself. */
  async nodesById(at: BlockReference, ids: readonly number[]): Promise<Node[]> {
    const { nodes } = this.contracts;
    const runs = runsOf([...new Set(ids)], 0).flatMap(({ from, to }) => pagesOf(from, to, NODE_PAGE));
    const read = await Promise.all(
      runs.map(async ({ from, to }) => answer(nodes.nodePage(from, to - from + 1, blockTag(at)))),
    );
    return read.flat().map(toNode);
  }

  /** These tasks, those that exist, by ascending id, each read by itself. */
  async tasksById(at: BlockReference, ids: readonly number[]): Promise<Task[]> {
    const { lens } = this.contracts;
    const runs = runsOf([...new Set(ids)], 0).flatMap(({ from, to }) => pagesOf(from, to, NODE_PAGE));
    const read = await Promise.all(
      runs.map(async ({ from, to }) => answer(lens.taskPage(from, to - from + 1, blockTag(at)))),
    );
    return read.flat().map(toTask);
  }

  /**
   * The nodes that may sign for a lease's checkpoints now, in the order in which they are asked: two more than its task asks
   * for, or fewer where there are no more. One call; `holdersOf` of packages/protocol says how they are found.
   *
   * @param most How many to name, beyond those that may sign: those who come next.
   */
  async holders(at: BlockReference, leaseId: number, most = 0): Promise<Holder[]> {
    const found = await answer(this.contracts.lens.holdersOf(leaseId, most, blockTag(at)));
    return found.map(({ candidate, nodeId, operator, endpoint }) => ({
      candidate: safe(candidate),
      nodeId: safe(nodeId),
      operator,
      endpoint: textOf(() => endpoint),
    }));
  }

  /** The newest checkpoint of each of these leases that has one. */
  async checkpoints(at: BlockReference, leaseIds: readonly number[]): Promise<Map<number, Checkpoint>> {
    const { checkpoints } = this.contracts;
    const page = (from: number, count: number) =>
      checkpoints.newestOfMany(leaseIds.slice(from, from + count), blockTag(at));
    const read = await readPages(page, 0, leaseIds.length - 1, this.#sizes.checkpoints);
    const found = new Map<number, Checkpoint>();
    leaseIds.forEach((id, i) => {
      const view = read[i];
      const checkpoint = view && toCheckpoint(view);
      if (checkpoint) found.set(id, checkpoint);
    });
    return found;
  }

  /** The newest checkpoints of a lease, the newest first: none, one or two. */
  async newestCheckpoints(at: BlockReference, leaseId: number): Promise<Checkpoint[]> {
    const pair = await answer(this.contracts.checkpoints.newestOf(leaseId, blockTag(at)));
    return [pair[0], pair[1]].map(toCheckpoint).filter((checkpoint) => checkpoint !== undefined);
  }

  /** The newest round; id 0 if there was none. */
  async round(at: BlockReference): Promise<Round> {
    return toRound(await answer(this.contracts.rounds.current(blockTag(at))));
  }

  /**
   * What submitting a task takes from its developer, wei: the escrow, and the fee that is not given back.
   *
   * @param auditChance Chance of audits that it asks for, basis points.
   */
  async depositFor(
    at: BlockReference,
    { units, maxPrice, auditChance }: { units: number; maxPrice: bigint; auditChance: number },
  ): Promise<{ escrow: bigint; fee: bigint }> {
    const { escrow, fee } = await answer(this.contracts.tasks.depositFor(units, maxPrice, auditChance, blockTag(at)));
    return { escrow, fee };
  }

  /** Expired leases whose ranges wait for a batch of reassignments, oldest first. */
  async orphans(at: BlockReference): Promise<number[]> {
    const { reassignment } = this.contracts;
    const { waiting } = await answer(reassignment.orphanCounts(blockTag(at)));
    const page = (offset: number, most: number) => reassignment.orphanPage(offset, most, blockTag(at));
    return (await readPages(page, 0, safe(waiting) - 1, this.#sizes.queue)).map(safe);
  }

  /** How the node of an active lease does, as the contracts judge it: the same block's time counts. */
  async health(at: BlockReference, leaseId: number): Promise<LeaseHealth> {
    return enumName(LEASE_HEALTHS, await answer(this.contracts.leases.healthOf(leaseId, blockTag(at))));
  }

  /** How many receipts of other nodes a checkpoint of a lease needs now. */
  async receiptsNeeded(at: BlockReference, leaseId: number): Promise<number> {
    return safe(await answer(this.contracts.checkpoints.receiptsNeeded(leaseId, blockTag(at))));
  }

  /** The newest batch of reassignments; id 0 if there was none. */
  async batch(at: BlockReference): Promise<Batch> {
    return toBatch(await answer(this.contracts.reassignment.current(blockTag(at))));
  }

  /** Every governed parameter: seconds, micro-VER or basis points. */
  async parameters(at: BlockReference): Promise<Readonly<Record<ParameterName, number>>> {
    const values = await answer(this.contracts.parameters.all(blockTag(at)));
    const entries = PARAMETERS.map((name, i) => [name, safe(values[i]?.value ?? 0n)] as const);
    return Object.fromEntries(entries) as Record<ParameterName, number>;
  }
}

/** The override that pins a call. */
export function blockTag(at: BlockReference): { blockTag: number } {
  return { blockTag: at.number };
}

/** What a call answers, or the explained error. */
export async function answer<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw explain(error);
  }
}
