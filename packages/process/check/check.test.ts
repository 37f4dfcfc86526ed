import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { ChainError } from "@verai/client/errors";
import {
  announceFindings,
  isUnspecified,
  keeperFindings,
  listenFindings,
  readPeerAddress,
  unreachable,
} from "./addresses.ts";
import { MAX_SKEW_SECONDS, proxyFindings, sameFindings, timeFindings } from "./endpoints.ts";
import { directoryFindings } from "./files.ts";
import { checkExitCode, CheckList, findingText, reportText } from "./finding.ts";
import { feeFindings, gasFindings } from "./money.ts";
import { clashFindings, portsOf, takenFindings } from "./ports.ts";

const PEER = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

test("addresses that people use are taken as they are", () => {
  for (const address of [
    "/ip4/8.8.8.8/tcp/4001",
    "/ip6/2606:4700::1/tcp/4001",
    "/dns4/node.example.org/tcp/4001",
    `/dns/node.example.org/tcp/4001/p2p/${PEER}`,
    "/dns4/node.example.org/tcp/4002/http",
    `/ip4/8.8.8.8/tcp/4002/http/p2p/${PEER}`,
  ]) {
    assert.equal(typeof readPeerAddress(address), "object", address);
    assert.deepEqual(announceFindings({ entry: "x", addresses: [address], onInternet: true }), [], address);
  }
  assert.deepEqual(listenFindings({ entry: "x", addresses: ["/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"] }), []);
  assert.deepEqual(
    keeperFindings("x", [`/ip4/192.168.1.9/tcp/4003/p2p/${PEER},/dns4/k.example.org/tcp/4003/p2p/${PEER}`]),
    [],
  );
});

test("on a local chain private addresses are as good as others", () => {
  const addresses = ["/ip4/127.0.0.1/tcp/4001", "/ip4/10.0.0.1/tcp/4001"];
  assert.deepEqual(announceFindings({ entry: "x", addresses, onInternet: false }), []);
  assert.equal(announceFindings({ entry: "x", addresses, onInternet: true }).length, 2);
});

test("what the Internet reaches is told from what it does not, at the borders of networks", () => {
  for (const host of [
    "11.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.1.1",
    "100.63.0.1",
    "100.128.0.1",
    "2001:db9::1",
    "a.b",
  ]) {
    assert.equal(unreachable(host), undefined, host);
  }
  for (const host of [
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.0",
    "100.127.255.255",
    "fd12::1",
    "fe80::1",
    "host",
    "a.local",
    "239.1.1.1",
  ]) {
    assert.notEqual(unreachable(host), undefined, host);
  }
  assert.ok(isUnspecified("0.0.0.0") && isUnspecified("::") && isUnspecified("0:0:0:0:0:0:0:0"));
  assert.ok(!isUnspecified("::1") && !isUnspecified("0.0.0.1"));
});

test("ports clash where their hosts overlap, and port 0 never does", async () => {
  const use = (entry: string, host: string, port: number) => ({ entry, host, port });
  assert.equal(clashFindings([use("a", "0.0.0.0", 4001), use("b", "127.0.0.1", 4001)]).length, 1);
  assert.deepEqual(clashFindings([use("a", "127.0.0.2", 4001), use("b", "127.0.0.1", 4001)]), []);
  assert.deepEqual(clashFindings([use("a", "0.0.0.0", 0), use("b", "0.0.0.0", 0)]), []);
  assert.deepEqual(portsOf("a", ["/ip4/127.0.0.1/tcp/7", "nonsense"]), [use("a", "127.0.0.1", 7)]);
  assert.deepEqual(await takenFindings([use("a", "127.0.0.1", 0)]), []);
});

test("clocks within a minute of the chain are right, and so are endpoints a few blocks apart", () => {
  const at = (entry: string, number: number, timestamp: number) => ({
    entry,
    url: "http://x",
    findings: [],
    block: { number, timestamp },
  });
  assert.deepEqual(timeFindings([at("a", 100, 1000), at("b", 90, 980)], 8453, 1000 + MAX_SKEW_SECONDS), []);
  assert.equal(
    timeFindings([at("a", 100, 1000), at("b", 90, 980)], 8453, 1000, 9)[0]?.bound,
    "at most 9 blocks behind",
  );
  assert.deepEqual(timeFindings([], 8453, 1000), []);
  const [local] = timeFindings([at("a", 100, 1000)], LOCAL_CHAIN_ID, 90_000);
  assert.equal(local?.level, "warning", "a local chain's clock goes by what its users set");
});

test("a proxy is told where an endpoint is asked through it, or where it is not used", () => {
  const found = (url: string, env: Record<string, string>) =>
    proxyFindings([{ entry: "network.rpcUrl", url }], env).map(({ entry, what }) => `${entry} ${what}`);
  assert.deepEqual(found("https://rpc.example", {}), []);
  assert.deepEqual(found("http://127.0.0.1:8545", { HTTP_PROXY: "http://p:1" }), []);
  assert.match(found("https://rpc.example", { https_proxy: "http://p:1" })[0] ?? "", /^https_proxy is the way to/);
  assert.match(found("https://rpc.example", { ALL_PROXY: "http://p:1" })[0] ?? "", /^ALL_PROXY is not used/);
});

test("the same endpoint twice is one endpoint", () => {
  const endpoint = (entry: string) => ({ entry, url: "http://x/key" });
  assert.equal(sameFindings([endpoint("a"), endpoint("b")])[0]?.value, "http://x");
});

test("a directory that is to be made is judged by what exists, and is not made", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "drmp-check-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  assert.deepEqual(await directoryFindings("x", join(directory, "a", "b"), 1), []);
  assert.deepEqual(await directoryFindings("x", directory, 1), []);
});

test("a cap of the gas price below what the chain takes is named with both", () => {
  assert.deepEqual(feeFindings("0.5", 500_000_000n), []);
  const [found] = feeFindings("0.5", 1_007_000_000n);
  assert.match(found?.what ?? "", /1\.007 gwei/);
  assert.equal(found?.bound, "1.007 gwei or more");
});

test("exit codes: 0 with warnings, 75 where waiting may help, else 1; each part is looked at whatever fails", async () => {
  const list = new CheckList();
  assert.equal(checkExitCode(list.report), 0);
  list.add(...gasFindings("operator", "0x1", 10n, "0.001"));
  assert.equal(checkExitCode(list.report), 0);
  await list.part("network.rpcUrl", "an endpoint", () => Promise.reject(new ChainError("DOWN", true, "It is down.")));
  assert.equal(checkExitCode(list.report), 75);
  list.add(...gasFindings("operator", "0x1", 0n, "0.001"));
  assert.equal(checkExitCode(list.report), 1);
  list.fact("network", "chain 1");
  const text = reportText(list.report);
  assert.match(
    text,
    /^network {2}chain 1\n\nnote {3}operator "0\.0{16}1 ETH": .*\nWRONG {2}network\.rpcUrl: It is down\./,
  );
  assert.match(text, /2 to correct before it can run\n$/);
  assert.equal(
    findingText({ level: "error", entry: "a", value: "1", what: "is odd", bound: "even", remedy: "use 2" }),
    'WRONG  a "1": is odd. It has to be even. Use 2.',
  );
});
