import assert from "node:assert/strict";
import { test } from "node:test";

import { clientOf, serveSponsor } from "./api.ts";

const from = (remoteAddress: string, forwarded?: string, proxies = 0) =>
  clientOf(
    { socket: { remoteAddress }, headers: { ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) } },
    proxies,
  );

test("a client is its address; of IPv6 its network; forged headers change nothing", () => {
  assert.equal(from("1.2.3.4"), "1.2.3.4");
  assert.equal(from("::ffff:1.2.3.4"), "1.2.3.4");
  assert.equal(from("1.2.3.4", "9.9.9.9"), "1.2.3.4");
  assert.equal(from("10.0.0.1", "6.6.6.6, 9.9.9.9", 1), "9.9.9.9");
  assert.equal(from("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2", 2), "9.9.9.9");
  assert.equal(from("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::/64");
  assert.equal(from("2001:db8:1:2::1"), from("2001:0DB8:1:2:ffff:1:2:3"));
  assert.notEqual(from("2001:db8:1:3::1"), from("2001:db8:1:2::1"));
  assert.equal(from("::1"), "0:0:0:0::/64");
});

test("what is no request of a wallet is refused, and too many requests are", async () => {
  const never = () => Promise.reject(new Error("not to be asked"));
  const sponsor = { estimate: never, stub: () => { throw new Error("not to be asked"); }, sponsor: never, send: never, receipt: never }; // prettier-ignore
  const errors: unknown[] = [];
  const { url, close } = await serveSponsor({
    ...{ host: "127.0.0.1", port: 0, proxies: 0, chainId: 31337, sponsor },
    status: () => Promise.resolve({ fine: true }),
    onAnswer: () => undefined,
    onError: (error) => errors.push(error),
  });
  try {
    const post = async (body: string) => {
      const response = await fetch(url, { method: "POST", body });
      return [response.status, await response.text()] as const;
    };
    assert.match((await post("{"))[1], /-32700/);
    assert.match((await post("[]"))[1], /-32600/);
    assert.match((await post('{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":[]}'))[1], /-32601/);
    assert.match((await post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'))[1], /0x7a69/);
    assert.equal((await post("x".repeat(200_000)).catch(() => [413]))[0], 413);
    assert.equal((await fetch(url)).status, 405);
    assert.equal((await fetch(`${url}/status`)).status, 200);
    assert.equal((await fetch(url, { method: "OPTIONS" })).headers.get("access-control-allow-methods"), "GET, POST");
    const many = await Promise.all(Array.from({ length: 90 }, async () => (await fetch(`${url}/status`)).status));
    assert.ok(many.includes(429));
    assert.deepEqual(errors, []);
  } finally {
    await close();
  }
});
