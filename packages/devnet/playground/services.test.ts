import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { isRunning } from "@verai/client/devnet";
import { Processes } from "../processes.ts";
import { serveControl } from "./control.ts";
import { giveOrder } from "./orders.ts";
import { Services } from "./services.ts";

/** A process that runs until it is told to end. */
const ENDLESS = ["--eval", "setInterval(() => undefined, 1000); process.stdout.write('up')"];

test("services are listed, killed, started again and ended in order, on orders with the token alone", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-services-"));
  const ended: string[] = [];
  const processes = new Processes(folder);
  const services = new Services(processes, { onChange: () => undefined, onEnd: ({ name }) => ended.push(name) });
  let stops = 0;
  const control = await serveControl({ port: 0, token: "secret", services, onStop: () => (stops += 1) });
  context.after(async () => {
    await control.close();
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const plan = { what: "waits", address: "", args: ENDLESS } as const;
  services.add({ ...plan, name: "ada", kind: "node" });
  const brief = services.add({ ...plan, name: "brief", kind: "keeper", args: ["--eval", "process.exitCode = 3"] });
  services.add({ ...plan, name: "ill", kind: "oracle", check: async () => "is ill" });
  await brief.exit;
  const health = async () =>
    ((await (await fetch(`${control.url}/services`)).json()) as { services: { name: string; why: string }[] }).services;
  assert.deepEqual(
    (await health()).map(({ name, why }) => [name, why]),
    [
      ["ada", ""],
      ["brief", "does not run"],
      ["ill", "is ill"],
    ],
  );
  assert.deepEqual(ended, ["brief"], "what ended by itself is told");

  const devnet = { control: control.url, token: "secret" } as Parameters<typeof giveOrder>[0];
  const [{ pid = 0 } = {}] = services.list();
  assert.ok(isRunning(pid));
  await assert.rejects(giveOrder({ ...devnet, token: "guess" }, "kill", "ada"), { code: "TOKEN_REFUSED" });
  await assert.rejects(giveOrder(devnet, "kill", "eve"), /no service "eve": name one of ada, brief, ill/);
  await assert.rejects(giveOrder(devnet, "start", "ada"), { code: "SERVICE_RUNNING" });
  await giveOrder(devnet, "kill", "ada");
  assert.ok(!isRunning(pid));
  await assert.rejects(giveOrder(devnet, "kill", "ada"), { code: "SERVICE_STOPPED" });
  await giveOrder(devnet, "start", "ada");
  assert.notEqual(services.list()[0]?.pid, pid);
  assert.deepEqual(ended, ["brief"], "what was told to end is not");
  const other = await fetch(`${control.url}/stop`, { method: "POST", headers: { authorization: "Bearer guess" } });
  assert.deepEqual([other.status, stops], [401, 0]);

  await services.stop();
  assert.deepEqual(
    services.list().map(({ running }) => running),
    [false, false, false],
  );
});

test("processes end with the one that started them, also when that is killed", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-parent-"));
  const processes = new Processes(folder);
  context.after(async () => {
    await processes.stop(["parent"], 1_000);
    await rm(folder, { recursive: true, force: true });
  });
  const script = `
    import { Processes } from ${JSON.stringify(new URL("../processes.ts", import.meta.url).href)};
    const inner = new Processes(${JSON.stringify(join(folder, "inner"))}).start("child", ${JSON.stringify(ENDLESS)});
    const timer = setInterval(async () => {
      const { readFile } = await import("node:fs/promises");
      if ((await readFile(inner.log, "utf8")) !== "up") return;
      clearInterval(timer);
      process.stdout.write(String(inner.child.pid));
    }, 20);`;
  const { log } = processes.start("parent", ["--input-type=module", "--eval", script]);
  let printed = "";
  while (!/^\d+$/m.test(printed)) {
    printed = await readFile(log, "utf8").catch(() => "");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const child = Number(/^\d+$/m.exec(printed)?.[0]);
  assert.ok(isRunning(child), printed);
  await processes.kill("parent");
  while (isRunning(child)) await new Promise((resolve) => setTimeout(resolve, 20));
});
