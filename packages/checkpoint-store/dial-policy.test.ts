import assert from "node:assert/strict";
import { test } from "node:test";

import { multiaddr } from "@multiformats/multiaddr";

import { DialPolicy, isPublicAddress, isPublicName } from "./dial-policy.ts";
import type { Resolve } from "./dial-policy.ts";

test("only addresses of the Internet are public, whichever way a private one is written", () => {
  const inside = [
    ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
    ...[
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.8",
      "192.168.1.1",
      "198.18.0.1",
      "224.0.0.1",
      "240.0.0.1",
      "255.255.255.255",
    ],
    ...["::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1"],
    ...[
      "2002:7f00:1::",
      "2001:0:4136:e378::1",
      "100::1",
      "5f00::1",
      "nonsense",
      "",
      "1.2.3",
      "0x7f.0.0.1",
      "0177.0.0.1",
    ],
  ];
  for (const address of inside) assert.equal(isPublicAddress(address), false, address);
  const outside = [
    "8.8.8.8",
    "1.1.1.1",
    "203.0.113.7",
    "100.63.255.255",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
  ];
  for (const address of outside) assert.equal(isPublicAddress(address), true, address);
});

test("a public name is a full domain name and no number", () => {
  const bad = [
    ...[
      "localhost",
      "LOCALHOST",
      "localhost.",
      "a.localhost",
      "metadata.google.internal",
      "printer.local",
      "nas.lan",
      "kube",
    ],
    ...[
      "2130706433",
      "0x7f000001",
      "127.1",
      "0x7f.1",
      "017700000001",
      "127.0.0.1.",
      "a..b",
      "-a.example",
      "a_b c.example",
    ],
    ...["", ".", "a.b.c.123", `${"a".repeat(64)}.example`, `${"a.".repeat(130)}example`, "1.0.0.127.in-addr.arpa"],
  ];
  for (const name of bad) assert.equal(isPublicName(name), false, name);
  for (const name of ["node.example.org", "node.example.org.", "n1.xn--p1ai", "_drmp.example"]) {
    assert.equal(isPublicName(name), true, name);
  }
});

test("a policy refuses what is inside, but for the own configuration and on a local network", () => {
  const policy = new DialPolicy("public", [
    "/ip4/10.0.0.5/tcp/4003/p2p-circuit",
    "/dns4/keepers.drmp.svc/tcp/4003",
    "nonsense",
  ]);
  assert.equal(policy.refusal("203.0.113.7"), undefined);
  assert.match(policy.refusal("10.0.0.6") ?? "", /10\.0\.0\.6 is no address of the Internet/);
  assert.equal(policy.refusal("10.0.0.5"), undefined);
  assert.equal(policy.refusal("keepers.drmp.svc"), undefined);
  assert.match(policy.refusal("localhost") ?? "", /no public domain name/);
  assert.match(policy.refusalOf(multiaddr("/unix/%2Ftmp%2Fx")) ?? "", /does not begin/);
  assert.match(policy.refusalOf(multiaddr("/dnsaddr/example.org")) ?? "", /does not begin/);
  assert.match(policy.refusalOf(multiaddr("/ip6/::ffff:127.0.0.1/tcp/1")) ?? "", /no address of the Internet/);
  assert.equal(new DialPolicy("any").refusal("127.0.0.1"), undefined);
});

test("a name that resolves to an address inside is refused when it is connected to, even among good ones", () => {
  const resolve: Resolve = (name, _options, callback) => {
    const inside = { address: "169.254.169.254", family: 4 };
    const outside = { address: "203.0.113.7", family: 4 };
    if (name === "none.example") callback(null, []);
    else callback(null, name === "good.example" ? [outside] : [outside, inside]);
  };
  const ask = (policy: DialPolicy, name: string, all: boolean): unknown => {
    let got: unknown;
    policy.lookup(name, { all }, (error, address) => {
      got = error?.message ?? address;
    });
    return got;
  };
  const policy = new DialPolicy("public", ["/dns4/own.example/tcp/1"], resolve);
  assert.equal(ask(policy, "good.example", false), "203.0.113.7");
  assert.deepEqual(ask(policy, "good.example", true), [{ address: "203.0.113.7", family: 4 }]);
  for (const all of [false, true]) {
    assert.match(ask(policy, "bad.example", all) as string, /bad\.example resolves to 169\.254\.169\.254/);
    assert.match(ask(policy, "none.example", all) as string, /resolves to nothing/);
  }
  assert.equal(ask(policy, "own.example", false), "203.0.113.7");
});
