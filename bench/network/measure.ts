import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { freePort } from "@verai/devnet/chain";
import type { Bench } from "@verai/devnet/programs";
import { type Program } from "@verai/devnet/programs";
import { countingProxy, type CountingProxy } from "./counting-proxy.ts";

/** Clock ticks in a second, as Linux counts CPU time for /proc. */
const TICKS = 100;
/** Longest wait for a program to be healthy, milliseconds. */
const TIMEOUT_MS = 600_000;

/** A program in steady state. */
export interface Steady {
  readonly callsPerCycle: number;
  readonly bytesPerCycle: number;
  readonly cpuMsPerCycle: number;
  readonly rssMiB: number;
  readonly methods: Readonly<Record<string, number>>;
}

/** How long starts take until the program says that it is healthy, seconds. */
export interface Starts {
  /** With nothing on disk, and the calls and bytes that it takes. */
  readonly fresh: number;
  readonly freshCalls: number;
  readonly freshBytes: number;
  /** After a kill, from its own files. */
  readonly again: number;
  /** CPU seconds of both; they say what a start takes where the machine is busy with other things. */
  readonly freshCpu: number;
  readonly againCpu: number;
}

export interface Measured extends Steady, Starts {}

/** What is measured: a program, how it is started, and how often it looks at the chain. */
export interface Subject {
  readonly name: string;
  readonly interval: number;
  /** @param rpcUrl Its way to the chain. @param port Of `/health`. */
  readonly configure: (rpcUrl: string, port: number) => { readonly dataDir: string; readonly config: object };
  readonly args: (config: string) => readonly string[];
  /** Names of its loops that have to have run. */
  readonly loops: readonly string[];
}

/** A program that has been started, killed and started again, and runs. */
export interface Trial {
  readonly subject: Subject;
  /** What it takes in so many seconds from now on, beside what its starts took. */
  readonly measure: (seconds: number) => Promise<Measured>;
  readonly close: () => Promise<void>;
}

/** Starts a program with nothing on disk, kills it and starts it again. */
export async function openTrial(bench: Bench, rpcUrl: string, subject: Subject): Promise<Trial> {
  const proxy = await countingProxy(rpcUrl);
  const port = await freePort();
  const { dataDir, config } = subject.configure(proxy.url, port);
  await rm(dataDir, { recursive: true, force: true });
  const file = await bench.write(`${subject.name}.json`, config);
  const start = async (): Promise<{ program: Program; seconds: number; cpu: number }> => {
    const program = bench.start(subject.args(file));
    const began = performance.now();
    await untilHealthy(program, port, subject.loops);
    return { program, seconds: (performance.now() - began) / 1000, cpu: cpuSeconds(program.child.pid ?? 0) };
  };
  try {
    const fresh = await start();
    const { calls: freshCalls, bytes: freshBytes } = proxy.take();
    // What its first cycles write has been written.
    await delay(2 * subject.interval * 1000);
    await kill(fresh.program);
    const again = await start();
    const cpu = { freshCpu: fresh.cpu, againCpu: again.cpu };
    const starts = { ...cpu, fresh: fresh.seconds, freshCalls, freshBytes, again: again.seconds };
    return {
      subject,
      measure: async (seconds) => ({ ...(await steadyOf(again.program, proxy, subject.interval, seconds)), ...starts }),
      close: async () => {
        await kill(again.program);
        await proxy.close();
      },
    };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

async function steadyOf(program: Program, proxy: CountingProxy, interval: number, seconds: number): Promise<Steady> {
  const pid = program.child.pid ?? 0;
  proxy.take();
  const before = cpuSeconds(pid);
  const began = performance.now();
  await delay(seconds * 1000);
  const cycles = (performance.now() - began) / 1000 / interval;
  const { calls, bytes, methods } = proxy.take();
  return {
    callsPerCycle: calls / cycles,
    bytesPerCycle: bytes / cycles,
    cpuMsPerCycle: ((cpuSeconds(pid) - before) * 1000) / cycles,
    rssMiB: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0) / 1024,
    methods,
  };
}

async function untilHealthy(program: Program, port: number, loops: readonly string[]): Promise<void> {
  const end = performance.now() + TIMEOUT_MS;
  // A loop that has not run yet grows older from its beginning on; one that has run is younger than before.
  const ages = new Map<string, number>();
  const beaten = new Set<string>();
  while (performance.now() < end) {
    if (program.child.exitCode !== null) throw new Error(`the program ended:\n${program.said().slice(-3_000)}`);
    const answered = await fetch(`http://127.0.0.1:${String(port)}/health`).catch(() => undefined);
    if (answered?.status === 200) {
      const body = (await answered.json()) as { loops: { name: string; ageSeconds: number }[] };
      for (const { name, ageSeconds } of body.loops) {
        if (ageSeconds < (ages.get(name) ?? 0)) beaten.add(name);
        ages.set(name, ageSeconds);
      }
      if (loops.every((name) => beaten.has(name))) return;
    }
    await delay(50);
  }
  throw new Error(`not healthy after ${String(TIMEOUT_MS / 1000)} s:\n${program.said().slice(-3_000)}`);
}

async function kill(program: Program): Promise<void> {
  program.child.kill("SIGKILL");
  await program.exit;
}

/** CPU time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Where a program keeps its things. */
export function dataOf(bench: Bench, name: string): string {
  return join(bench.folder, name);
}
