import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { RpcUnavailableError } from "@verai/client/errors";
import type { Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { addToStore } from "../data/add.ts";
import { withStore } from "./store.ts";

test("a node that registers later gets what is served, also if the chain could not be asked in between", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-serve-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  const node = new CheckpointStore({ directory: join(root, "node"), listen: ["/ip4/127.0.0.1/tcp/0"] });
  await node.start();
  context.after(() => node.stop());
  let looks = 0;
  const reader = {
    block: () => Promise.resolve({} as BlockReference),
    nodes: () => {
      looks += 1;
      if (looks === 2) return Promise.reject(new RpcUnavailableError("timeout", "it is down"));
      return Promise.resolve(looks < 4 ? [] : [{ endpoint: node.multiaddrs().join(",") } as Node]);
    },
  };
  const spec = new TextEncoder().encode("spec");
  await withStore(
    reader,
    join(root, "developer"),
    async (store) => {
      const { cid } = await store.addFile(spec, { pin: "spec" });
      // Nobody told the node where the developer is.
      assert.equal((await node.fetch(cid, { maxBytes: 100, timeout: 20_000 })).size, spec.length);
    },
    50,
  );
  assert.ok(looks >= 4);
});

test("data that was added before is served while a task runs, and lies where the spec says", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "drmp-data-"));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "data/images"), { recursive: true });
  await mkdir(join(root, "unit"));
  await writeFile(join(root, "data/images/one.txt"), "one");
  await writeFile(join(root, "data/labels.txt"), "1");
  const added = await addToStore(join(root, "developer"), join(root, "data"));
  assert.deepEqual(await addToStore(join(root, "developer"), join(root, "data")), added, "again: the same");
  await assert.rejects(addToStore(join(root, "developer"), join(root, "none")), /There is no .*none/);
  const node = new CheckpointStore({ directory: join(root, "node"), listen: ["/ip4/127.0.0.1/tcp/0"] });
  await node.start();
  context.after(() => node.stop());
  const reader = {
    block: () => Promise.resolve({} as BlockReference),
    nodes: () => Promise.resolve([{ endpoint: node.multiaddrs().join(",") } as Node]),
  };
  await withStore(reader, join(root, "developer"), async () => {
    await node.fetchTo(added.cid, join(root, "unit/data"), { timeout: 20_000 });
  });
  assert.equal(await readFile(join(root, "unit/data/images/one.txt"), "utf8"), "one");
});
