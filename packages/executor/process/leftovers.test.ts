import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

import { logTail } from "../log.ts";
import { ProcessExecutor } from "../process.ts";
import { misbehaving, temporaryDirectory, testSpec, testUnit, until } from "../testing.ts";
import { sampleProcess } from "./procfs.ts";

const executor = new ProcessExecutor({ trainers: misbehaving });
const withoutProc = sampleProcess(process.pid) ? false : "this system has no /proc";

const agentProgram = fileURLToPath(new URL("../testdata/agent.ts", import.meta.url));

/** An agent in a process of its own that runs a unit; resolves with the unit's pid once it is ready. */
async function startAgent(
  context: TestContext,
  root: string,
  what: string,
): Promise<{ agent: ChildProcess; pid: number }> {
  const agent = spawn(process.execPath, [agentProgram, root, what], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(agent, "exit");
  context.after(async () => {
    agent.kill("SIGKILL");
    await ended;
  });
  await until("the unit is ready", async () => (await logTail(join(root, "unit.log"), 1000)).includes("ready\n"));
  const { pid } = JSON.parse(await readFile(join(root, "process.json"), "utf8")) as { pid: number };
  const unit = sampleProcess(pid)?.startTicks;
  context.after(() => {
    if (unit !== undefined && sampleProcess(pid)?.startTicks === unit) process.kill(pid, "SIGKILL");
  });
  return { agent, pid };
}

test("when the agent is killed, its unit leaves at once", { skip: withoutProc }, async (context) => {
  const root = await temporaryDirectory(context);
  const { agent, pid } = await startAgent(context, root, "stubborn");
  assert.ok(sampleProcess(pid));
  agent.kill("SIGKILL");
  await until("the unit has left", () => sampleProcess(pid) === undefined, 60);
});

test("a hung unit of a killed agent is ended before it starts again", { skip: withoutProc }, async (context) => {
  const root = await temporaryDirectory(context);
  const { agent, pid } = await startAgent(context, root, "hang");
  const ended = once(agent, "exit");
  agent.kill("SIGKILL");
  await ended;
  assert.ok(sampleProcess(pid), "it hangs too badly to notice");
  const running = await executor.start(testUnit(root, testSpec({ args: ["finish"] })));
  assert.equal(sampleProcess(pid), undefined);
  assert.equal((await running.exited).reason, "done");
  assert.match(await running.logTail(1000), new RegExp(`after ending leftover process ${pid}`));
});

test("a process that merely has the same pid now is left alone", { skip: withoutProc }, async (context) => {
  const root = await temporaryDirectory(context);
  const bystander = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  context.after(() => bystander.kill("SIGKILL"));
  await once(bystander, "spawn");
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const { pid = 0 } = bystander;
  const startTicks = sampleProcess(pid)?.startTicks;
  for (const record of [
    JSON.stringify({ pid, startTicks: String(Number(startTicks) - 1), bootId: boot }),
    JSON.stringify({ pid, startTicks, bootId: "another boot" }),
    JSON.stringify({ pid }),
    JSON.stringify({ pid: -1, startTicks: "0", bootId: boot }),
    "{ half a reco",
  ]) {
    await writeFile(join(root, "process.json"), record);
    const exit = await (await executor.start(testUnit(root, testSpec({ args: ["finish"] })))).exited;
    assert.equal(exit.reason, "done");
    assert.ok(sampleProcess(pid), `alive after ${record}`);
  }
});
