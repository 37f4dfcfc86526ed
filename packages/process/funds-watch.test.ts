import assert from "node:assert/strict";
import { test } from "node:test";

import { parseEther } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";

import { fundsWatch } from "./funds-watch.ts";

interface Line {
  readonly level: number;
  readonly msg: string;
}

test("a low balance is logged once, and once more when it is enough again", async () => {
  const lines: Line[] = [];
  const logger = pino({}, { write: (text: string) => lines.push(JSON.parse(text) as Line) });
  const registry = new Registry();
  let held = parseEther("1");
  const provider = { getBalance: async () => held };
  const look = fundsWatch(provider, "0x01", "0.01", registry, logger);
  await look();
  assert.equal(lines.length, 0);
  held = parseEther("0.0099");
  await look();
  await look();
  assert.deepEqual(
    lines.map(({ level }) => level),
    [50],
  );
  assert.match(await registry.metrics(), /drmp_funds_eth\{address="0x01"\} 0\.0099/);
  held = parseEther("0.01");
  await look();
  assert.match(lines.at(-1)?.msg ?? "", /enough ETH/);
});

test("a read that fails is no low balance", async () => {
  const logger = pino({ level: "silent" });
  const provider = { getBalance: () => Promise.reject(new Error("down")) };
  await assert.rejects(fundsWatch(provider, "0x01", "1", new Registry(), logger)(), /down/);
});
