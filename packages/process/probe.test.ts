import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Registry } from "prom-client";

import { serveHealth } from "./endpoint.ts";
import { Heartbeat } from "./heartbeat.ts";

const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));

async function probe(url: string): Promise<{ code: number; words: string }> {
  const child = spawn(process.execPath, [PROBE], {
    env: { DRMP_HEALTH_URL: `${url}/health` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.on("data", (chunk) => (words += String(chunk)));
  const [code] = (await once(child, "close")) as [number];
  return { code, words };
}

test("healthy, then without a heartbeat for too long, then gone", async () => {
  let now = 0;
  const heartbeat = new Heartbeat(1000, () => now);
  heartbeat.expect("loop");
  const endpoint = await serveHealth({ host: "127.0.0.1", port: 0, heartbeat, registry: new Registry() });
  assert.deepEqual(await probe(endpoint.url), { code: 0, words: "" });
  now = 1001;
  const late = await probe(endpoint.url);
  assert.equal(late.code, 1);
  assert.match(late.words, /answers 503: \{"healthy":false/);
  await endpoint.close();
  const gone = await probe(endpoint.url);
  assert.equal(gone.code, 1);
  assert.match(gone.words, /does not answer/);
});
