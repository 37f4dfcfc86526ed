import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { listCheckpoints } from "./checkpoints.ts";
import { linkTree } from "./snapshot.ts";

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
    ["file", (at) => symlink(join(secret, "operator.json"), join(at, "zz")), /zz is neither a file nor a directory/],
    ["directory", (at) => symlink(secret, join(at, "zz")), /zz is neither a file nor a directory/],
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
        assert.match(String(error), /neither a file nor a directory/);
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
