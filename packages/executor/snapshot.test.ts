import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { listCheckpoints } from "./checkpoints.ts";
import { checkTree, linkTree, treeBudget } from "./snapshot.ts";

async function folder(context: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "drmp-snapshot-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

test("a tree of files is the same elsewhere, and so is a single file", async (context) => {
  const root = await folder(context);
  await mkdir(join(root, "from", "a", "b"), { recursive: true });
  await writeFile(join(root, "from", "a", "b", "weights"), "w");
  await writeFile(join(root, "from", "top"), "t");
  await linkTree(join(root, "from"), join(root, "to"));
  assert.equal(await readFile(join(root, "to", "a", "b", "weights"), "utf8"), "w");
  await linkTree(join(root, "from", "top"), join(root, "single", "top"));
  assert.equal(await readFile(join(root, "single", "top"), "utf8"), "t");
});

test("links, pipes and bottomless trees are refused by name, and nothing of them is left", async (context) => {
  const root = await folder(context);
  const secret = join(root, "keys");
  await mkdir(secret);
  await writeFile(join(secret, "operator.json"), "secret");
  const cases: [name: string, make: (at: string) => Promise<unknown>, message: RegExp][] = [
    ["file", (at) => symlink(join(secret, "operator.json"), join(at, "zz")), /zz is an absolute link/],
    ["directory", (at) => symlink("../../keys", join(at, "zz")), /zz is a link that leads out of its tree/],
    ["pipe", (at) => Promise.resolve(execFileSync("mkfifo", [join(at, "zz")])), /zz is neither a file nor a directory/],
    ["deep", (at) => mkdir(join(at, ...Array<string>(70).fill("d")), { recursive: true }), /64 directories deep/],
  ];
  for (const [name, make, message] of cases) {
    const from = join(root, name, "from");
    await mkdir(from, { recursive: true });
    await make(from);
    const to = join(root, name, "to");
    await assert.rejects(linkTree(from, to), { code: "OUTPUT_INVALID", message });
    assert.ok(!(await readdir(to)).includes("zz"), name);
  }
  await symlink(secret, join(root, "itself"));
  await assert.rejects(linkTree(join(root, "itself"), join(root, "to")), { code: "OUTPUT_INVALID" });
});

test(
  "a program that exchanges a directory for a link meanwhile gets nothing of what the link leads to",
  { skip: process.platform === "linux" ? false : "reaching entries through an open directory needs Linux" },
  async (context) => {
    const root = await folder(context);
    const secret = join(root, "keys");
    await mkdir(secret);
    await writeFile(join(secret, "operator.json"), "secret");
    for (let attempt = 0; attempt < 5; attempt++) {
      const from = join(root, `from-${String(attempt)}`);
      const to = join(root, `to-${String(attempt)}`);
      await mkdir(join(from, "zz"), { recursive: true });
      for (let i = 0; i < 2000; i++) await writeFile(join(from, `f${String(i)}`), "");
      const attacker = spawn(process.execPath, ["-e", EXCHANGE, from, secret], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(attacker.stdout, "data");
      await linkTree(from, to).catch((error: unknown) => {
        assert.match(String(error), /neither a file nor a directory|absolute link/);
      });
      attacker.kill();
      const found = await readdir(join(to, "zz")).catch(() => []);
      assert.deepEqual(found, [], "the keys are in the snapshot");
    }
  },
);

/** Waits for the first file to be linked, and then puts a link in the place of the directory that comes last. */
const EXCHANGE = `
const fs = require("node:fs");
const [from, secret] = process.argv.slice(1);
process.stdout.write("ready");
const names = fs.readdirSync(from).filter((name) => name !== "zz");
const linked = () => names.some((name) => fs.lstatSync(from + "/" + name).nlink > 1);
while (!linked());
fs.rmdirSync(from + "/zz");
fs.symlinkSync(secret, from + "/zz");
setInterval(() => {}, 1000);
`;

test("a progress file that is a pipe or a link says nothing, and holds nobody up", async (context) => {
  const root = await folder(context);
  for (const name of ["checkpoint-000000001", "checkpoint-000000002"]) await mkdir(join(root, name));
  execFileSync("mkfifo", [join(root, "checkpoint-000000001", "progress.json")]);
  await writeFile(join(root, "elsewhere.json"), '{"progress": 0.5}');
  await symlink(join(root, "elsewhere.json"), join(root, "checkpoint-000000002", "progress.json"));
  assert.deepEqual(
    (await listCheckpoints(root)).map(({ number, progress }) => [number, progress]),
    [
      [2, undefined],
      [1, undefined],
    ],
  );
});

test("a link is taken for what it leads to, if that stays inside", async (context) => {
  const root = await folder(context);
  const from = join(root, "from");
  await mkdir(join(from, "blobs", "deep"), { recursive: true });
  await mkdir(join(from, "snapshots", "main"), { recursive: true });
  await writeFile(join(from, "epoch=3.ckpt"), "weights");
  await writeFile(join(from, "blobs", "deep", "1"), "blob");
  await symlink("epoch=3.ckpt", join(from, "last.ckpt"));
  await symlink("last.ckpt", join(from, "best.ckpt"));
  await symlink("../../blobs/deep/1", join(from, "snapshots", "main", "model.bin"));
  await symlink("blobs/./deep/", join(from, "latest"));
  await symlink("../latest/../deep", join(from, "blobs", "round"));
  const to = join(root, "to");
  await linkTree(from, to);
  const read = (...path: string[]) => readFile(join(to, ...path), "utf8");
  assert.equal(await read("last.ckpt"), "weights");
  assert.equal(await read("best.ckpt"), "weights");
  assert.equal(await read("snapshots", "main", "model.bin"), "blob");
  assert.equal(await read("latest", "1"), "blob");
  assert.equal(await read("blobs", "round", "1"), "blob");
  assert.ok(!(await lstat(join(to, "latest"))).isSymbolicLink());
  await checkTree(from);
});

test("links that never end, or lead to nothing, are refused", async (context) => {
  const root = await folder(context);
  const cases: [name: string, make: (at: string) => Promise<unknown>, message: RegExp][] = [
    ["itself", (at) => symlink("zz", join(at, "zz")), /more than 16 links/],
    ["its own directory", (at) => symlink(".", join(at, "zz")), /a directory that it lies in/],
    ["nothing", (at) => symlink("gone", join(at, "zz")), /does not exist \(gone\)/],
    ["a file as a directory", (at) => symlink("f/x", join(at, "zz")), /does not exist \(f\/x\)/],
    [
      "each other",
      async (at) => {
        await mkdir(join(at, "a"));
        await mkdir(join(at, "b"));
        await symlink("../b", join(at, "a", "zz"));
        await symlink("../a", join(at, "b", "zz"));
      },
      /a directory that it lies in/,
    ],
  ];
  for (const [name, make, message] of cases) {
    const from = join(root, name, "from");
    await mkdir(from, { recursive: true });
    await writeFile(join(from, "f"), "");
    await make(from);
    await assert.rejects(linkTree(from, join(root, name, "to")), { code: "OUTPUT_INVALID", message }, name);
    await assert.rejects(checkTree(from), { code: "OUTPUT_INVALID", message }, name);
  }
});

test("a tree that is too much is refused before it is read", async (context) => {
  const root = await folder(context);
  const from = join(root, "from");
  await mkdir(from);
  await writeFile(join(from, "sparse"), "");
  await truncate(join(from, "sparse"), 2 ** 40);
  await assert.rejects(linkTree(from, join(root, "to"), treeBudget(2 ** 30)), /larger than this node stores/);
  await assert.rejects(linkTree(from, join(root, "to2"), { entries: 1, bytes: Infinity }), /one entry too many/);
  await mkdir(join(root, "named"));
  await writeFile(join(root, "named", "a\\b"), "");
  await assert.rejects(checkTree(join(root, "named")), /backslash/);
});
