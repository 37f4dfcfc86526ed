import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { KEY_BYTES, Seal } from "@verai/executor/sealed/seal";
import { openTree } from "@verai/executor/sealed/tree";
import { readOutbox, takeFile, tidyInbox } from "./outbox.ts";

test("an outbox has what bears a whole name and is a plain file; a replaced file is another version", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-outbox-"));
  context.after(() => rm(root, { recursive: true }));
  for (const name of [
    "delta-000000007",
    "record-000000007",
    "delta-7",
    "delta-000000008.tmp",
    "want-state-000000006",
  ]) {
    await writeFile(join(root, name), "content");
  }
  await symlink("/etc/passwd", join(root, "state-000000007"));
  await mkdir(join(root, "state-000000006"));
  const { files, wants } = await readOutbox(root);
  const named = files.map(({ kind, round }) => `${kind} ${String(round)}`).sort();
  assert.deepEqual(named, ["delta 7", "record 7"]);
  assert.deepEqual(wants, [{ kind: "state", round: 6 }]);

  await writeFile(join(root, "next"), "another");
  await rename(join(root, "next"), join(root, "delta-000000007"));
  const versionOf = (found: typeof files) => found.find(({ kind }) => kind === "delta")?.version;
  const again = await readOutbox(root);
  assert.notEqual(versionOf(again.files), versionOf(files));
  assert.equal(versionOf((await readOutbox(root)).files), versionOf(again.files));
  assert.deepEqual(await readOutbox(join(root, "missing")), { files: [], wants: [] });
});

test("an inbox keeps what is named, and loses the rest with its directories", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-inbox-"));
  context.after(() => rm(root, { recursive: true }));
  for (const path of ["delta-000000001/0.1.a", "delta-000000002/0.1.b", "delta-000000002/1.1.c"]) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), "");
  }
  await writeFile(join(root, "ready"), "");
  await tidyInbox(root, new Set(["delta-000000002/1.1.c"]));
  assert.deepEqual((await readdir(root)).sort(), ["delta-000000002", "ready"]);
  assert.deepEqual(await readdir(join(root, "delta-000000002")), ["1.1.c"]);
});

test("a link that takes the place of a file is not followed, nor is more taken than is allowed", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-outbox-"));
  context.after(() => rm(root, { recursive: true }));
  const [out, scratch] = [join(root, "out"), join(root, "scratch")];
  await mkdir(out);
  const [path, secret] = [join(out, "delta-000000001"), join(root, "secret")];
  await writeFile(path, "numbers");
  await writeFile(secret, "the machine's own");
  const [found] = (await readOutbox(out)).files;
  assert.equal(found?.path, path);
  assert.equal(await readFile(await takeFile(path, scratch, 7), "utf8"), "numbers");
  await assert.rejects(takeFile(path, scratch, 6), /larger than this node stores/);
  // After it was seen as a plain file, its program puts something else there.
  await rm(path);
  await symlink(secret, path);
  await assert.rejects(takeFile(path, scratch, 1_000));
});

test("of a confidential task what is taken is sealed, the same each time, and opens to what it was", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-outbox-"));
  context.after(() => rm(root, { recursive: true }));
  const [path, scratch, opened] = [join(root, "delta-000000001"), join(root, "scratch"), join(root, "opened")];
  await writeFile(path, "numbers");
  const seal = new Seal(Buffer.alloc(KEY_BYTES, 7));
  const sealed = await takeFile(path, scratch, 1_000, seal);
  const bytes = await readFile(sealed);
  assert.equal(bytes.includes("numbers"), false);
  assert.deepEqual(await readFile(await takeFile(path, scratch, 1_000, seal)), bytes);
  await openTree(sealed, opened, seal);
  assert.equal(await readFile(opened, "utf8"), "numbers");
});
