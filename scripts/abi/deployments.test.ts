import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { CONTRACT_NAMES } from "@verai/client/contract-names";
import { deployments } from "./deployments.ts";

test("addresses of public chains are taken, those of local ones and of rehearsals are not", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-deployments-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  assert.deepEqual(await deployments(join(folder, "missing")), {});
  const address = (i: number) => `0x${String(i + 10).repeat(20)}`;
  const file = Object.fromEntries(CONTRACT_NAMES.map((name, i) => [`Drmp#${name}`, address(i)]));
  for (const name of ["chain-84532", "chain-31337", "demo"]) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "deployed_addresses.json"), JSON.stringify(file));
  }
  const found = await deployments(folder);
  assert.deepEqual(Object.keys(found), ["84532"]);
  assert.equal(found[84532]?.[CONTRACT_NAMES[0]], address(0));
});
