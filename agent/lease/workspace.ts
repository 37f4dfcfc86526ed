import { lstat, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { systemCode, writeDurably } from "@verai/system/durable";
import { loadState, saveState, setAside, type StateKind, type StateLog } from "@verai/system/state-file";
import type { UnitFolder } from "@verai/executor/executor";

const natural = z.number().int().nonnegative();

const RECORD = {
  what: "record of a lease",
  version: 1,
  schema: z.object({
    leaseId: natural,
    fence: natural,
    taskId: natural,
    start: natural,
    count: natural,
    /** Whether the units were restored from earlier checkpoints, or there was nothing to restore. */
    restored: z.boolean(),
    /** CID of the checkpoint that they were restored from. */
    origin: z.string().optional(),
  }),
} satisfies StateKind<z.ZodType>;

const ATTEMPTS = {
  what: "count of a unit's starts",
  version: 1,
  schema: z.object({ attempts: natural }),
} satisfies StateKind<z.ZodType>;

/** What is remembered of a lease across restarts. */
export type LeaseRecord = Readonly<z.output<(typeof RECORD)["schema"]>>;

/** A lease under a fence that was begun on this machine. */
export interface Begun {
  readonly leaseId: number;
  readonly fence: number;
  /** Undefined where the work had not begun yet when the agent ended, or the record was damaged. */
  readonly record: LeaseRecord | undefined;
}

/**
 * The work of one lease on disk: `<leaseId>-<fence>/` with `lease.json` and a directory per unit.
 *
 * Everything that decides what to do after a restart is on disk, and only ever appears whole: a unit is done when its
 * marker exists, a checkpoint exists when its name is.
 */
export class LeaseFolder {
  readonly path: string;
  readonly #log: StateLog | undefined;

  constructor(path: string, log?: StateLog) {
    this.path = path;
    this.#log = log;
  }

  /** Directories of a unit, made if missing. */
  async unit(index: number): Promise<UnitFolder> {
    const root = join(this.path, `unit-${String(index)}`);
    const folder = {
      root,
      checkpoint: join(root, "checkpoint"),
      input: join(root, "input"),
      output: join(root, "output"),
      exchange: join(root, "exchange"),
      log: join(root, "unit.log"),
    };
    for (const path of [root, folder.checkpoint, folder.input, folder.output]) await this.#makeDirectory(path);
    return folder;
  }

  /** Whether a unit has ended well and its output is complete. */
  async isDone(index: number): Promise<boolean> {
    return (await kindOf(join(this.path, `unit-${String(index)}`, "done"))) === "file";
  }

  /** Notes durably that a unit has ended well. */
  async markDone(index: number): Promise<void> {
    await writeDurably(join(this.path, `unit-${String(index)}`, "done"), "");
  }

  /** Counts a start of a unit under this lease, across restarts of the agent. @returns 1 for the first one. */
  async nextAttempt(index: number): Promise<number> {
    const path = join(this.path, `unit-${String(index)}`, "attempts.json");
    const { attempts } = (await loadState(path, ATTEMPTS, this.#log)) ?? { attempts: 0 };
    await saveState(path, ATTEMPTS, { attempts: attempts + 1 });
    return attempts + 1;
  }

  /** What was remembered; undefined if this lease was never begun here, or what was remembered is damaged. */
  async record(): Promise<LeaseRecord | undefined> {
    return loadState(join(this.path, "lease.json"), RECORD, this.#log);
  }

  /** Remembers durably. */
  async remember(record: LeaseRecord): Promise<void> {
    await saveState(join(this.path, "lease.json"), RECORD, record);
  }

  /** An empty directory inside the folder for something that is being put together. */
  async scratch(name: string): Promise<string> {
    const path = join(this.path, `${name}.tmp`);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Makes a directory that is the agent's user's alone, whatever the umask. What is in its place and is none is set aside. */
  async #makeDirectory(path: string): Promise<void> {
    const kind = await kindOf(path);
    if (kind === "other" || kind === "file")
      await setAside(path, "A directory of a unit", "it is no directory", this.#log);
    if (kind !== "directory") await mkdir(path, { recursive: true, mode: 0o700 });
  }
}

/** All leases that were begun on this machine. */
export class Workspace {
  readonly #root: string;
  readonly #log: StateLog | undefined;

  /** @param log Told what was damaged. */
  constructor(root: string, log?: StateLog) {
    this.#root = root;
    this.#log = log;
  }

  /** The folder of a lease under a fence. */
  folder(leaseId: number, fence: number): LeaseFolder {
    return new LeaseFolder(join(this.#root, `${String(leaseId)}-${String(fence)}`), this.#log);
  }

  /** Every lease that has a folder here, each looked at by itself: one that cannot be read now says so, and hides no other. */
  async begun(): Promise<Begun[]> {
    const names = (await this.#names()).map((name) => /^(\d+)-(\d+)$/.exec(name)).filter((match) => match !== null);
    return Promise.all(
      names.map(async ([name, leaseId, fence]) => {
        const id = { leaseId: Number(leaseId), fence: Number(fence) };
        try {
          const record = await this.folder(id.leaseId, id.fence).record();
          const fits = record?.leaseId === id.leaseId && record.fence === id.fence;
          return { ...id, record: fits ? record : undefined };
        } catch (error) {
          this.#log?.error(
            { err: error, lease: id.leaseId, folder: join(this.#root, name) },
            "the record of a lease cannot be read",
          );
          return { ...id, record: undefined };
        }
      }),
    );
  }

  /** What lies in the directory, which is made if it is missing. Looked at in each cycle: a call of the system, not two. */
  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#root);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      await mkdir(this.#root, { recursive: true });
      return [];
    }
  }

  /** Every lease that was begun and not removed. */
  async records(): Promise<LeaseRecord[]> {
    return (await this.begun()).map(({ record }) => record).filter((record) => record !== undefined);
  }

  /** Deletes all that is here of a lease, but the folder of the fence named. */
  async remove(leaseId: number, butFence?: number): Promise<void> {
    const kept = butFence === undefined ? undefined : `${String(leaseId)}-${String(butFence)}`;
    for (const name of await readdir(this.#root)) {
      const isIts = name.startsWith(`${String(leaseId)}-`);
      const isKept = kept !== undefined && (name === kept || name.startsWith(`${kept}.`));
      if (isIts && !isKept) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

/** What is at a path; undefined if nothing is. */
async function kindOf(path: string): Promise<"file" | "directory" | "other" | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  } catch (error) {
    const code = systemCode(error);
    // A file further up is set aside when the directories are made.
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
