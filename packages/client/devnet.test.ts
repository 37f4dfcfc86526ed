import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { LOCAL_CHAIN_ID } from "./chains.ts";
import { devnetAt, devnetFile, devnetFolder, type DevnetState, findDevnet } from "./devnet.ts";

const STATE: DevnetState = {
  pid: process.pid,
  chainId: LOCAL_CHAIN_ID,
  rpcUrl: "http://127.0.0.1:9000",
  deployment: "/x/addresses.json",
  control: "http://127.0.0.1:9001",
  token: "t",
  accounts: { developer: 17, contributor: 18, operator: 19 },
  services: [],
};

test("a devnet is found by its file while its process runs, and by its chain's address", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-devnet-state-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const write = (content: object | string) =>
    writeFile(devnetFile(folder), typeof content === "string" ? content : JSON.stringify(content));

  assert.equal(findDevnet(folder), undefined, "no file");
  await write(STATE);
  assert.deepEqual(findDevnet(folder), STATE);
  assert.deepEqual(devnetAt("http://localhost:9000/", folder), STATE);
  assert.equal(devnetAt("http://127.0.0.1:8545", folder), undefined, "another chain's");
  assert.equal(devnetAt("no address", folder), undefined);

  const gone = spawnSync(process.execPath, ["--eval", ""]).pid;
  await write({ ...STATE, pid: gone });
  assert.equal(findDevnet(folder), undefined, "killed");
  for (const broken of ["{", "[]", JSON.stringify({ ...STATE, pid: -1 })]) {
    await write(broken);
    assert.equal(findDevnet(folder), undefined, broken);
  }
});

test("DRMP_DEVNET names its folder", () => {
  assert.equal(devnetFolder({ DRMP_DEVNET: "/tmp/mine" }), "/tmp/mine");
  assert.match(devnetFolder({}), /\.data[/\\]devnet$/);
});
