import assert from "node:assert/strict";
import { test } from "node:test";

import { lag } from "./rpc-pool.ts";
import { secretsOf, shownName } from "./rpc-redact.ts";
import { proxyFor, requireProxySupport } from "./rpc-transport.ts";

test("of an address only scheme, host and port are shown, and no label that is a key", () => {
  assert.equal(shownName("https://user:pass@rpc.example:8443/v2/abcdef?key=123456"), "https://rpc.example:8443");
  assert.equal(shownName("https://3f2a9c81d7e64b05a1c2.rpc.example/"), "https://….rpc.example");
  assert.equal(shownName("https://base-mainnet.g.alchemy.com/v2/k"), "https://base-mainnet.g.alchemy.com");
  assert.equal(shownName("no address"), "(not a URL)");
});

test("a stranger's text loses every part of the address that may be a key", () => {
  const redact = secretsOf("https://me:s%40cret99@rpc.example/v2/Abc123Def456?token=tok-987654");
  const text = [
    "ABC123DEF456 /v2/Abc123Def456 tok-987654 s@cret99 s%40cret99",
    `Basic ${Buffer.from("me:s@cret99").toString("base64")}`,
    "see https://other.example/login?next=Abc123Def456",
  ].join(" ");
  const shown = redact(text);
  assert.doesNotMatch(shown, /abc123|tok-987|cret99|bWU6c0/i);
  assert.match(shown, /see https:\/\/other\.example$/);
  assert.equal(redact("over rate limit"), "over rate limit");
});

test("an endpoint is behind by the others' newest blocks, and a lone one far ahead is not believed", () => {
  assert.equal(lag(100, []), 0);
  assert.equal(lag(100, [140]), 40);
  assert.equal(lag(140, [100]), 0);
  assert.equal(lag(100, [140, 90]), 40);
  assert.equal(lag(100, [2 ** 40, 101]), 1, "the liar does not count");
  assert.ok(lag(2 ** 40, [100, 101]) < 0);
  assert.equal(lag(50_000, [100]), 0, "of two, nobody knows");
});

test("a proxy is for other machines, and needs a version of Node that knows proxies", () => {
  const env = { HTTPS_PROXY: "http://proxy:3128", no_proxy: ".corp" };
  assert.deepEqual(proxyFor(new URL("https://rpc.example/"), env), env);
  assert.equal(proxyFor(new URL("http://rpc.example/"), env), undefined);
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "node.localhost"]) {
    assert.equal(proxyFor(new URL(`https://${host}:8545/`), env), undefined, host);
  }
  assert.throws(() => {
    requireProxySupport("24.4.0");
  }, /Node 24\.4\.0 cannot use a proxy; use Node 24\.5/);
});
