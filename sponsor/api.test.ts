import assert from "node:assert/strict";
import { test } from "node:test";

import { serveSponsor } from "./api.ts";

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
