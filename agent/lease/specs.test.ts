import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { CheckpointStore } from "@verai/checkpoint-store/store";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { specBytes } from "@verai/executor/spec";
import { Specs } from "./specs.ts";

test("a spec is held against its CID each time before it is trained with", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-specs-"));
  const store = new CheckpointStore({ directory: join(root, "store"), http: false });
  await store.start();
  context.after(async () => {
    await store.stop();
    await rm(root, { recursive: true, force: true });
  });
  const bytes = specBytes({
    version: 1,
    name: "digits",
    trainer: "digits",
    args: ["--epochs", "4"],
    resources: { cpus: 1, memoryMiB: 256 },
    checkpoint: { intervalSeconds: 10 },
    outputs: ["model.json"],
    timeouts: { unitSeconds: 600 },
  });
  const { cid } = await store.addFile(bytes);
  const lines: string[] = [];
  const specs = new Specs(store, join(root, "specs"), { error: (_, message) => void lines.push(message) });
  // Two at once, as a lease and a holder's upkeep may be: neither is in the other's way.
  const both = await Promise.all(
    [1, 2].map((taskId) => specs.bytes(toChainCid(cid), 5000, new AbortController().signal, { taskId })),
  );
  assert.deepEqual(
    both,
    [bytes, bytes].map((each) => Buffer.from(each)),
  );
  const get = async () => (await specs.get(toChainCid(cid), 5000, new AbortController().signal, { taskId: 1 })).args[1];
  assert.equal(await get(), "4");
  const file = join(root, "specs", cid.toString());
  await writeFile(file, (await readFile(file, "utf8")).replace('"4"', '"9"'));
  assert.equal(await get(), "4");
  assert.match(lines.join(), /copy of a task's spec .* does not match its CID/);
  assert.deepEqual((await readdir(join(root, "specs"))).toSorted(), [cid.toString(), `${cid.toString()}.bad`]);
  await writeFile(file, "");
  assert.equal(await get(), "4");
});
