import { toBeHex, zeroPadValue } from "ethers";

import { type OpenedAudit, type SegmentId, toOpened } from "@verai/client/audit-reads";
import { type BlockReference, BlockTracker } from "@verai/client/block-reference";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { type EventLog, LogScanner } from "@verai/client/event-logs";
import { Follower } from "@verai/client/follower";
import type { Reader } from "@verai/client/readers";
import { headAfter, type Link, linkHash, NO_HEAD } from "@verai/protocol/audits/segments";
import type { TracedSegment } from "./audits-plan.ts";

/** How far back an index that begins looks, seconds: longer than segments wait for their seed, and audits last. */
const LOOK_BACK_SECONDS = 2 * 86_400;
/** Time between two blocks of BASE, seconds. */
const BLOCK_SECONDS = 2;
/** Blocks that are asked for at the same time. */
const BLOCKS_AT_ONCE = 50;

const TABLES = {
  posts:
    "lease INTEGER NOT NULL, sequence INTEGER NOT NULL, block INTEGER NOT NULL, root TEXT NOT NULL, digest TEXT NOT NULL, " +
    "progress INTEGER NOT NULL, at INTEGER, codec INTEGER NOT NULL, size TEXT NOT NULL, PRIMARY KEY (lease, sequence)",
  audits:
    "lease INTEGER NOT NULL, sequence INTEGER NOT NULL, block INTEGER NOT NULL, opened TEXT NOT NULL, done INTEGER, " +
    "PRIMARY KEY (lease, sequence)",
  audited: "id INTEGER PRIMARY KEY, count INTEGER NOT NULL, price INTEGER NOT NULL, asked INTEGER NOT NULL",
};

/** What shows that a segment was posted. */
export interface SegmentProof {
  readonly before: Link | undefined;
  readonly end: Link;
  /** Head of the lease's checkpoints before the segment's first. */
  readonly head: string;
  /** Hashes of the links after it. */
  readonly later: readonly string[];
}

/**
 * Checkpoints with trace roots, and audits, by events: what keepers find drawn segments by, and prove them with. Costs what is audited:
 * checkpoints of other tasks are not read. Kept in a database, from which it goes on after a restart; what a reorganisation undoes is
 * undone.
 */
export class AuditIndex {
  readonly #reader: Reader;
  readonly #file: string;
  readonly #lookBack: number | undefined;
  readonly #track: BlockTracker;
  readonly #scanner: LogScanner;
  #follower: Follower | undefined;

  /**
   * @param file Where it is kept; left out: in memory.
   * @param lookBack Blocks before the newest from which on an index that begins reads; left out: two days of them, or all of a local chain.
   */
  constructor(reader: Reader, file = ":memory:", lookBack?: number) {
    this.#reader = reader;
    this.#file = file;
    this.#lookBack = lookBack;
    this.#track = new BlockTracker(reader.provider);
    this.#scanner = new LogScanner(this.#source());
  }

  /** Takes in what has happened since the last look. O(traced checkpoints and audits since). @returns The newest block. */
  async look(): Promise<BlockReference> {
    const follower = (this.#follower ??= await this.#open());
    const { block, reorganised } = await this.#track.next();
    const position = follower.position;
    const isOther = position && (await this.#hashOf(position.number)) !== position.hash;
    if (position && (reorganised || isOther === true)) await this.#undo(follower);
    if (!follower.position) await this.#begin(follower, block);
    await follower.advance(block, ({ logs }) => {
      this.#take(follower, logs);
    });
    await this.#complete(follower);
    await this.#learnLeases(follower, block);
    return block;
  }

  /** Segments that were posted after a time, by ascending time. */
  since(at: number): TracedSegment[] {
    const rows = this.#db
      .prepare(
        "SELECT p.lease, p.sequence, p.at, p.progress - COALESCE((SELECT b.progress FROM posts b WHERE b.lease = p.lease AND " +
          "b.sequence = p.sequence - 1), 0) AS gain, a.count, a.price, a.asked FROM posts p JOIN audited a ON a.id = p.lease " +
          "WHERE p.at > ? ORDER BY p.at, p.lease, p.sequence",
      )
      .all(at);
    return rows.map((row) => ({
      ...{ leaseId: Number(row["lease"]), sequence: Number(row["sequence"]), at: Number(row["at"]) },
      progress: Number(row["gain"]),
      lease: { count: Number(row["count"]), price: Number(row["price"]), asked: Number(row["asked"]) },
    }));
  }

  /** Whether an audit of a segment was opened. */
  isOpened({ leaseId, sequence }: SegmentId): boolean {
    return (
      this.#db.prepare("SELECT 1 FROM audits WHERE lease = ? AND sequence = ?").get(leaseId, sequence) !== undefined
    );
  }

  /** Audits that something may still be due of. */
  audits(): OpenedAudit[] {
    const rows = this.#db.prepare("SELECT opened FROM audits WHERE done IS NULL ORDER BY block, lease, sequence").all();
    return rows.map((row) => JSON.parse(String(row["opened"])) as OpenedAudit);
  }

  /** Notes that nothing is due of an audit any longer, as of a block. */
  markDone({ leaseId, sequence }: SegmentId, block: number): void {
    this.#db.prepare("UPDATE audits SET done = ? WHERE lease = ? AND sequence = ?").run(block, leaseId, sequence);
  }

  /**
   * What shows that a segment was posted. Checkpoints of its lease from before this index began are read now: O(their blocks).
   *
   * @returns Undefined if its links are not all to be had.
   */
  async proofOf({ leaseId, sequence }: SegmentId): Promise<SegmentProof | undefined> {
    await this.#fill(leaseId);
    const rows = this.#db.prepare("SELECT * FROM posts WHERE lease = ? ORDER BY sequence").all(leaseId);
    const links = rows.map(toLink);
    if (links.some((link, i) => link.sequence !== i + 1)) return undefined;
    const end = links[sequence - 1];
    if (!end) return undefined;
    const hashes = links.map(linkHash);
    return {
      before: links[sequence - 2],
      end,
      head: headAfter(NO_HEAD, hashes.slice(0, Math.max(0, sequence - 2))),
      later: hashes.slice(sequence),
    };
  }

  /** Forgets leases that post no longer. @param keep Leases that do. @param at What was posted before is over. */
  prune(keep: ReadonlySet<number>, at: number): void {
    const rows = this.#db.prepare("SELECT lease FROM posts GROUP BY lease HAVING MAX(at) < ?").all(at);
    for (const row of rows) {
      const lease = Number(row["lease"]);
      const running = this.#db.prepare("SELECT 1 FROM audits WHERE lease = ? AND done IS NULL").get(lease);
      if (keep.has(lease) || running !== undefined) continue;
      for (const [table, column] of [
        ["posts", "lease"],
        ["audits", "lease"],
        ["audited", "id"],
      ]) {
        this.#db.prepare(`DELETE FROM ${String(table)} WHERE ${String(column)} = ?`).run(lease);
      }
    }
  }

  /** Ends the work with the database. */
  close(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  get #db() {
    if (!this.#follower) throw new Error("the index of audits was not looked at yet");
    return this.#follower.db;
  }

  async #open(): Promise<Follower> {
    const { checkpoints, audits } = this.#reader.contracts;
    const address = await Promise.all([checkpoints.getAddress(), audits.getAddress()]);
    const { chainId } = await this.#reader.provider.getNetwork();
    const topics = [
      checkpoints.interface.getEvent("CheckpointTraced").topicHash,
      audits.interface.getEvent("AuditOpened").topicHash,
    ];
    return new Follower({
      source: this.#source(),
      filter: { address, topics: [topics] },
      file: this.#file,
      identity: `audits 2 of ${String(chainId)} ${address.join()}`,
      tables: TABLES,
    });
  }

  /** Begins at a block from which on everything is read that may still matter. A local chain is read from its beginning. */
  async #begin(follower: Follower, block: BlockReference): Promise<void> {
    const { chainId } = await this.#reader.provider.getNetwork();
    const usual = chainId === BigInt(LOCAL_CHAIN_ID) ? block.number : LOOK_BACK_SECONDS / BLOCK_SECONDS;
    const number = Math.max(0, block.number - (this.#lookBack ?? usual));
    const hash = await this.#hashOf(number);
    if (hash === undefined) return;
    follower.begin({ number, hash, timestamp: 0 }, () => {
      for (const name of Object.keys(TABLES)) follower.db.exec(`DELETE FROM ${name}`);
    });
  }

  #take(follower: Follower, logs: readonly EventLog[]): void {
    const { checkpoints, audits } = this.#reader.contracts;
    const traced = checkpoints.interface.getEvent("CheckpointTraced").topicHash;
    const post = follower.db.prepare(
      "INSERT OR REPLACE INTO posts (lease, sequence, block, root, digest, progress, codec, size, at) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    const audit = follower.db.prepare(
      "INSERT OR REPLACE INTO audits (lease, sequence, block, opened) VALUES (?, ?, ?, ?)",
    );
    for (const log of logs) {
      if (log.topics[0] === traced) {
        const said = checkpoints.interface.decodeEventLog("CheckpointTraced", log.data, log.topics);
        post.run(
          ...[Number(said["leaseId"]), Number(said["sequence"]), log.block, String(said["traceRoot"])],
          ...[String(said["digest"]), Number(said["progress"]), Number(said["codec"]), String(said["size"])],
          log.timestamp ?? null,
        );
        continue;
      }
      const opened = toOpened(audits, log);
      if (opened) audit.run(opened.leaseId, opened.sequence, log.block, JSON.stringify(opened));
    }
  }

  /** Reads what logs need not say: when checkpoints were posted. O(blocks of theirs). */
  async #complete(follower: Follower): Promise<void> {
    const times = await this.#timesOf(follower);
    if (times.size === 0) return;
    follower.transaction(() => {
      const put = follower.db.prepare("UPDATE posts SET at = ? WHERE block = ? AND at IS NULL");
      for (const [number, time] of times) put.run(time, number);
    });
  }

  async #timesOf(follower: Follower): Promise<Map<number, number>> {
    const rows = follower.db.prepare("SELECT DISTINCT block FROM posts WHERE at IS NULL").all();
    const numbers = rows.map((row) => Number(row["block"]));
    const times = new Map<number, number>();
    for (let from = 0; from < numbers.length; from += BLOCKS_AT_ONCE) {
      const some = numbers.slice(from, from + BLOCKS_AT_ONCE);
      const found = await Promise.all(some.map(async (number) => this.#reader.provider.getBlock(number)));
      for (const block of found) if (block) times.set(block.number, block.timestamp);
    }
    return times;
  }

  /** Reads, once each, leases that have begun to post, with what their tasks ask for. */
  async #learnLeases(follower: Follower, block: BlockReference): Promise<void> {
    const rows = follower.db
      .prepare("SELECT DISTINCT lease FROM posts WHERE lease NOT IN (SELECT id FROM audited)")
      .all();
    if (rows.length === 0) return;
    const leases = await this.#reader.leasesThatExist(
      block,
      rows.map((row) => Number(row["lease"])),
    );
    const tasks = await this.#reader.tasksById(block, [...new Set(leases.map(({ taskId }) => taskId))]);
    const asked = new Map(tasks.map(({ id, auditChance }) => [id, auditChance]));
    const put = follower.db.prepare("INSERT OR REPLACE INTO audited VALUES (?, ?, ?, ?)");
    for (const { id, taskId, count, price } of leases) put.run(id, count, price, asked.get(taskId) ?? 0);
  }

  /** Reads a lease's checkpoints from before this index began, from the oldest that is known back to its first. */
  async #fill(leaseId: number): Promise<void> {
    const follower = this.#follower;
    if (!follower) return;
    const first = follower.db
      .prepare("SELECT sequence, block FROM posts WHERE lease = ? ORDER BY sequence LIMIT 1")
      .get(leaseId);
    if (!first || Number(first["sequence"]) === 1) return;
    const { checkpoints } = this.#reader.contracts;
    const traced = checkpoints.interface.getEvent("CheckpointTraced").topicHash;
    const filter = { address: [await checkpoints.getAddress()], topics: [[traced], [word(leaseId)]] };
    const logs: EventLog[] = [];
    await this.#scanner.back(filter, Number(first["block"]) - 1, 0, (found) => {
      logs.unshift(...found);
      return found.some((log) => {
        return Number(checkpoints.interface.decodeEventLog("CheckpointTraced", log.data, log.topics)["sequence"]) === 1;
      });
    });
    follower.transaction(() => {
      this.#take(follower, logs);
    });
    await this.#complete(follower);
  }

  async #undo(follower: Follower): Promise<void> {
    await follower.undo(
      async (number) => this.#hashOf(number),
      (after = -1) => {
        follower.db.prepare("DELETE FROM posts WHERE block > ?").run(after);
        follower.db.prepare("DELETE FROM audits WHERE block > ?").run(after);
        follower.db.prepare("UPDATE audits SET done = NULL WHERE done > ?").run(after);
        follower.db.exec("DELETE FROM audited WHERE id NOT IN (SELECT lease FROM posts)");
      },
    );
  }

  async #hashOf(number: number): Promise<string | undefined> {
    return (await this.#reader.provider.getBlock(number))?.hash ?? undefined;
  }

  #source() {
    return this.#reader.provider as unknown as { send(method: string, params: unknown[]): Promise<unknown> };
  }
}

function toLink(row: Record<string, unknown>): Link {
  return {
    ...{ sequence: Number(row["sequence"]), digest: String(row["digest"]), traceRoot: String(row["root"]) },
    ...{
      progress: Number(row["progress"]),
      at: Number(row["at"]),
      codec: Number(row["codec"]),
      size: BigInt(String(row["size"])),
    },
  };
}

function word(value: number): string {
  return zeroPadValue(toBeHex(value), 32);
}
