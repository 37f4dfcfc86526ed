import { type FSWatcher, watch } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, writeDurably } from "@verai/system/durable";

import { type Checkpoint, listCheckpoints, NOTED_FILE } from "../checkpoints.ts";
import { digestOf, stateCid, type StateOptions } from "./state.ts";
import type { TraceEntry, TraceFile } from "./trace-file.ts";

/** From one look at the directory to the next where nothing tells of changes, milliseconds. */
const LOOK_MS = 250;
/** Pause after a failure, such as a checkpoint that cannot be stored, milliseconds. */
const PAUSE_MS = 5000;

/** Where it is told what goes wrong. A pino logger fits. */
export interface TraceLog {
  warn(fields: object, message: string): void;
}

/** What is watched, and how. */
export interface LocalCheckpointsOptions extends StateOptions {
  /** The unit's checkpoint directory. */
  readonly directory: string;
  /** Directory for putting states together; see {@link stateCid}. */
  readonly scratch: string;
  readonly trace: TraceFile;
  readonly log: TraceLog;
  /** Told of each entry once it is durable. */
  readonly onEntry?: (entry: TraceEntry, checkpoint: Checkpoint) => Promise<void> | void;
}

/**
 * Takes note of a unit's local checkpoints while its program runs: keeps the digest of each in the trace, then says in `.noted`
 * that it may go. The program waits where it would get too far ahead, so that none is missed. One checkpoint at a time.
 */
export class LocalCheckpoints {
  readonly #options: LocalCheckpointsOptions;
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #again = false;
  #failed = "";
  #stopped = false;
  #notBefore = 0;

  private constructor(options: LocalCheckpointsOptions) {
    this.#options = options;
    const look = () => {
      this.#look();
    };
    this.#watcher = watched(options.directory, look);
    this.#timer = setInterval(look, LOOK_MS).unref();
  }

  /** Begins. What the directory has is taken note of first, so that a program that comes back does not wait for it. */
  static async start(options: LocalCheckpointsOptions): Promise<LocalCheckpoints> {
    const local = new LocalCheckpoints(options);
    await local.settle();
    return local;
  }

  /** Takes note of all that is complete now. Failures are logged, and tried again at the next look. */
  async settle(): Promise<void> {
    await this.#looking;
    this.#look();
    await this.#looking;
  }

  /** Takes note of what is there at the end, and ends. */
  async stop(): Promise<void> {
    this.#notBefore = 0;
    await this.settle();
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
    await this.#options.trace.close();
  }

  #look(): void {
    if (this.#stopped || performance.now() < this.#notBefore) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = this.#note()
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        const { directory, log } = this.#options;
        if (why !== this.#failed) log.warn({ err: error, directory }, "a local checkpoint cannot be taken note of yet");
        this.#failed = why;
        this.#notBefore = performance.now() + PAUSE_MS;
      })
      .finally(() => {
        this.#looking = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#look();
      });
  }

  async #note(): Promise<void> {
    const { directory, trace, onEntry } = this.#options;
    const found = await listCheckpoints(directory);
    for (const checkpoint of found.toReversed()) {
      if (checkpoint.number <= trace.newest) continue;
      const entry = await this.#entryOf(checkpoint);
      if (!entry) continue;
      await trace.add(entry);
      await onEntry?.(entry, checkpoint);
      await this.#say(entry.step);
      this.#failed = "";
    }
    // Of a life before, or removed by the program: said again.
    const known = found.find(({ number }) => number <= trace.newest);
    if (known && !(await exists(join(directory, NOTED_FILE)))) await this.#say(trace.newest);
  }

  async #say(newest: number): Promise<void> {
    // The directory is the program's too: drafts get new names, and are never opened through a link.
    await writeDurably(join(this.#options.directory, NOTED_FILE), `${String(newest)}\n`, { mode: 0o644 });
  }

  async #entryOf(checkpoint: Checkpoint): Promise<TraceEntry | undefined> {
    const { seal, budget, log, scratch } = this.#options;
    try {
      const cid = await stateCid(checkpoint, scratch, { seal, budget: budget && { ...budget } });
      return { step: checkpoint.number, digest: digestOf(cid) };
    } catch (error) {
      if (await exists(checkpoint.path)) throw error;
      log.warn({ checkpoint: checkpoint.name }, "a local checkpoint was deleted before it was taken note of");
      return undefined;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === "ENOENT") return false;
      throw error;
    },
  );
}

/** Undefined where the system cannot watch, such as when it has too many watches: the timer is enough. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, onChange).on("error", () => undefined);
  } catch {
    return undefined;
  }
}
