import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { writeFileAtomically } from "../../checkpoints.ts";
import { isSystemError, WorkloadError } from "../../errors.ts";
import { bootId, sampleProcess } from "./procfs.ts";

/** What a unit's process is recognised by after the agent was killed and started again. */
interface ProcessRecord {
  readonly pid: number;
  /** Missing where the system has no /proc: then nothing is killed by it. */
  readonly startTicks?: string | undefined;
  readonly bootId?: string | undefined;
}

const fileIn = (root: string) => join(root, "process.json");

/** Notes which process runs a unit. */
export async function writeRecord(root: string, pid: number): Promise<void> {
  const record: ProcessRecord = { pid, startTicks: sampleProcess(pid)?.startTicks, bootId: bootId() };
  await writeFileAtomically(fileIn(root), JSON.stringify(record));
}

export async function removeRecord(root: string): Promise<void> {
  await rm(fileIn(root), { force: true });
}

/**
 * Ends the process group that an earlier life of the agent left running for a unit. A process that merely got the same
 * pid later is left alone: its start time or the boot differs. On systems without /proc only the lifeline of `host.ts`
 * ends leftovers.
 *
 * @returns Its pid, if there was one.
 * @throws {@link WorkloadError} `LEFTOVER_ALIVE` if it does not go within 5 s.
 */
export async function endLeftover(root: string): Promise<number | undefined> {
  const record = await readRecord(root);
  if (!record || !isSame(record)) {
    await removeRecord(root);
    return undefined;
  }
  try {
    process.kill(-record.pid, "SIGKILL");
  } catch (cause) {
    if (!isSystemError(cause, "ESRCH")) throw leftoverAlive(record.pid, { cause });
  }
  for (const end = Date.now() + 5000; isSame(record); await sleep(20)) {
    if (Date.now() > end) throw leftoverAlive(record.pid);
  }
  await removeRecord(root);
  return record.pid;
}

function isSame({ pid, startTicks, bootId: boot }: ProcessRecord): boolean {
  return startTicks !== undefined && boot === bootId() && sampleProcess(pid)?.startTicks === startTicks;
}

async function readRecord(root: string): Promise<ProcessRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(fileIn(root), "utf8")) as Partial<ProcessRecord> | null;
    // Group 0 and pid 1 must never be meant: kill(-1) would end everything.
    return record && Number.isInteger(record.pid) && Number(record.pid) > 1 ? (record as ProcessRecord) : undefined;
  } catch (error) {
    // A damaged record names no process.
    if (error instanceof SyntaxError || isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function leftoverAlive(pid: number, options?: ErrorOptions): WorkloadError {
  return new WorkloadError(
    "LEFTOVER_ALIVE",
    `Process ${pid} of an earlier run of this unit cannot be ended: end it by hand, then start the agent again.`,
    options,
  );
}
