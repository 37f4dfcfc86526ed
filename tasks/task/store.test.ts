import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { RpcUnavailableError } from "@verai/client/errors";
import type { Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { CheckpointStore } from "@verai/checkpoint-store/store";
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
