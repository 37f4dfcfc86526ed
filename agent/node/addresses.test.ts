import assert from "node:assert/strict";
import { test } from "node:test";

import { httpBeside } from "./addresses.ts";

test("blocks are served one port above libp2p, on the same address; on any port where libp2p takes any", () => {
  assert.equal(httpBeside(["/ip4/0.0.0.0/tcp/4001"]), "/ip4/0.0.0.0/tcp/4002/http");
  assert.equal(httpBeside(["/ip4/127.0.0.1/tcp/0"]), "/ip4/127.0.0.1/tcp/0/http");
  assert.equal(httpBeside(["/ip6/::/udp/9/quic-v1", "/ip6/::/tcp/9"]), "/ip6/::/tcp/10/http");
  assert.throws(() => httpBeside(["/ip4/0.0.0.0/udp/9"]), /None of the addresses to listen on/);
});
