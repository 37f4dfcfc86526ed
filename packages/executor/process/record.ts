import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import { loadState, saveState, type StateKind } from "@verai/system/state-file";
import { isSystemError, WorkloadError } from "../errors.ts";
import { bootId, sampleProcess } from "./procfs.ts";

const RECORD = {
  what: "record of a unit's process",
  version: 1,
  schema: z.object({
    // Group 0 and pid 1 must never be meant: kill(-1) would end everything.
    pid: z.number().int().min(2),
    /** Missing where the system has no /proc: then nothing is killed by it. */
    startTicks: z.string().optional(),
    bootId: z.string().optional(),
  }),
} satisfies StateKind<z.ZodType>;

/** What a unit's process is recognised by after the agent was killed and started again. */
type ProcessRecord = Readonly<z.output<(typeof RECORD)["schema"]>>;

const fileIn = (root: string) => join(root, "process.json");

/** Notes which process runs a unit. */
export async function writeRecord(root: string, pid: number): Promise<void> {
  const record: ProcessRecord = { pid, startTicks: sampleProcess(pid)?.startTicks, bootId: bootId() };
  await saveState(fileIn(root), RECORD, record);
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
  // A damaged record names no process.
  const record = await loadState(fileIn(root), RECORD);
  if (!record || !isSame(record)) {
    await removeRecord(root);
    return undefined;
  }
  try {
    process.kill(-record.pid, "SIGKILL");
  } catch (cause) {
    if (!isSystemError(cause, "ESRCH")) throw leftoverAlive(record.pid, { cause });
  }
  for (const end = performance.now() + 5000; isSame(record); await sleep(20)) {
    if (performance.now() > end) throw leftoverAlive(record.pid);
  }
  await removeRecord(root);
  return record.pid;
}

function isSame({ pid, startTicks, bootId: boot }: ProcessRecord): boolean {
  return startTicks !== undefined && boot === bootId() && sampleProcess(pid)?.startTicks === startTicks;
}

function leftoverAlive(pid: number, options?: ErrorOptions): WorkloadError {
  return new WorkloadError(
    "LEFTOVER_ALIVE",
    `Process ${pid} of an earlier run of this unit cannot be ended: end it by hand, then start the agent again.`,
    options,
  );
}
