import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { ROOT } from "@verai/devnet/programs";

/** Longest time from the signal to the end, milliseconds. */
const END_MS = 10_000;

/** Processes that a process started and that still run. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("bench:network ends on SIGINT amid a measurement, with the programs that it started", async () => {
  const bench = spawn(process.execPath, ["bench/network.ts", "--quick"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const pipe of [bench.stdout, bench.stderr])
    pipe.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => bench.once("close", resolve));
  try {
    // Two agents run.
    let children: number[] = [];
    for (const end = performance.now() + 240_000; children.length < 2; await delay(50)) {
      assert.ok(performance.now() < end && bench.exitCode === null, `no agents were started:\n${said}`);
      children = said.includes("made in") ? childrenOf(bench.pid ?? 0) : [];
    }
    const began = performance.now();
    bench.kill("SIGINT");
    const code = await Promise.race([ended, delay(END_MS, "late" as const, { ref: false })]);
    assert.equal(code, 130, said);
    assert.ok(performance.now() - began < END_MS);
    assert.match(said, /SIGINT: stopping/);
    for (const child of children) assert.equal(isRunning(child), false, `process ${String(child)} goes on`);
  } finally {
    bench.kill("SIGKILL");
  }
});
