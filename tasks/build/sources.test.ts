import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { hashOf, listSources } from "./sources.ts";

test("a build is kept as long as names and contents of all that it depends on stay the same", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-sources-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  for (const folder of ["contracts/core/nodes", "tasks"]) await mkdir(join(root, folder), { recursive: true });
  const write = (name: string, content: string) => writeFile(join(root, name), content);
  for (const name of ["hardhat.config.ts", "package-lock.json", "remappings.txt", "tasks/complete-build-infos.ts"]) {
    await write(name, name);
  }
  await write("contracts/core/nodes/A.sol", "contract A {}");
  await write("contracts/README.md", "no source");
  const now = async () => hashOf(root, await listSources(root, ["contracts"]));

  const first = await now();
  assert.equal(await now(), first);
  await write("contracts/README.md", "changed");
  assert.equal(await now(), first, "only sources count");
  await write("contracts/core/nodes/A.sol", "contract A { }");
  assert.notEqual(await now(), first, "a changed contract");
  await write("contracts/core/nodes/A.sol", "contract A {}");
  assert.equal(await now(), first, "changed back");
  await rename(join(root, "contracts/core/nodes/A.sol"), join(root, "contracts/core/nodes/B.sol"));
  assert.notEqual(await now(), first, "a renamed contract");
  await rename(join(root, "contracts/core/nodes/B.sol"), join(root, "contracts/core/nodes/A.sol"));
  await write("hardhat.config.ts", "other settings");
  assert.notEqual(await now(), first, "other settings of the compiler");
});
