/**
 * Starts the devnet as its guide says, and types what it prints as it is printed: a task is trained while a node fails, its
 * results are fetched and accepted, and a node of one's own joins. Takes two to three minutes, mostly of waiting.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { devnetFile, type DevnetState, isRunning } from "@verai/client/devnet";
import type { LeaseStatus } from "@verai/client/enums";
import { openSession } from "@verai/client/session";
import { isFree, PORTS } from "@verai/devnet/playground/ports";
import { ROOT } from "@verai/devnet/processes";
import { blocksOf, commandsOf } from "../docs/extract.ts";
import { freeRange } from "../support/free-range.ts";

const GUIDE = "docs/guides/devnet.md";
const WAIT_MS = 600_000;

const folder = await mkdtemp(join(tmpdir(), "drmp-devnet-"));
const environment = { ...process.env, DRMP_DEVNET: folder, DRMP_NO_INSTALL: "1", NO_COLOR: "1" };
const running = new Set<ChildProcess>();

after(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

/** A command that was typed, and what it has shown so far. */
interface Typed {
  readonly command: string;
  readonly child: ChildProcess;
  readonly shown: () => string;
  readonly exit: Promise<number | NodeJS.Signals>;
}

function type(command: string): Typed {
  const child = spawn(command, { shell: "/bin/bash", cwd: ROOT, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let shown = "";
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.setEncoding("utf8").on("data", (text: string) => (shown += text));
  }
  const exit = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve(code ?? signal ?? 1);
    });
  });
  return { command, child, shown: () => shown, exit };
}

async function run(command: string, code = 0): Promise<string> {
  const typed = type(command);
  assert.equal(await typed.exit, code, `${command}\n${typed.shown()}`);
  return typed.shown();
}

/** Waits until a command that goes on has shown something. */
async function shows({ command, child, shown }: Typed, what: RegExp): Promise<RegExpExecArray> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await delay(100)) {
    const found = what.exec(shown());
    if (found) return found;
    if (child.exitCode !== null) break;
  }
  throw new Error(`${command} did not show ${String(what)}:\n${shown().slice(-4000)}`);
}

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await delay(250)) if (await look()) return;
  throw new Error(`not within ten minutes: ${what}`);
}

test("the commands that the devnet prints work as they stand", { timeout: 3_600_000 }, async () => {
  const first = await freeRange(PORTS);
  const start = `scripts/drmp devnet --ports ${String(first)}`;
  // Without a shell between: it is told to end by a signal, as by Ctrl-C.
  const devnet = type(`exec ${start}`);
  await shows(devnet, /Try next[\s\S]*node:status\n/);
  const printed = [...devnet.shown().matchAll(/^ {2}(scripts\/drmp .*)$/gm)].map(([, command = ""]) => command);
  const state = JSON.parse(readFileSync(devnetFile(folder), "utf8")) as DevnetState;
  const pids = state.services.map(({ pid }) => pid);
  assert.ok(pids.length >= 6 && pids.every(isRunning));

  /** The printed command that begins like this; each is typed once. */
  const left = new Set(printed);
  const take = (beginning: string): string => {
    const [found, ...others] = [...left].filter((command) => command.startsWith(`scripts/drmp ${beginning}`));
    assert.ok(found !== undefined && others.length === 0, `${beginning}: ${printed.join("\n")}`);
    left.delete(found);
    return found;
  };

  assert.match(await run(take("status")), /nodes +3 active of 3/);
  assert.match(await run(take("task:quote")), /leased now +4 of 4 units/);
  const submit = type(take("task:submit"));
  await shows(submit, /Task 1 is submitted/);
  // There is a checkpoint to go on from.
  await shows(submit, /^[1-9]\d* %/m);
  assert.match(await run(take("devnet kill ada")), /ada is killed/);
  assert.ok(!isRunning(state.services.find(({ name }) => name === "ada")?.pid ?? 0));
  const watch = type(take("task:watch"));
  const look = async () => JSON.parse((await run("npx drmp status --json 2>/dev/null")).trim()) as Status;
  const failed = (await look()).services.find(({ name }) => name === "ada");
  assert.deepEqual([failed?.healthy, failed?.why], [false, "does not run"]);
  assert.match(await run(start, 1), /runs already: process \d+/);

  // A node of one's own joins meanwhile.
  assert.match(await run(take("node:register")), /Node 4 is registered/);
  const agent = take("node:run");
  assert.match(await run(agent.replace("node:run", "node:check")), /ready to run/);
  const own = type(`exec ${agent}`);
  await shows(own, /agent started/);

  // Her lease runs out, and the work goes on elsewhere.
  const chain = await openSession({
    network: { rpcUrl: state.rpcUrl, chainId: state.chainId, deployment: state.deployment },
    fees: { maxFeePerGas: "0", stuckAfter: 30 },
    journals: join(folder, "journals"),
  });
  const holds = async (wanted: LeaseStatus) =>
    (await chain.reader.leases(await chain.reader.block())).some(({ status }) => status === wanted);
  await until("the lease of the failed node has expired", () => holds("expired"));
  assert.match(await run(take("devnet start ada")), /ada is started again/);

  await shows(watch, /^100 %/m);
  await until("the results are delivered", () => holds("delivered"));
  chain.close();
  assert.match(await run(take("task:result")), /bytes, verified/);
  assert.equal(await submit.exit, 0, submit.shown());
  assert.equal(await watch.exit, 0, watch.shown());
  assert.match(watch.shown(), /has ended/);
  const { nodes, tasks, oracle, keepers, funds } = await look();
  assert.deepEqual([tasks[0]?.status, tasks[0]?.paid], ["ended", 4]);
  assert.ok(oracle.healthy && keepers.healthy && BigInt(funds.subscription) > 0n && BigInt(funds.treasury) > 0n);
  assert.match(await run("scripts/drmp round:leases --task 1"), /expired[\s\S]*paid/, "the work went on elsewhere");

  assert.match(await run(take("node:status")), /^ +4 +active/m);
  assert.equal(nodes.length, 4);
  assert.match(await run("npx hardhat node:status --network localhost"), /^ +4 +active/m);
  own.child.kill("SIGINT");
  assert.equal(await own.exit, 0, own.shown());
  assert.deepEqual([...left], [], "commands that were printed and not typed");

  const told = blocksOf(GUIDE, readFileSync(join(ROOT, GUIDE), "utf8"))
    .flatMap(commandsOf)
    .map(({ text }) => text.replaceAll(".data/devnet", folder));
  const typed = [...printed, agent.replace("node:run", "node:check"), "scripts/drmp devnet"];
  assert.deepEqual(
    told.filter((command) => !typed.includes(command)),
    [],
    `${GUIDE} names commands that the devnet does not print`,
  );

  devnet.child.kill("SIGINT");
  assert.equal(await devnet.exit, 0, devnet.shown());
  assert.deepEqual(pids.filter(isRunning), []);
  assert.ok(!existsSync(devnetFile(folder)), "no command finds it any longer");
  assert.match(await run("scripts/drmp devnet stop", 1), /No devnet runs here/);

  // One that is killed leaves nothing behind that the next start would stumble over.
  const killed = type(`exec ${start} --json`);
  await shows(killed, /"text":"deploying/);
  assert.equal(await isFree(first), false);
  killed.child.kill("SIGKILL");
  await until("the chain ends with the devnet", () => isFree(first));
});

/** What is looked at of `drmp status --json`. */
interface Status {
  readonly nodes: readonly unknown[];
  readonly tasks: readonly { readonly status: string; readonly paid: number }[];
  readonly services: readonly { readonly name: string; readonly healthy: boolean; readonly why: string }[];
  readonly oracle: { readonly healthy: boolean };
  readonly keepers: { readonly healthy: boolean };
  readonly funds: { readonly subscription: string; readonly treasury: string };
}
