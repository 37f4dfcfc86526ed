import assert from "node:assert/strict";
import { test } from "node:test";

import { besideLibp2p, formatHttpAddress, listenAddress, parseHttpAddress, toEndpoint } from "./addresses.ts";

const PEER = "12D3KooWKpe6kSDh5ZpDCPNP11FoMBWLxJBPdrM5kGGPGBNHBWx3";

test("HTTP addresses are read and written, others are passed over", () => {
  const good: [string, string, number][] = [
    ["/ip4/1.2.3.4/tcp/4002/http", "1.2.3.4", 4002],
    ["/ip6/2001:db8::1/tcp/80/http", "2001:db8::1", 80],
    ["/dns/node.example/tcp/8080/http", "node.example", 8080],
  ];
  for (const [text, host, port] of good) {
    assert.deepEqual(parseHttpAddress(text), { host, port });
    assert.equal(formatHttpAddress({ host, port }), text);
  }
  assert.deepEqual(parseHttpAddress(`/ip4/1.2.3.4/tcp/4002/http/p2p/${PEER}`), { host: "1.2.3.4", port: 4002 });
  const others = [`/ip4/1.2.3.4/tcp/4001/p2p/${PEER}`, "/ip4/1.2.3.4/udp/4002", "/ip4/1.2.3.4/tcp/4002/tls/http"];
  for (const text of others) assert.equal(parseHttpAddress(text), undefined);
  assert.throws(() => parseHttpAddress("nonsense"));
  assert.throws(() => parseHttpAddress("/ip4/1.2.3.4/tcp/99999/http"));
});

test("HTTP is announced where libp2p is, once for each host", () => {
  const libp2p = [
    `/ip4/1.2.3.4/tcp/4001/p2p/${PEER}`,
    `/ip4/1.2.3.4/tcp/4009/p2p/${PEER}`,
    `/dns4/a.b/tcp/1/p2p/${PEER}`,
  ];
  assert.deepEqual(besideLibp2p(libp2p, 4002), ["/ip4/1.2.3.4/tcp/4002/http", "/dns4/a.b/tcp/4002/http"]);
});

test("HTTP listens where it is told to, else one port above libp2p", () => {
  const libp2p = ["/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"];
  assert.deepEqual(listenAddress(undefined, libp2p), { host: "0.0.0.0", port: 4002 });
  assert.deepEqual(listenAddress(undefined, ["/ip4/127.0.0.1/tcp/0"]), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(listenAddress("/ip6/::1/tcp/80/http", libp2p), { host: "::1", port: 80 });
  assert.throws(() => listenAddress("/ip4/1.2.3.4/tcp/80", libp2p), { code: "LISTEN_FAILED" });
});

test("an endpoint keeps to 256 bytes, with one address of each kind at least, and what is reached from afar first", () => {
  const hosts = ["127.0.0.1", "10.1.2.3", "100.101.102.103", "203.0.113.200"];
  const addresses = [
    ...hosts.map((host) => `/ip4/${host}/tcp/4001/p2p/${PEER}`),
    ...hosts.map((host) => `/ip4/${host}/tcp/4002/http`),
  ];
  const endpoint = toEndpoint(addresses);
  assert.ok(Buffer.byteLength(endpoint) <= 256, `${Buffer.byteLength(endpoint)}`);
  assert.deepEqual(endpoint.split(","), [
    `/ip4/100.101.102.103/tcp/4001/p2p/${PEER}`,
    `/ip4/203.0.113.200/tcp/4001/p2p/${PEER}`,
    "/ip4/100.101.102.103/tcp/4002/http",
    "/ip4/203.0.113.200/tcp/4002/http",
  ]);
  const few = [`/ip4/127.0.0.1/tcp/4001/p2p/${PEER}`, "/ip4/127.0.0.1/tcp/4002/http"];
  assert.equal(toEndpoint(few), few.join(","));
  assert.equal(toEndpoint(few, 100), few[0]);
});
