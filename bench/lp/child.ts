import { spawn } from "node:child_process";

import { usageOfTree } from "../memory.ts";
import { type Market, SEEDS } from "./instances.ts";
import type { Measured } from "./measure.ts";

/** What became of a solver on a market. */
export type Outcome =
  | { readonly kind: "solved"; readonly measured: Measured }
  | { readonly kind: "time" | "memory" }
  | { readonly kind: "failed"; readonly why: string };

/** How far a solver may go with one seed: processor time and resident memory. */
export interface Limits {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Seconds for a process to start, to make up its markets and to write them down for others. */
const STARTING = 6;

/** How much longer than its processor time a process may take on a busy machine. */
const CLOCK_FACTOR = 15;

/**
 * Runs `measure.ts` for a solver and a market, and ends it when it goes beyond its limits.
 *
 * @param command - What runs the solver if it is no library of ours.
 */
export async function measure(solver: string, market: Market, limits: Limits, command = ""): Promise<Outcome> {
  const most = limits.seconds * SEEDS.length + STARTING;
  const script = new URL("measure.ts", import.meta.url).pathname;
  const args = [
    `--max-old-space-size=${limits.megabytes}`,
    script,
    solver,
    JSON.stringify(market),
    `${limits.seconds}`,
    command,
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  // In a group of its own, so that a program which it has started ends with it.
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL");
  };
  const interrupted = (): void => {
    end();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  let beyond: "time" | "memory" | undefined;
  const stop = (limit: "time" | "memory"): void => {
    beyond ??= limit;
    end();
  };
  const clock = setTimeout(stop, most * CLOCK_FACTOR * 1000, "time");
  const watch = setInterval(() => {
    const { megabytes, seconds } = usageOfTree(child.pid);
    if (megabytes > limits.megabytes) stop("memory");
    if (seconds > most) stop("time");
  }, 100);
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  clearTimeout(clock);
  clearInterval(watch);
  process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  if (beyond) return { kind: beyond };
  if (code === 0) return { kind: "solved", measured: JSON.parse(out.join("")) as Measured };
  const text = err.join("");
  if (/heap out of memory|Array buffer allocation failed|Invalid array length/.test(text)) return { kind: "memory" };
  return { kind: "failed", why: /^.*(?:Error|Refusal).*$/m.exec(text)?.[0] ?? `exit code ${code ?? "none"}` };
}
