import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";

import { loadPrivateHelia } from "./private-helia.ts";

test("loads Helia without what only a public node uses", async () => {
  const loaded = new Set<string>();
  const hooks = registerHooks({
    load(url, context, next) {
      loaded.add(/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? "");
      return next(url, context);
    },
  });
  const { createHeliaLight, withLibp2pLight } = await loadPrivateHelia();
  hooks.deregister();
  assert.equal(typeof createHeliaLight, "function");
  assert.equal(typeof withLibp2pLight, "function");
  assert.ok(loaded.has("helia") && loaded.has("libp2p"), [...loaded].join());
  for (const name of [
    "@helia/http",
    "@libp2p/kad-dht",
    "@libp2p/webrtc",
    "@libp2p/upnp-nat",
    "undici",
    "acme-client",
  ]) {
    assert.ok(!loaded.has(name), name);
  }
});
