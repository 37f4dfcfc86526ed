import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { containerName } from "@verai/executor/container/options";
import type { UnitRun } from "@verai/executor/executor";
import { logTail } from "@verai/executor/log";
import { testUnit, until } from "@verai/executor/testing";
import { Bench, skip } from "./setup.ts";

const AGENT = fileURLToPath(new URL("agent.ts", import.meta.url));

let bench: Bench;
before(async () => {
  if (!skip) bench = await Bench.start();
});
after(() => (skip ? undefined : bench.stop()));

/** An agent that starts a unit and is killed by SIGKILL once the unit is ready. */
async function crashedAgent(context: TestContext, unit: UnitRun): Promise<string> {
  await mkdir(unit.folder.input, { recursive: true });
  const options = { directory: join(bench.directory, "executor"), socket: bench.engine.socket, trainers: [] };
  const agent = spawn(process.execPath, [AGENT, JSON.stringify(options), JSON.stringify(unit)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(agent, "exit");
  context.after(() => agent.kill("SIGKILL"));
  const [id] = (await once(agent.stdout, "data")) as [Buffer];
  if (unit.spec.args[0] !== "finish-later") {
    await until("the unit is ready", async () => (await logTail(unit.folder.log, 1000)).includes("ready\n"));
  }
  agent.kill("SIGKILL");
  await ended;
  return id.toString().trim();
}

async function unitFor(args: string[]): Promise<UnitRun> {
  return testUnit(await mkdtemp(join(bench.directory, "unit-")), bench.spec(args));
}

test("a unit outlives its agent's crash; the next agent takes it over", { skip }, async (context) => {
  const unit = await unitFor(["finish-later"]);
  const id = await crashedAgent(context, unit);
  const executor = await bench.executor();
  const running = await executor.start({ ...unit, attempt: 2 });
  assert.equal(running.id, id);
  await assert.rejects(executor.start(unit), { code: "ALREADY_RUNNING" });
  await writeFile(join(unit.folder.input, "go"), "");
  const exit = await running.exited;
  assert.equal(exit.reason, "done", exit.detail);
  assert.match(await running.logTail(5000), /attempt 1\n[^]*attempt 2, taken over\n[^]*--- done/);
  assert.deepEqual(await bench.containers(), []);
});

test("what is done meanwhile is not done again", { skip }, async (context) => {
  const unit = await unitFor(["finish-later"]);
  const id = await crashedAgent(context, unit);
  await writeFile(join(unit.folder.input, "go"), "");
  const container = bench.docker.getContainer(containerName(unit.folder));
  await until("it has ended", async () => !(await container.inspect()).State.Running);
  const running = await (await bench.executor()).start({ ...unit, attempt: 2 });
  assert.equal(running.id, id);
  assert.equal((await running.exited).reason, "done");
  assert.equal(await readFile(join(unit.folder.output, "result.json"), "utf8"), '"finished"');
});

test("what failed meanwhile, or is not the same, is ended and started again", { skip }, async (context) => {
  const unit = await unitFor(["stubborn"]);
  const id = await crashedAgent(context, unit);
  const executor = await bench.executor();
  const running = await executor.start({ ...unit, spec: bench.spec(["finish"]), attempt: 2 });
  assert.notEqual(running.id, id);
  assert.equal((await running.exited).reason, "done");
  assert.match(await running.logTail(5000), new RegExp(`after removing leftover ${id}`));

  const failed = await unitFor(["stubborn"]);
  const failedId = await crashedAgent(context, failed);
  await bench.docker.getContainer(containerName(failed.folder)).kill({ signal: "SIGKILL" });
  const again = await executor.start({ ...failed, attempt: 2 });
  assert.notEqual(again.id, failedId);
  await again.kill();
});

test("one that is no longer wanted is removed; another agent's is left alone", { skip }, async (context) => {
  const [wanted, gone] = [await unitFor(["stubborn"]), await unitFor(["stubborn"])];
  await crashedAgent(context, wanted);
  await crashedAgent(context, gone);
  const stranger = await bench.executor({ directory: join(bench.directory, "other agent"), adoptSeconds: 0 });
  assert.deepEqual(await stranger.sweep(), []);

  const executor = await bench.executor();
  assert.deepEqual(await executor.sweep(), [], "they may be wanted yet");
  await rm(gone.folder.root, { recursive: true });
  assert.deepEqual(await executor.sweep(), [containerName(gone.folder)], "its lease is gone");
  const running = await executor.start({ ...wanted, attempt: 2 });
  const late = await bench.executor({ adoptSeconds: 0 });
  // Its own sweeps begin after a second, and may have been first.
  await late.sweep();
  assert.equal((await running.exited).reason, "failed", "the time to want it is over");
});
