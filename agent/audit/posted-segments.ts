import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { loadState, saveState, type StateKind, type StateLog } from "@verai/system/state-file";
import type { ProducerTraces } from "./producer-traces.ts";

const natural = z.number().int().nonnegative();

const LEDGER = {
  what: "list of a lease's posted segments",
  version: 1,
  schema: z.object({
    segments: z.array(
      z.object({
        sequence: natural,
        /** CID of the checkpoint that ends it, and its digest as the chain has it. */
        cid: z.string(),
        digest: z.string(),
        codec: natural,
        size: natural,
        progress: natural,
        /** Trace root. */
        root: z.string(),
        /** When it was posted, chain time, seconds; left out until the chain has shown it. */
        at: natural.optional(),
        /** Whether that is only the latest that it can have been. */
        late: z.boolean().optional(),
        /** When its epoch had its seed at the latest, and whether the seed may have drawn it. */
        seededAt: natural.optional(),
        drawn: z.boolean().optional(),
        audit: z.enum(["open", "ended"]).optional(),
      }),
    ),
  }),
} satisfies StateKind<z.ZodType>;

/** A segment that this node has posted, or was about to. */
export type Posted = Readonly<z.output<(typeof LEDGER)["schema"]>["segments"][number]>;

/** Posts of one checkpoint number that are remembered: each has another digest, and none may have landed. */
const TRIES_KEPT = 8;

/**
 * What this node has posted of leases under audit, on disk, for as long as an audit can ask for it. Written before anything is posted: then
 * whatever has landed is known here. Leases by their ids; they may be over.
 */
export class PostedSegments {
  readonly #directory: string;
  readonly #traces: Pick<ProducerTraces, "remove">;
  readonly #log: StateLog | undefined;
  #leases: Map<number, readonly Posted[]> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(directory: string, traces: Pick<ProducerTraces, "remove">, log?: StateLog) {
    this.#directory = directory;
    this.#traces = traces;
    this.#log = log;
  }

  /** Ids of leases of which something is remembered. */
  async leases(): Promise<readonly number[]> {
    return [...(await this.#load()).keys()];
  }

  /** What is remembered of a lease, by ascending number; several of one number are tries, of which one may have landed. */
  async of(leaseId: number): Promise<readonly Posted[]> {
    return (await this.#load()).get(leaseId) ?? [];
  }

  /** Remembers durably what is about to be posted. */
  async add(leaseId: number, segment: Posted): Promise<void> {
    await this.update(leaseId, (segments) => {
      const others = segments.filter(({ digest }) => digest !== segment.digest);
      const same = others.filter(({ sequence }) => sequence === segment.sequence).slice(1 - TRIES_KEPT);
      return [...others.filter(({ sequence }) => sequence !== segment.sequence), ...same, segment];
    });
  }

  /** Changes what is remembered of a lease, one change after the other; the traces of what is left out go. */
  async update(leaseId: number, change: (segments: readonly Posted[]) => readonly Posted[]): Promise<void> {
    const turn = this.#turn.then(async () => {
      const leases = await this.#load();
      const before = leases.get(leaseId) ?? [];
      const after = change(before).toSorted((a, b) => a.sequence - b.sequence);
      if (after.length === before.length && after.every((segment, i) => segment === before[i])) return;
      const path = join(this.#directory, `${String(leaseId)}.json`);
      if (after.length === 0) {
        await rm(path, { force: true });
        leases.delete(leaseId);
      } else {
        await saveState(path, LEDGER, { segments: after });
        leases.set(leaseId, after);
      }
      const kept = new Set(after.map(({ root }) => root));
      for (const { root } of before) if (!kept.has(root)) await this.#traces.remove(root);
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async #load(): Promise<Map<number, readonly Posted[]>> {
    if (this.#leases) return this.#leases;
    const leases = new Map<number, readonly Posted[]>();
    for (const name of await readdir(this.#directory).catch(() => [])) {
      const leaseId = Number(/^(\d+)\.json$/.exec(name)?.[1]);
      if (!Number.isInteger(leaseId)) continue;
      const state = await loadState(join(this.#directory, name), LEDGER, this.#log);
      if (state) leases.set(leaseId, state.segments);
    }
    return (this.#leases ??= leases);
  }
}
