import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { pino } from "pino";
import { Counter, Registry } from "prom-client";
import { z } from "zod";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { ConfigError, readConfig } from "./config.ts";
import { serveHealth } from "./endpoint.ts";
import { runLoop } from "./loop.ts";
import { Heartbeat } from "./heartbeat.ts";
import { fees, keySource, network } from "./schema.ts";

const quiet = pino({ level: "silent" });

test("a loop survives failing cycles, and only good ones count for the heartbeat", async () => {
  let now = 0;
  const heartbeat = new Heartbeat(1_000, () => now);
  heartbeat.expect("loop");
  const stop = new AbortController();
  let cycles = 0;
  await runLoop({
    name: "loop",
    intervalMs: 1,
    maxBackoffMs: 2,
    signal: stop.signal,
    logger: quiet,
    heartbeat,
    cycle: () => {
      cycles += 1;
      now += 600;
      if (cycles === 5) stop.abort();
      return cycles < 4 ? Promise.reject(new Error("no RPC")) : Promise.resolve(false);
    },
  });
  assert.equal(cycles, 5);
  assert.ok(heartbeat.healthy);
  now += 1_001;
  assert.ok(!heartbeat.healthy);
});

test("health is 503 when the last good cycle is too old, and metrics are served", async () => {
  let now = 0;
  const heartbeat = new Heartbeat(1_000, () => now);
  heartbeat.expect("loop");
  const registry = new Registry();
  new Counter({ name: "things_total", help: "Things", registers: [registry] }).inc(3);
  const { url, close } = await serveHealth({
    host: "127.0.0.1",
    port: 0,
    heartbeat,
    registry,
    details: () => ({ node: 7 }),
  });
  const healthy = await fetch(`${url}/health`);
  assert.equal(healthy.status, 200);
  assert.equal(((await healthy.json()) as { node: number }).node, 7);
  now = 1_001;
  assert.equal((await fetch(`${url}/health`)).status, 503);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /things_total 3/);
  assert.equal((await fetch(`${url}/other`)).status, 404);
  await close();
});

test("a configuration is validated strictly, and the message names file and entry", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "drmp-config-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "config.json");
  const schema = z.strictObject({ network, fees, key: keySource.optional(), dataDir: z.string() });
  const good = { network: { rpcUrl: "http://127.0.0.1:8545", chainId: LOCAL_CHAIN_ID }, dataDir: "/tmp/x" };
  const read = async (content: unknown) => {
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    return readConfig(file, schema);
  };
  assert.equal((await read(good)).fees.stuckAfter, 30);
  await assert.rejects(read({ ...good, intervall: 3 }), /config\.json does not fit:[\s\S]*intervall/);
  await assert.rejects(read({ ...good, network: { chainId: "x" } }), /network\.rpcUrl[\s\S]*network\.chainId/);
  await assert.rejects(read({ ...good, key: { privateKey: "0x01" } }), ConfigError);
  await assert.rejects(read("{"), /not valid JSON/);
  // A parser may quote the place, which may be an access key.
  await assert.rejects(read('{ "network": { "rpcUrl": Secret7Key }'), (error: Error) => {
    assert.match(error.message, /config\.json is not valid JSON: Unexpected token 'S'$/);
    return true;
  });
  const asked = {
    ...good.network,
    fallbackRpcUrls: ["https://rpc.example/k"],
    requests: { timeout: 5, perSecond: 20 },
  };
  assert.deepEqual((await read({ ...good, network: asked })).network.requests, { timeout: 5, perSecond: 20 });
  for (const wrong of [
    { rpcUrl: "wss://rpc.example/Secret7Key" },
    { requests: { timeout: 0 } },
    { requests: { tries: 3 } },
  ]) {
    await assert.rejects(read({ ...good, network: { ...good.network, ...wrong } }), (error: Error) => {
      assert.match(error.message, /network\.(rpcUrl|requests)/);
      assert.ok(!error.message.includes("Secret7Key"), error.message);
      return true;
    });
  }
  assert.throws(() => readConfig(join(directory, "none.json"), schema), /Cannot read .*none\.json/);
});

test("an interval that no timer can wait is refused, with the bounds", async () => {
  assert.equal(fees.safeParse({ stuckAfter: 3600 }).success, true);
  const refused = fees.safeParse({ stuckAfter: 30 * 86_400 });
  assert.match(refused.error?.issues[0]?.message ?? "", /is 2592000: has to be a number of seconds from 1 to 3600/);
});

test("a loop whose pause is longer than a timer can wait does not spin", async () => {
  const stop = new AbortController();
  let cycles = 0;
  const running = runLoop({
    name: "loop",
    intervalMs: 30 * 86_400_000,
    maxBackoffMs: 1,
    signal: stop.signal,
    logger: quiet,
    heartbeat: new Heartbeat(Infinity),
    cycle: async () => {
      cycles += 1;
      return false;
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  stop.abort();
  await running;
  assert.equal(cycles, 1);
});
