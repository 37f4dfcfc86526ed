/**
 * Types the three commands of the Python guide, from `pip install` to a trained model on the devnet, and shows how long each took beside
 * what the guide says. How long is a matter of the machine; that it takes three commands, and what each leads to, is tested.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { findPython } from "@verai/devnet/playground/python";
import { isFree, portPlan, PORTS } from "@verai/devnet/playground/ports";
import { ROOT } from "@verai/devnet/processes";

const GUIDE = "docs/guides/python.md";
/** Longest time of one command, milliseconds. */
const WAIT_MS = 1_200_000;
/** What `drmp run` has reached when it says so, in order. */
const MARKS = ["packed", "submitted", "held by other nodes", "trained, fetched and paid"];

const folder = await mkdtemp(join(tmpdir(), "drmp-clock-"));
const venv = join(folder, "venv");
const environment = {
  ...process.env,
  PATH: `${join(venv, "bin")}:${process.env["PATH"] ?? ""}`,
  DRMP_DEVNET: join(folder, "devnet"),
  DRMP_NO_INSTALL: "1",
  NO_COLOR: "1",
};
const running = new Set<ChildProcess>();
after(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

function type(command: string) {
  const child = spawn(`exec ${command}`, { shell: "/bin/bash", cwd: ROOT, env: environment });
  running.add(child);
  let shown = "";
  for (const pipe of [child.stdout, child.stderr])
    pipe.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const exit = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve(code ?? signal ?? 1);
    });
  });
  return { child, shown: () => shown, exit };
}

async function run(command: string): Promise<string> {
  const { child, shown, exit } = type(command);
  const timer = setTimeout(() => child.kill("SIGKILL"), WAIT_MS);
  assert.equal(await exit, 0, `${command}\n${shown()}`);
  clearTimeout(timer);
  return shown();
}

/** The guide's commands, and the seconds that it says. */
function clockOf(page: string): { readonly command: string; readonly seconds: number }[] {
  const rows = page.matchAll(/^\| `([^`]+)` \| [^|]+ \| (\d+) \|$/gm);
  return [...rows].map(([, command = "", seconds]) => ({ command, seconds: Number(seconds) }));
}

test("three commands lead from pip to a trained model", { timeout: 3 * WAIT_MS }, async (context: TestContext) => {
  const python = await findPython();
  if (python === undefined) {
    context.skip("there is no python3");
    return;
  }
  await run(`${python} -m venv ${venv}`);
  const told = clockOf(readFileSync(join(ROOT, GUIDE), "utf8"));
  assert.equal(told.length, 3, `${GUIDE} has the clock's three commands`);
  const took: number[] = [];
  let began = performance.now();
  const lap = () => {
    took.push((performance.now() - began) / 1000);
    began = performance.now();
  };
  const [pip, devnet, train] = told.map(({ command }) => command);
  await run(pip ?? "");
  lap();

  let first = 10_000 + (process.pid % 300) * PORTS;
  const ports = () => {
    const { chain, control, keeper, reports, node } = portPlan(first);
    return [
      chain,
      control,
      keeper,
      reports,
      ...[0, 1, 2, 3].flatMap((place) => Object.values(node(place)) as number[]),
    ];
  };
  while (!(await Promise.all(ports().map(isFree))).every(Boolean)) first += PORTS;
  const network = type(`${devnet ?? ""} --ports ${String(first)}`);
  for (const end = performance.now() + WAIT_MS; !network.shown().includes("Try next"); await delay(200)) {
    assert.ok(network.child.exitCode === null && performance.now() < end, network.shown());
  }
  lap();

  const out = join(folder, "results");
  const trained = await run(`${train ?? ""} --out ${out} --store ${join(folder, "store")}`);
  lap();
  const reached = MARKS.map((mark) => {
    const seconds = new RegExp(`^${mark} +after (\\d+) s$`, "m").exec(trained)?.[1];
    assert.ok(seconds !== undefined, `it says when it has ${mark}:\n${trained}`);
    return Number(seconds);
  });
  assert.deepEqual(
    reached,
    reached.toSorted((a, b) => a - b),
  );
  const path = (await readdir(out, { recursive: true })).find((name) => name.endsWith("unit-0/result.json"));
  const { accuracy } = JSON.parse(await readFile(join(out, path ?? ""), "utf8")) as { accuracy: number };
  // The clouds of the points overlap; guessing would get a half.
  assert.ok(accuracy > 0.8, String(accuracy));
  for (const [i, { command, seconds }] of told.entries()) {
    context.diagnostic(`${(took[i] ?? NaN).toFixed(0)} s (guide: ${String(seconds)} s): ${command}`);
  }
  context.diagnostic(MARKS.map((mark, i) => `${mark} after ${String(reached[i])} s`).join(", "));

  network.child.kill("SIGINT");
  assert.equal(await network.exit, 0, network.shown());
});
