import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { UnitFolder } from "../../workload/executors/executor.ts";

/** What is remembered of a lease across restarts. */
export interface LeaseRecord {
  readonly leaseId: number;
  readonly fence: number;
  readonly taskId: number;
  readonly start: number;
  readonly count: number;
  /** Whether the units were restored from earlier checkpoints, or there was nothing to restore. */
  readonly restored: boolean;
}

/**
 * The work of one lease on disk: `<leaseId>-<fence>/` with `lease.json` and a directory per unit.
 *
 * Everything that decides what to do after a restart is on disk, and only ever appears whole: a unit is done when its
 * marker is there, a checkpoint exists when its name is.
 */
export class LeaseFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Directories of a unit, made if missing. */
  async unit(index: number): Promise<UnitFolder> {
    const root = join(this.path, `unit-${String(index)}`);
    const folder = {
      root,
      checkpoint: join(root, "checkpoint"),
      input: join(root, "input"),
      output: join(root, "output"),
      log: join(root, "unit.log"),
    };
    for (const path of [folder.checkpoint, folder.input, folder.output]) await mkdir(path, { recursive: true });
    return folder;
  }

  /** Whether a unit has ended well and its output is complete. */
  async isDone(index: number): Promise<boolean> {
    return exists(join(this.path, `unit-${String(index)}`, "done"));
  }

  /** Notes durably that a unit has ended well. */
  async markDone(index: number): Promise<void> {
    await writeDurably(join(this.path, `unit-${String(index)}`, "done"), "");
  }

  /** Counts a start of a unit under this lease, across restarts of the agent. @returns 1 for the first one. */
  async nextAttempt(index: number): Promise<number> {
    const path = join(this.path, `unit-${String(index)}`, "attempts");
    const before = await readFile(path, "utf8").catch((error: unknown) => {
      if (isMissing(error)) return "0";
      throw error;
    });
    const attempt = Number(before) + 1;
    await writeDurably(path, String(attempt));
    return attempt;
  }

  /** What was remembered; undefined if this lease was never begun here. */
  async record(): Promise<LeaseRecord | undefined> {
    try {
      return JSON.parse(await readFile(join(this.path, "lease.json"), "utf8")) as LeaseRecord;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Remembers durably. */
  async remember(record: LeaseRecord): Promise<void> {
    await mkdir(this.path, { recursive: true });
    await writeDurably(join(this.path, "lease.json"), JSON.stringify(record));
  }

  /** An empty directory inside the folder for something that is being put together. */
  async scratch(name: string): Promise<string> {
    const path = join(this.path, `${name}.tmp`);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Deletes all of it. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** All leases that were begun on this machine. */
export class Workspace {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder of a lease under a fence. */
  folder(leaseId: number, fence: number): LeaseFolder {
    return new LeaseFolder(join(this.#root, `${String(leaseId)}-${String(fence)}`));
  }

  /** Every lease that was begun and not removed. Folders without a record are leftovers of a crash; they are skipped. */
  async records(): Promise<LeaseRecord[]> {
    await mkdir(this.#root, { recursive: true });
    const names = (await readdir(this.#root)).filter((name) => /^\d+-\d+$/.test(name));
    const records = await Promise.all(names.map((name) => new LeaseFolder(join(this.#root, name)).record()));
    return records.filter((record) => record !== undefined);
  }
}

/** Writes a file so that it is there whole or not at all, also after a power cut. */
async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text);
  const file = await open(temporary, "r");
  await file.sync();
  await file.close();
  await rename(temporary, path);
}

async function exists(path: string): Promise<boolean> {
  try {
    const file = await open(path, "r");
    await file.close();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
