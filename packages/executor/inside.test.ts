import assert from "node:assert/strict";
import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { makeDirectories, writeAccounts } from "./inside.ts";
import { temporaryDirectory, testSpec, testUnit } from "./testing.ts";

test("other users get into no unit's folder, whatever the umask, and what is shown below stays readable", async (context) => {
  const umask = process.umask(0o022);
  context.after(() => void process.umask(umask));
  const directory = await temporaryDirectory(context);
  // One of an agent before, under another umask.
  await mkdir(join(directory, "unit-1"));
  await chmod(join(directory, "unit-1"), 0o755);
  for (const name of ["unit-0", "unit-1"]) {
    const { folder, spec } = testUnit(join(directory, name), testSpec({ exchange: { fileMiB: 1 } }));
    await makeDirectories(folder, spec);
    await writeAccounts(folder, 65532, 65532);
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    assert.equal(await modeOf(folder.root), "700");
    assert.equal(await modeOf(join(folder.exchange, "in")), "755");
    assert.equal(await modeOf(join(folder.root, "accounts", "passwd")), "644");
  }
});
