import { id } from "ethers";
import { z } from "zod";

import type { Checkpoint, Lease, Node, ReportState } from "@verai/client/entities";
import { RpcUnavailableError } from "@verai/client/errors";
import { LogScanner } from "@verai/client/event-logs";
import type { ParameterName } from "@verai/client/enums";
import { type BlockReference, BlockTracker } from "@verai/client/block-reference";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { readReportState } from "@verai/client/telemetry";
import type { Logger } from "@verai/process/logger";
import { loadState, saveState, type StateKind } from "@verai/system/state-file";

/** Chain time for which the governed parameters are not read again, seconds: they change with a delay of days. */
const PARAMETERS_SECONDS = 60;

/** Blocks before the newest that was looked at which are looked at again: an endpoint may have lagged without a word. */
const OVERLAP = 32;

const GRANTED = id("LeaseGranted(uint32,uint32,uint32,uint24,uint24,uint40,uint24,uint32)");

const FILE = {
  what: "list of this node's leases",
  version: 1,
  schema: z.object({
    nodeId: z.number().int(),
    chainId: z.number().int(),
    /** Block up to which grants were looked for. */
    block: z.number().int().nonnegative(),
    leases: z.array(z.number().int().positive()),
  }),
} satisfies StateKind<z.ZodType>;

/** What one look at the chain shows of an agent's own node; all of it at one block. */
export interface Look {
  readonly block: BlockReference;
  readonly node: Node;
  readonly parameters: Readonly<Record<ParameterName, number>>;
  /** Whether a round or a batch holds the listings. */
  readonly frozen: boolean;
  /** Active nodes of the network. */
  readonly activeNodes: number;
  readonly reportState: ReportState;
  /** How often the operator key was changed. */
  readonly keyNumber: number;
  /** Newest checkpoints of the node's leases that have one. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

/** What the list of own leases is kept with. */
export interface OwnLeasesParts {
  readonly session: Pick<Session, "reader" | "provider" | "contracts">;
  readonly nodeId: number;
  /** Where the list is kept, so that a restart does not look for them again; left out: nowhere. */
  readonly file?: string | undefined;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
}

/**
 * A node's leases, and what else an agent decides by, in two requests a look, whatever the network's size and history: the
 * newest block, and one call of views at it.
 *
 * The node's own record says how many units it is leased and how many are delivered and undecided. Where the leases known
 * here account for less, others were granted: they are looked for in the events that name this node, from the last look on
 * and, if that is not enough, backwards until all units are accounted for. So a lease whose event an endpoint has held back is
 * missed, and found; and where they account for more, the answers do not belong to one block, and nothing follows from them.
 */
export class OwnLeases {
  readonly #context: OwnLeasesParts;
  readonly #track: BlockTracker;
  readonly #scanner: LogScanner;
  #leases = new Map<number, Lease>();
  #cursor = 0;
  #loaded = false;
  #parameters: { readonly at: number; readonly values: Look["parameters"] } | undefined;
  #told = "";

  constructor(context: OwnLeasesParts) {
    this.#context = context;
    this.#track = new BlockTracker(context.session.provider);
    this.#scanner = new LogScanner(context.session.provider);
  }

  /** One of the leases looked at. */
  get(leaseId: number): Lease | undefined {
    return this.#leases.get(leaseId);
  }

  /** Those that can still change, and those that the last look was asked for; by ascending id. */
  all(): Lease[] {
    return [...this.#leases.values()].sort((a, b) => a.id - b.id);
  }

  /** Those that can still change. */
  live(): Lease[] {
    return this.all().filter(isLive);
  }

  /**
   * One look. A look that fails leaves everything as it was.
   *
   * @param also Other leases of this node to be read: those that work was begun for here.
   * @throws RpcUnavailableError if the endpoint lags, or its answers do not belong together.
   */
  async look(also: readonly number[] = []): Promise<Look> {
    await this.#load();
    const { session, nodeId } = this.#context;
    const { reader, contracts } = session;
    const { block, reorganised, before } = await this.#track.nextUnconfirmed();
    const at = blockTag(block);
    const wanted = [...new Set([...this.live().map((lease) => lease.id), ...also])];
    const [node, read, checkpoints, reportState, { keyNumber }, frozen, active, hash, values] = await Promise.all([
      reader.node(block, nodeId),
      reader.leasesThatExist(block, wanted),
      reader.checkpoints(block, wanted),
      readReportState(reader, block, nodeId),
      answer(contracts.nodes.factsOf(nodeId, at)),
      answer(contracts.supply.frozen(at)),
      answer(contracts.holderPool.activeNodes(at)),
      before && answer(contracts.lens.hashOf(before.number, at)),
      this.#parametersAt(block),
    ]);
    const isNew = before && hash !== undefined ? this.#track.confirm(block, before, hash) : reorganised;
    if (!node) throw new Error(`node ${String(nodeId)} is not registered`);
    if (read.length < wanted.length && !isNew) {
      const gone = wanted.filter((leaseId) => read.every((lease) => lease.id !== leaseId));
      throw behind(`does not have the leases ${gone.join(", ")}, which it had before`);
    }
    const known = new Map(read.filter((lease) => lease.nodeId === nodeId).map((lease) => [lease.id, lease]));
    // What a reorganisation has undone may have come again in other blocks.
    const cursor = isNew ? Math.min(this.#cursor, Math.max(0, block.number - 256)) : this.#cursor;
    const found = isShort(node, known) ? await this.#find(block, node, known, cursor) : known;
    const more = [...found.keys()].filter((leaseId) => !known.has(leaseId));
    const newest = new Map([...checkpoints, ...(more.length > 0 ? await reader.checkpoints(block, more) : [])]);
    await this.#take(found, more.length > 0 || isNew ? block.number : this.#cursor);
    this.#parameters = { at: this.#parameters?.values === values ? this.#parameters.at : block.timestamp, values };
    return {
      ...{ block, node, parameters: values, frozen, activeNodes: Number(active), reportState },
      ...{ keyNumber: Number(keyNumber), checkpoints: newest },
    };
  }

  async #parametersAt(block: BlockReference): Promise<Look["parameters"]> {
    const known = this.#parameters;
    const isFresh = known && block.timestamp >= known.at && block.timestamp < known.at + PARAMETERS_SECONDS;
    return isFresh ? known.values : this.#context.session.reader.parameters(block);
  }

  /** Looks for leases whose units the node's record counts and that are not known. */
  async #find(
    block: BlockReference,
    node: Node,
    known: ReadonlyMap<number, Lease>,
    cursor: number,
  ): Promise<Map<number, Lease>> {
    const { session, nodeId, logger } = this.#context;
    const found = new Map(known);
    const address = [await session.contracts.leases.getAddress()];
    const filter = { address, topics: [[GRANTED], null, null, [topicOf(nodeId)]] };
    const take = async (logs: readonly { readonly topics: readonly string[] }[]): Promise<boolean> => {
      const ids = logs.map(({ topics }) => Number(topics[1])).filter((leaseId) => !found.has(leaseId));
      for (const lease of await session.reader.leasesThatExist(block, ids)) {
        if (lease.nodeId === nodeId && isLive(lease)) found.set(lease.id, lease);
      }
      return !isShort(node, found);
    };
    // The newest first: what is not known was granted lately, but for a node that begins with an empty disk.
    const recent = Math.max(0, Math.min(cursor, block.number) - OVERLAP);
    const { registeredAt } = await answer(session.contracts.nodes.factsOf(nodeId, blockTag(block)));
    await this.#scanner.back(filter, block.number, 0, async (logs, down) => {
      if (await take(logs)) return true;
      if (down > recent || down === 0) return false;
      // Nothing was granted before the node was registered.
      const then = await session.provider.getBlock(down);
      return then !== null && BigInt(then.timestamp) < registeredAt;
    });
    const missing = shortBy(node, found);
    if (missing !== this.#told && missing !== "") {
      logger.warn(
        { missing },
        "the chain counts units of this node whose leases its events do not show: looking again",
      );
    }
    this.#told = missing;
    return found;
  }

  async #take(leases: Map<number, Lease>, cursor: number): Promise<void> {
    const before = this.live().map((lease) => lease.id);
    this.#leases = leases;
    this.#cursor = cursor;
    const now = this.live().map((lease) => lease.id);
    if (now.join() === before.join()) return;
    const { file, nodeId, session } = this.#context;
    if (file === undefined) return;
    const chainId = Number((await session.provider.getNetwork()).chainId);
    await saveState(file, FILE, { nodeId, chainId, block: cursor, leases: now });
  }

  async #load(): Promise<void> {
    if (this.#loaded) return;
    const { file, nodeId, session, logger } = this.#context;
    const state = file === undefined ? undefined : await loadState(file, FILE, logger);
    this.#loaded = true;
    const { chainId } = await session.provider.getNetwork();
    if (state?.nodeId !== nodeId || BigInt(state.chainId) !== chainId) return;
    // A chain that was started again does not have them.
    const block = await session.reader.block();
    if (block.number < state.block) return;
    const read = await session.reader.leasesThatExist(block, state.leases);
    this.#leases = new Map(read.filter((lease) => lease.nodeId === nodeId).map((lease) => [lease.id, lease]));
    this.#cursor = state.block;
  }
}

/** Whether a lease can still change. */
export function isLive({ status }: Pick<Lease, "status">): boolean {
  return ["active", "moving", "delivered", "disputed"].includes(status);
}

/**
 * Whether the node's record counts units that these leases do not account for.
 *
 * @throws RpcUnavailableError if they account for more: then record and leases are not of one block.
 */
function isShort(node: Node, leases: ReadonlyMap<number, Lease>): boolean {
  const { leased, undecided } = unitsOf(leases);
  if (leased > node.leased || undecided > node.undecided) {
    throw behind(
      `shows leases of ${String(leased)} and ${String(undecided)} units, and a node with ${String(node.leased)} and ${String(node.undecided)}`,
    );
  }
  return leased < node.leased || undecided < node.undecided;
}

function shortBy(node: Node, leases: ReadonlyMap<number, Lease>): string {
  const { leased, undecided } = unitsOf(leases);
  if (leased === node.leased && undecided === node.undecided) return "";
  return `${String(node.leased - leased)} leased, ${String(node.undecided - undecided)} delivered`;
}

function unitsOf(leases: ReadonlyMap<number, Lease>): { leased: number; undecided: number } {
  let [leased, undecided] = [0, 0];
  for (const { status, count } of leases.values()) {
    if (status === "active" || status === "moving") leased += count;
    if (status === "delivered" || status === "disputed") undecided += count;
  }
  return { leased, undecided };
}

function topicOf(nodeId: number): string {
  return `0x${nodeId.toString(16).padStart(64, "0")}`;
}

function behind(what: string): RpcUnavailableError {
  return new RpcUnavailableError(
    "behind",
    `The RPC endpoint ${what}; its answers come from different blocks. Wait until it has caught up, or use another one.`,
  );
}
