import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { LocalStore } from "./local.ts";
import { treeCid } from "./tree-cid.ts";

test("the CID of a directory is that of storing it: with large files, many entries and empty directories", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "tree-cid-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const tree = join(root, "tree");
  // So many entries that the directory is sharded: their block would exceed 256 KiB.
  await mkdir(join(tree, "many"), { recursive: true });
  await mkdir(join(tree, "empty"));
  const names = Array.from(
    { length: 1100 },
    (_, i) => `${"a-file-with-a-rather-long-name-".repeat(7)}${String(i).padStart(8, "0")}`,
  );
  for (const name of names) await writeFile(join(tree, "many", name), name);
  await writeFile(join(tree, "large.bin"), Buffer.alloc(3 * 1024 * 1024 + 17, 7));
  const store = new LocalStore(join(root, "store"));
  await store.open();
  context.after(() => store.close());
  const { cid } = await store.addDirectory(tree);
  assert.equal((await treeCid(tree)).toString(), cid.toString());

  await chmod(join(tree, "large.bin"), 0o600);
  await utimes(join(tree, "large.bin"), 1, 1);
  assert.equal((await treeCid(tree)).toString(), cid.toString());
  await writeFile(join(tree, "large.bin"), Buffer.alloc(3 * 1024 * 1024 + 17, 8));
  assert.notEqual((await treeCid(tree)).toString(), cid.toString());
});
