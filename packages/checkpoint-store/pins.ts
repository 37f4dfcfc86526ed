import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { CID } from "multiformats/cid";
import { z } from "zod";

import { encodeState, loadState, setAside, type StateKind } from "@verai/system/state-file";
import type { DagSummary } from "./dag.ts";
import { fsyncPath, writeDurably } from "./files.ts";
import type { References } from "./references.ts";
import type { Log } from "./log.ts";

/** Content that garbage collection leaves alone. */
export interface Pin {
  cid: CID;
  /** Who pinned it; the pin goes with the last of them. */
  labels: string[];
  /** Size of the whole content in bytes, as {@link DagSummary.size}. */
  size: number;
  /** Number of distinct blocks. */
  blocks: number;
}

const PIN = {
  what: "pin",
  version: 1,
  // A name for each MiB: enough for some 4 TiB.
  maxBytes: 2 ** 28,
  schema: z.object({
    cid: z.string(),
    labels: z.array(z.string()),
    size: z.number().nonnegative(),
    /** Names of all blocks: collecting garbage reads no block, and damage to one can't endanger the others. */
    blocks: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  }),
} satisfies StateKind<z.ZodType>;
type PinRecord = z.output<(typeof PIN)["schema"]>;

/**
 * The pins, each a small JSON file. Helia's own pins read every leaf, write one file per block, and leave counts behind
 * when interrupted; these are written at once or not at all.
 */
export class Pins {
  readonly #directory: string;
  readonly #temporary: string;
  readonly #references: References;
  readonly #records = new Map<string, PinRecord>();
  /** Names of the blocks of those that were asked for; made when it is first needed. */
  readonly #blocks = new Map<string, ReadonlySet<string>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, temporary: string, references: References) {
    this.#directory = directory;
    this.#temporary = temporary;
    this.#references = references;
  }

  /** Reads all pins. A file that is no pin is reported and set aside: its content is added or fetched again. */
  async load(log: Log): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith(".json")) continue;
      const file = join(this.#directory, name);
      try {
        const record = await loadState(file, PIN, log);
        if (!record) continue;
        if (!isCidOf(record.cid, name)) {
          await setAside(file, "The pin", `it is one of ${record.cid}`, log);
          continue;
        }
        this.#records.set(record.cid, record);
        for (const block of record.blocks) this.#references.add(block);
      } catch (error) {
        log.error({ file, err: error }, "A pin can't be read now; its content counts as not pinned");
      }
    }
  }

  /** Pins the content, all of whose blocks are in the store, durably. Again with the same label changes nothing. */
  async add(cid: CID, dag: DagSummary, label: string): Promise<void> {
    await this.#inTurn(async () => {
      const key = cid.toString();
      const present = this.#records.get(key);
      if (present?.labels.includes(label) === true) return;
      const labels = [...(present?.labels ?? []), label];
      const record: PinRecord = { cid: key, labels, size: dag.size, blocks: dag.names };
      await this.#write(record);
      if (present === undefined) for (const name of record.blocks) this.#references.add(name);
    });
  }

  /** Takes a label off. @returns whether it existed. */
  async remove(cid: CID, label: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const record = this.#records.get(cid.toString());
      if (record?.labels.includes(label) !== true) return false;
      const labels = record.labels.filter((other) => other !== label);
      if (labels.length > 0) {
        await this.#write({ ...record, labels });
        return true;
      }
      await rm(this.#fileOf(record.cid), { force: true });
      await fsyncPath(this.#directory);
      this.#records.delete(record.cid);
      this.#blocks.delete(record.cid);
      for (const name of record.blocks) this.#references.release(name);
      return true;
    });
  }

  /** All pins, in order of their CIDs. */
  list(): Pin[] {
    return [...this.#records.values()]
      .sort((a, b) => (a.cid < b.cid ? -1 : 1))
      .map(({ cid, labels, size, blocks }) => ({
        cid: CID.parse(cid),
        labels: [...labels],
        size,
        blocks: blocks.length,
      }));
  }

  /** Labels and blocks of what is pinned under a CID; undefined if nothing is. O(1) but for the first time. */
  find(cid: string): { readonly labels: readonly string[]; readonly blocks: ReadonlySet<string> } | undefined {
    const record = this.#records.get(cid);
    if (!record) return undefined;
    const blocks = this.#blocks.get(cid) ?? new Set(record.blocks);
    this.#blocks.set(cid, blocks);
    return { labels: record.labels, blocks };
  }

  async #write(record: PinRecord): Promise<void> {
    await writeDurably(this.#fileOf(record.cid), encodeState(PIN, record), this.#temporary);
    this.#records.set(record.cid, record);
  }

  #fileOf(cid: string): string {
    return join(this.#directory, `${cid}.json`);
  }

  /** One change after another: labels are read, changed and written back. */
  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function isCidOf(text: string, file: string): boolean {
  try {
    return `${CID.parse(text).toString()}.json` === file;
  } catch {
    return false;
  }
}
