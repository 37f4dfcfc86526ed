import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import type { Job } from "./campaign.ts";
import type { ArenaResult } from "./scenario.ts";

/** More processes than this need more memory than a usual machine has. */
const MOST = 4;

type Message = { readonly ready?: true; readonly result?: ArenaResult; readonly error?: string };

/**
 * Plays arenas in as many processes as the machine has cores. What comes of each depends on its job alone, not on who plays it.
 *
 * @param known - What came of an arena that was played before; it is not played again.
 * @param done - Told after each arena that was played.
 * @returns The results in the order of the jobs.
 * @throws Error if an arena breaks, or a process ends.
 */
export async function playAll(
  jobs: readonly Job[],
  known: (job: Job) => ArenaResult | undefined,
  done: (finished: number, job: Job, result: ArenaResult) => void,
  signal: AbortSignal,
): Promise<ArenaResult[]> {
  const results = jobs.map(known);
  const open = [...jobs.entries()].filter(([place]) => results[place] === undefined);
  const waiting = open.values();
  const count = Math.min(availableParallelism(), MOST, open.length);
  const children = Array.from({ length: count }, () => fork(fileURLToPath(new URL("child.ts", import.meta.url))));
  let finished = jobs.length - open.length;
  const end = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    await Promise.all(
      children.map((child) =>
        serve(
          child,
          () => waiting.next().value,
          (place, result) => {
            results[place] = result;
            const job = jobs[place];
            if (job) done(++finished, job, result);
          },
        ),
      ),
    );
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
  return results.filter((result) => result !== undefined);
}

/** Gives a process one job after another. Resolves once there are none left. */
function serve(
  child: ChildProcess,
  next: () => [number, Job] | undefined,
  done: (place: number, result: ArenaResult) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let current: [number, Job] | undefined;
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`a process of the simulation has ended: ${String(code ?? signal)}`));
    });
    child.on("message", ({ result, error }: Message) => {
      if (error !== undefined) {
        reject(new Error(`${current?.[1].scenario.name ?? ""}, seed ${String(current?.[1].seed)}: ${error}`));
        return;
      }
      if (result && current) done(current[0], result);
      current = next();
      if (current) child.send(current[1]);
      else resolve();
    });
  });
}
