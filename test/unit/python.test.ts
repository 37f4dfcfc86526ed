import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { CID } from "multiformats/cid";

import { type BlockSink, importDirectory } from "@verai/checkpoint-store/import";
import { misnamedCheckpoint, newestCheckpoint } from "@verai/executor/checkpoints";
import { unitEnvironment } from "@verai/executor/environment";

const SOURCE = fileURLToPath(new URL("../../python/src", import.meta.url));
const MIB = 1024 * 1024;
const run = promisify(execFile);
const skip =
  spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]).status === 0
    ? false
    : "there is no python3 of version 3.10 or later";

/** Runs a program with the environment of a unit that has just been started. */
async function python(context: TestContext, program: string) {
  const root = await mkdtemp(join(tmpdir(), "drmp-python-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const directories = { checkpoint: join(root, "c"), input: join(root, "i"), output: join(root, "o") };
  const env = unitEnvironment({ env: {} }, { taskId: 7, unitIndex: 2, unitCount: 5, attempt: 3 }, directories);
  const { stdout } = await run("python3", ["-c", program], {
    env: { ...env, PATH: process.env["PATH"], PYTHONPATH: SOURCE, PYTHONDONTWRITEBYTECODE: "1" },
  });
  return { stdout, directories };
}

test(
  "the Python package reads what the agent tells, and the agent finds its checkpoints",
  { skip },
  async (context) => {
    const { stdout, directories } = await python(
      context,
      `
import drmp
unit = drmp.unit()
print(unit.task_id, unit.index, unit.count, unit.attempt)
drmp.checkpoint.save(41, lambda path: (path / "state").write_text("a"), 0.25)
drmp.checkpoint.save(42, lambda path: (path / "state").write_text("b"), 0.5)
`,
    );
    assert.equal(stdout, "7 2 5 3\n");
    const newest = await newestCheckpoint(directories.checkpoint);
    assert.deepEqual([newest?.number, newest?.progress], [42, 0.5]);
    assert.equal(await misnamedCheckpoint(directories.checkpoint, 42), undefined);
  },
);

test("of a checkpoint with a frozen backbone only the rest is stored again", { skip }, async (context) => {
  const { directories } = await python(
    context,
    `
import random
from drmp import checkpoint, layout

def tensor(name, mebibytes, seed, frozen):
    data = random.Random(seed).randbytes(int(mebibytes * 2**20))
    return layout.Tensor(name, "U8", (len(data),), memoryview(data), frozen)

for step in (1, 2):
    state = [
        tensor("adapter.0", 0.3, f"{step} a", False),
        tensor("backbone.0", 9.7, "b", True),
        tensor("adapter.1", 0.3, f"{step} c", False),
        tensor("backbone.1", 0.6, "d", True),
        tensor("backbone.2", 12.2, "e", True),
    ]
    note = {"note": "x" * 1000 * step}
    checkpoint.save(step, lambda path: layout.write(path / "state.safetensors", state, note), step / 2)
`,
  );
  const blocks = new Map<string, Uint8Array>();
  let stored = 0;
  const sink = {
    has: (cid: CID) => blocks.has(cid.toString()),
    *get(cid: CID) {
      yield blocks.get(cid.toString()) ?? new Uint8Array();
    },
    put: async (cid: CID, content: Parameters<BlockSink["put"]>[1]) => {
      const parts: Uint8Array[] = [];
      if (content instanceof Uint8Array) parts.push(content);
      else for await (const part of content) parts.push(part);
      const bytes = Buffer.concat(parts);
      if (!blocks.has(cid.toString())) stored += bytes.byteLength;
      blocks.set(cid.toString(), bytes);
      return cid;
    },
  };
  const bytesOf = async (name: string) => {
    stored = 0;
    await importDirectory(join(directories.checkpoint, name), sink);
    return stored;
  };
  const first = await bytesOf("checkpoint-000000001");
  const second = await bytesOf("checkpoint-000000002");
  // The header's block, and one with both adapters; the rest are directories of a few hundred bytes.
  assert.ok(first > 23 * MIB && first < 26 * MIB, String(first));
  assert.ok(second > 1.6 * MIB && second < 1.7 * MIB, String(second));
});
