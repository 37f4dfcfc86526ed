import { Interface } from "ethers";

import { type BlockReference, BlockTracker } from "@verai/client/block-reference";
import { abiOf } from "@verai/client/abi";
import type { ContractName } from "@verai/client/contract-names";
import type { Lease, Node, ReportState, Task } from "@verai/client/entities";
import type { EventLog } from "@verai/client/event-logs";
import { Follower } from "@verai/client/follower";
import { readInPieces } from "@verai/client/pieces";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import { reportsOf } from "@verai/client/report";
import { readReporters, readReportStatesById, type Reporter } from "@verai/client/telemetry";
import { monotonicMs } from "@verai/system/clock";

/** Contracts whose events name the leases and nodes that they change. */
const SOURCES = {
  LeaseRegistry: "leases",
  NodeRegistry: "nodes",
  Supply: "supply",
  Telemetry: "telemetry",
  Balancer: "balancer",
  EnergyLedger: "ledger",
} as const satisfies Partial<Record<ContractName, keyof Reader["contracts"]>>;

/**
 * Leases that one step backwards looks at, and entities that one request names. A live lease takes 17,000 gas to be read, a node 45,000
 * and 64,000 with the longest endpoint: a request stays below 2^24, the maximum of a call at some endpoints. One that takes more
 * fails after all that gas was used, and is halved.
 */
const BACK = 600;
const STEP = 200;
/** Requests of a first look that are under way at the same time. */
const AT_ONCE = 3;
/** Time for which a paid lease is looked for that is to be set against its baseline, seconds; see the keeper of reports. */
const PAID_SECONDS = 24 * 3600;

const TABLES = {
  nodes: "id INTEGER PRIMARY KEY, data TEXT NOT NULL",
  leases: "id INTEGER PRIMARY KEY, data TEXT NOT NULL",
  tasks: "id INTEGER PRIMARY KEY, data TEXT NOT NULL",
  paid: "id INTEGER PRIMARY KEY, delivered INTEGER NOT NULL, again INTEGER NOT NULL",
  touched: "block INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL",
};

/** A node, its reportState by its reports, and who reports for it. */
export interface MirroredNode {
  readonly node: Node;
  readonly reportState: ReportState;
  readonly reporter: Reporter;
}

/** What the mirror needs of a task; none of it changes. */
export type MirroredTask = Pick<Task, "id" | "deadline" | "classes" | "maxPrice">;

/** What the chain has at a block, as far as keepers need it. */
export interface MirrorLook {
  readonly block: BlockReference;
  readonly nodes: ReadonlyMap<number, MirroredNode>;
  /** Leases that can still change. */
  readonly leases: ReadonlyMap<number, Lease>;
  readonly tasks: ReadonlyMap<number, MirroredTask>;
}

interface Touched {
  readonly nodes: Set<number>;
  readonly leases: Set<number>;
}

/**
 * All nodes and all live leases, kept up to date by events, so that a cycle costs what has changed: which leases and nodes an
 * event names is read again at the newest block, so that what is here is always what the contracts say, and an event only says
 * where to look. It is kept in a database and goes on from there after a restart.
 *
 * Its first look reads all nodes, and leases from the newest back until they account for all units that the nodes' records count
 * as leased or undecided: history is not read.
 */
export class Mirror {
  readonly #reader: Reader;
  readonly #file: string;
  readonly #freshMs: number;
  readonly #track: BlockTracker;
  readonly #names = new Map<
    string,
    (log: Pick<EventLog, "topics" | "data">) => readonly (readonly ["nodes" | "leases", number])[]
  >();
  readonly #nodes = new Map<number, MirroredNode>();
  readonly #leases = new Map<number, Lease>();
  readonly #tasks = new Map<number, MirroredTask>();
  #follower: Follower | undefined;
  #dirty: Touched = { nodes: new Set(), leases: new Set() };
  #looking: Promise<MirrorLook> | undefined;
  #last: { readonly look: MirrorLook; readonly at: number } | undefined;

  /**
   * @param file Where it is kept; left out: in memory.
   * @param freshMs Milliseconds for which a look counts: the keepers of a process look at about the same time.
   */
  constructor(reader: Reader, file = ":memory:", freshMs = 0) {
    this.#reader = reader;
    this.#file = file;
    this.#freshMs = freshMs;
    this.#track = new BlockTracker(reader.provider);
    for (const name of Object.keys(SOURCES) as (keyof typeof SOURCES)[]) {
      const contract = new Interface(abiOf(name));
      contract.forEachEvent((event) => {
        if (event.name === "Reported") {
          // One event for all reports of a batch.
          this.#names.set(event.topicHash, ({ topics, data }) =>
            reportsOf(String(contract.decodeEventLog(event, data, topics)["reports"])).map(
              ({ nodeId }) => ["nodes", nodeId] as const,
            ),
          );
          return;
        }
        const places = event.inputs.filter(({ indexed }) => indexed).map((input) => kindOf(input.name));
        if (!places.some((kind) => kind !== undefined)) return;
        this.#names.set(event.topicHash, ({ topics }) =>
          places.flatMap((kind, i) => (kind === undefined ? [] : [[kind, Number(topics[i + 1])] as const])),
        );
      });
    }
  }

  /** The newest block's state. Looks of a moment ago, and those under way, are shared. */
  async look(): Promise<MirrorLook> {
    if (this.#last && monotonicMs() - this.#last.at < this.#freshMs) return this.#last.look;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Leases that were paid lately and that are to be looked at now. @param now Chain time, seconds. */
  paid(now: number, most: number): { readonly id: number; readonly delivered: number }[] {
    const rows = this.#follower?.db
      .prepare("SELECT id, delivered FROM paid WHERE again <= ? ORDER BY again LIMIT ?")
      .all(now, most);
    return (rows ?? []).map((row) => ({ id: Number(row["id"]), delivered: Number(row["delivered"]) }));
  }

  /** When a paid lease is to be looked at again, chain time; Infinity: never. */
  lookAgain(id: number, at: number): void {
    const db = this.#follower?.db;
    if (at === Infinity) db?.prepare("DELETE FROM paid WHERE id = ?").run(id);
    else db?.prepare("UPDATE paid SET again = ? WHERE id = ?").run(at, id);
  }

  /** Ends the work with the database. */
  close(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  async #look(): Promise<MirrorLook> {
    const follower = (this.#follower ??= await this.#open());
    const { contracts } = this.#reader;
    const { block, reorganised, before } = await this.#track.nextUnconfirmed();
    const at = blockTag(block);
    const position = follower.position;
    const [hash, positionHash, leaseCount, nodeCount] = await Promise.all([
      before && answer(contracts.lens.hashOf(before.number, at)),
      position && position.number < block.number ? answer(contracts.lens.hashOf(position.number, at)) : undefined,
      answer(contracts.leases.leaseCount(at)),
      answer(contracts.nodes.nodeCount(at)),
    ]);
    const isNew = before && hash !== undefined ? this.#track.confirm(block, before, hash) : reorganised;
    const moved =
      position && positionHash !== undefined && BigInt(positionHash) !== 0n && positionHash !== position.hash;
    if (position && (isNew || moved === true || position.number > block.number)) await this.#undo(follower);
    if (!follower.position) await this.#begin(follower, block, Number(leaseCount), Number(nodeCount));
    else await this.#follow(follower, block, Number(leaseCount), Number(nodeCount));
    const look = { block, nodes: this.#nodes, leases: this.#leases, tasks: this.#tasks };
    this.#last = { look, at: monotonicMs() };
    return look;
  }

  async #open(): Promise<Follower> {
    const { contracts, provider } = this.#reader;
    const address = await Promise.all(Object.values(SOURCES).map((key) => contracts[key].getAddress()));
    const { chainId } = await provider.getNetwork();
    const follower = new Follower({
      source: provider as unknown as { send(method: string, params: unknown[]): Promise<unknown> },
      filter: { address, topics: [[...this.#names.keys()]] },
      file: this.#file,
      identity: `mirror 1 of ${String(chainId)} ${address.join()}`,
      tables: TABLES,
    });
    for (const [id, data] of rowsOf(follower, "nodes")) this.#nodes.set(id, data as MirroredNode);
    for (const [id, data] of rowsOf(follower, "leases")) this.#leases.set(id, data as Lease);
    for (const [id, data] of rowsOf(follower, "tasks")) this.#tasks.set(id, data as MirroredTask);
    const touched = follower.db.prepare("SELECT kind, id FROM touched WHERE block > ?").all(numberOf(follower, "read"));
    for (const row of touched) this.#dirty[row["kind"] === "nodes" ? "nodes" : "leases"].add(Number(row["id"]));
    return follower;
  }

  /** Reads everything that is live at a block. */
  async #begin(follower: Follower, block: BlockReference, leaseCount: number, nodeCount: number): Promise<void> {
    this.#nodes.clear();
    this.#leases.clear();
    this.#tasks.clear();
    const all = Array.from({ length: nodeCount }, (_, i) => i + 1);
    const nodes = await this.#readNodes(block, all);
    let [leased, undecided] = [0, 0];
    for (const { node } of nodes) {
      leased += node.leased;
      undecided += node.undecided;
    }
    const leases: Lease[] = [];
    // The first step is often the last.
    for (let [to, steps] = [leaseCount, 1]; to > 0 && (leased > 0 || undecided > 0); steps = AT_ONCE) {
      const froms = Array.from({ length: steps }, (_, i) => to - i * BACK).filter((from) => from > 0);
      const found = await readInPieces(froms, { size: 1, atOnce: AT_ONCE }, async ([last = 0]) => {
        const from = Math.max(1, last - BACK + 1);
        return this.#reader.liveLeases(block, from, last - from + 1);
      });
      to -= steps * BACK;
      for (const { status, count } of found) {
        if (status === "active" || status === "moving") leased -= count;
        else undecided -= count;
      }
      leases.push(...found);
    }
    const tasks = await this.#readTasks(block, new Set(leases.map(({ taskId }) => taskId)));
    follower.begin(block, () => {
      for (const name of Object.keys(TABLES)) follower.db.exec(`DELETE FROM ${name}`);
      this.#keep(follower, nodes, leases, [], tasks);
      this.#done(follower, block, leaseCount);
    });
    this.#dirty = { nodes: new Set(), leases: new Set() };
    await this.#addPaid(follower, block, leaseCount);
  }

  /** Leases that were paid before the first look, as far as their time for being set against a baseline is not long over. */
  async #addPaid(follower: Follower, block: BlockReference, leaseCount: number): Promise<void> {
    // One step: a keeper that begins with nothing does not read history; what is older another keeper has seen.
    const from = Math.max(1, leaseCount - STEP + 1);
    const recent = leaseCount === 0 ? [] : await this.#reader.leases(block, from, leaseCount);
    follower.transaction(() => {
      for (const { id, status, result } of recent) {
        if (status === "paid" && result && result.deliveredAt + PAID_SECONDS > block.timestamp) {
          follower.db.prepare("INSERT OR IGNORE INTO paid VALUES (?, ?, 0)").run(id, result.deliveredAt);
        }
      }
    });
  }

  /** Takes in what has changed since the last look. */
  async #follow(follower: Follower, block: BlockReference, leaseCount: number, nodeCount: number): Promise<void> {
    // What an earlier look could not read again is still to be read.
    const dirty = this.#dirty;
    await follower.advance(block, ({ logs }) => {
      const insert = follower.db.prepare("INSERT INTO touched VALUES (?, ?, ?)");
      for (const { block: number, ...log } of logs) {
        for (const [kind, id] of this.#names.get(log.topics[0] ?? "")?.(log) ?? []) {
          dirty[kind].add(id);
          insert.run(number, kind, id);
        }
      }
      follower.db.prepare("DELETE FROM touched WHERE block < ?").run(block.number - 1_024);
    });
    // Ids are given out one after the other: what has no event yet is seen all the same.
    const known = numberOf(follower, "leases");
    for (let id = Math.max(known + 1, leaseCount - 10_000); id <= leaseCount; id++) dirty.leases.add(id);
    for (let id = this.#nodes.size + 1; id <= nodeCount; id++) dirty.nodes.add(id);
    // Only a reorganisation takes a registration back; a look at an endpoint that lags is refused before.
    for (const id of [...this.#nodes.keys(), ...dirty.nodes]) {
      if (id <= nodeCount) continue;
      dirty.nodes.delete(id);
      this.#nodes.delete(id);
      follower.db.prepare("DELETE FROM nodes WHERE id = ?").run(id);
    }
    if (dirty.nodes.size === 0 && dirty.leases.size === 0) {
      this.#done(follower, block, leaseCount);
      return;
    }
    const leases = await this.#reader.leasesThatExist(block, [...dirty.leases]);
    for (const { nodeId } of leases) dirty.nodes.add(nodeId);
    const missing = new Set(leases.filter(({ taskId }) => !this.#tasks.has(taskId)).map(({ taskId }) => taskId));
    const [nodes, tasks] = await Promise.all([
      this.#readNodes(block, [...dirty.nodes]),
      this.#readTasks(block, missing),
    ]);
    const read = new Set(leases.map(({ id }) => id));
    const gone = [...dirty.leases].filter((id) => !read.has(id));
    follower.transaction(() => {
      this.#keep(follower, nodes, leases, gone, tasks);
      this.#done(follower, block, leaseCount);
    });
    this.#dirty = { nodes: new Set(), leases: new Set() };
  }

  /** After a reorganisation: all that was touched since the block in common is read again. */
  async #undo(follower: Follower): Promise<void> {
    const hashOf = async (number: number): Promise<string | undefined> =>
      (await this.#reader.provider.getBlock(number))?.hash ?? undefined;
    await follower.undo(hashOf, (after) => {
      const rows = follower.db.prepare("SELECT kind, id FROM touched WHERE block > ?").all(after ?? -1);
      for (const row of rows) this.#dirty[row["kind"] === "nodes" ? "nodes" : "leases"].add(Number(row["id"]));
      follower.db.prepare("DELETE FROM touched WHERE block > ?").run(after ?? -1);
      const row = follower.db.prepare("SELECT MAX(id) AS id FROM leases").get();
      this.#done(follower, { number: after ?? 0 }, Number(row?.["id"] ?? 0));
    });
  }

  /** Notes that everything up to a block was read again: what was touched after it is not yet, should the process end here. */
  #done(follower: Follower, { number }: Pick<BlockReference, "number">, leaseCount: number): void {
    const put = follower.db.prepare("INSERT OR REPLACE INTO follower VALUES (?, ?)");
    put.run("leases", String(leaseCount));
    put.run("read", String(number));
  }

  async #readNodes(block: BlockReference, ids: readonly number[]): Promise<MirroredNode[]> {
    return readInPieces(ids, { size: STEP, atOnce: AT_ONCE }, async (some) => {
      const [nodes, reportStates, reporters] = await Promise.all([
        this.#reader.nodesById(block, some),
        readReportStatesById(this.#reader, block, some),
        readReporters(this.#reader, block, some),
      ]);
      const reportStateOf = new Map(reportStates.map((reportState) => [reportState.nodeId, reportState]));
      return nodes.flatMap((node) => {
        const [reportState, reporter] = [reportStateOf.get(node.id), reporters.get(node.id)];
        return reportState && reporter ? [{ node, reportState, reporter }] : [];
      });
    });
  }

  async #readTasks(block: BlockReference, ids: ReadonlySet<number>): Promise<MirroredTask[]> {
    const tasks = await readInPieces([...ids], { size: STEP, atOnce: AT_ONCE }, async (some) =>
      this.#reader.tasksById(block, some),
    );
    return tasks.map(({ id, deadline, classes, maxPrice }) => ({ id, deadline, classes, maxPrice }));
  }

  /** Writes what was read into memory and database. */
  #keep(
    follower: Follower,
    nodes: readonly MirroredNode[],
    leases: readonly Lease[],
    gone: readonly number[],
    tasks: readonly MirroredTask[],
  ): void {
    const put = (table: string) => follower.db.prepare(`INSERT OR REPLACE INTO ${table} VALUES (?, ?)`);
    const drop = follower.db.prepare("DELETE FROM leases WHERE id = ?");
    const [putNode, putLease, putTask] = [put("nodes"), put("leases"), put("tasks")];
    for (const each of nodes) {
      this.#nodes.set(each.node.id, each);
      putNode.run(each.node.id, encode(each));
    }
    for (const task of tasks) {
      this.#tasks.set(task.id, task);
      putTask.run(task.id, encode(task));
    }
    for (const lease of leases) {
      if (isLive(lease)) {
        this.#leases.set(lease.id, lease);
        putLease.run(lease.id, encode(lease));
        continue;
      }
      this.#leases.delete(lease.id);
      drop.run(lease.id);
      if (lease.status === "paid") {
        follower.db
          .prepare("INSERT OR IGNORE INTO paid VALUES (?, ?, 0)")
          .run(lease.id, lease.result?.deliveredAt ?? 0);
      }
    }
    for (const id of gone) {
      this.#leases.delete(id);
      drop.run(id);
    }
    this.#dropTasks(follower);
  }

  /** Tasks that no live lease is of, once they are many: their number is bounded by that of the leases. */
  #dropTasks(follower: Follower): void {
    if (this.#tasks.size <= 2 * this.#leases.size + 64) return;
    const used = new Set([...this.#leases.values()].map(({ taskId }) => taskId));
    for (const id of this.#tasks.keys()) {
      if (used.has(id)) continue;
      this.#tasks.delete(id);
      follower.db.prepare("DELETE FROM tasks WHERE id = ?").run(id);
    }
  }
}

function isLive({ status }: Lease): boolean {
  return ["active", "moving", "delivered", "disputed"].includes(status);
}

/** What an indexed argument of an event names. */
function kindOf(name: string): "nodes" | "leases" | undefined {
  if (/^(nodeId|fromNode|toNode)$/.test(name)) return "nodes";
  return /^(leaseId|orphanId|acceptedLease|parentLease)$/.test(name) ? "leases" : undefined;
}

function numberOf(follower: Follower, key: string): number {
  return Number(follower.db.prepare("SELECT value FROM follower WHERE key = ?").get(key)?.["value"] ?? 0);
}

function rowsOf(follower: Follower, table: string): [number, unknown][] {
  return follower.db
    .prepare(`SELECT id, data FROM ${table}`)
    .all()
    .map((row) => [Number(row["id"]), decode(String(row["data"]))]);
}

/** JSON in which whole numbers of any size keep their value. */
function encode(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? { n: each.toString() } : each));
}

function decode(text: string): unknown {
  return JSON.parse(text, (_, each: unknown) => {
    const isBig = typeof each === "object" && each !== null && "n" in each && Object.keys(each).length === 1;
    return isBig ? BigInt(String(each.n)) : each;
  });
}
