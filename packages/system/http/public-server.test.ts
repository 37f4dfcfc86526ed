import assert from "node:assert/strict";
import { test } from "node:test";

import { clientOf } from "./public-server.ts";

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
