import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { inspect } from "node:util";

import { LOCAL_CHAIN_ID } from "./chains.ts";
import { RpcUnavailableError, WrongNetworkError } from "./errors.ts";
import { type EndpointEvent, openProvider, type ProviderOptions, RpcProvider } from "./provider.ts";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }
  | "silence"
  | "hang up";

const servers: Server[] = [];
const providers: RpcProvider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) provider.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/**
 * A JSON-RPC endpoint on loopback that answers as told. Counts the HTTP requests.
 *
 * @param checks Whether it answers by itself, uncounted, when it is asked for its chain before anything else.
 */
async function endpoint(
  reply: (calls: readonly Call[], request: number) => Reply,
  checks = true,
): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const calls = [JSON.parse(text) as Call | Call[]].flat();
      const checked = checks && calls.every(({ id, method }) => id === 0 && method === "eth_chainId");
      if (!checked) requests += 1;
      const answer = checked ? ok(calls) : reply(calls, requests);
      if (answer === "hang up") request.socket.destroy();
      if (typeof answer === "string") return;
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}/v1/secret-access-key`, requests: () => requests };
}

function ok(calls: readonly Call[], result: (call: Call) => unknown = () => "0x7a69"): Reply {
  return { body: calls.map((call) => ({ jsonrpc: "2.0", id: call.id, result: result(call) })) };
}

function failed(calls: readonly Call[], code: number, message: string, status = 200): Reply {
  return { status, body: calls.map(({ id }) => ({ jsonrpc: "2.0", id, error: { code, message } })) };
}

function provider(url: string, options: Partial<ProviderOptions> = {}): RpcProvider {
  const made = new RpcProvider(url, { chainId: LOCAL_CHAIN_ID, backoffMs: 5, timeoutMs: 500, attempts: 3, ...options });
  providers.push(made);
  return made;
}

async function unavailable(asked: Promise<unknown>): Promise<RpcUnavailableError> {
  const error = await asked.then(
    () => assert.fail("it was answered"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RpcUnavailableError, inspect(error));
  assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes("secret-access-key"));
  return error;
}

test("the chain is checked once, and the wrong one named", async () => {
  const { url, requests } = await endpoint((calls) => ok(calls), false);
  const right = await openProvider(url, { chainId: LOCAL_CHAIN_ID });
  providers.push(right);
  assert.equal((await right.getNetwork()).chainId, 31337n);
  assert.equal(requests(), 1);
  await assert.rejects(openProvider(url, { chainId: 8453 }), (error: WrongNetworkError) => {
    assert.ok(error instanceof WrongNetworkError);
    assert.match(error.message, /serves chain 31337, but chain 8453 is configured/);
    assert.ok(!error.message.includes("secret-access-key"));
    return true;
  });
});

test("an endpoint that is down is unavailable, at the start too, and never an empty answer", async () => {
  const { url } = await endpoint((calls) => ok(calls));
  await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
  const error = await unavailable(openProvider(url, { chainId: LOCAL_CHAIN_ID, attempts: 2, backoffMs: 5 }));
  assert.equal(error.reason, "connection");
  assert.equal(error.retryable, true);
  assert.match(
    error.message,
    /http:\/\/127\.0\.0\.1:\d+ gave no answer after 2 tries \(connection: .*Check that the node runs/,
  );
  await unavailable(provider(url).getCode(`0x${"11".repeat(20)}`));
});

test("transient failures are tried again", async () => {
  const replies: Record<number, (calls: readonly Call[]) => Reply> = {
    1: () => "hang up",
    2: () => ({ status: 502, body: "<html>Bad gateway</html>" }),
    3: (calls) => failed(calls, -32005, "limit exceeded", 429),
    4: () => "silence",
    5: (calls) => failed(calls, -32000, "header not found"),
    6: () => ({ body: "no JSON" }),
  };
  const { url, requests } = await endpoint((calls, request) => replies[request]?.(calls) ?? ok(calls, () => "0x2a"));
  assert.equal(await provider(url, { attempts: 7 }).getBlockNumber(), 42);
  assert.equal(requests(), 7);
});

test("tries are bounded, and the reason named", async () => {
  const cases: [Reply | ((calls: readonly Call[]) => Reply), string, number][] = [
    ["silence", "timeout", 3],
    [{ status: 503, body: "busy" }, "server", 3],
    [(calls) => failed(calls, 429, "Too Many Requests"), "throttled", 3],
    [(calls) => failed(calls, -32000, "missing trie node"), "behind", 3],
    [{ status: 401, body: "who are you?" }, "refused", 1],
    [(calls) => failed(calls, -32008, "response is too large"), "too-large", 1],
  ];
  for (const [reply, reason, tries] of cases) {
    const { url, requests } = await endpoint((calls) => (typeof reply === "function" ? reply(calls) : reply));
    const error = await unavailable(provider(url).getBlockNumber());
    assert.equal(error.reason, reason);
    assert.equal(requests(), tries, reason);
    assert.equal(error.retryable, reason !== "refused");
  }
});

test("a pause that the endpoint asks for is kept", async () => {
  const { url } = await endpoint((calls, request) =>
    request === 1 ? { status: 429, headers: { "retry-after": "1" }, body: "slow down" } : ok(calls, () => "0x1"),
  );
  const start = performance.now();
  await provider(url).getBlockNumber();
  assert.ok(performance.now() - start >= 990);
});

test("of a batch only what was not answered is asked again", async () => {
  const asked: string[][] = [];
  const { url } = await endpoint((calls, request) => {
    asked.push(calls.map(({ method }) => method));
    if (request > 1) return ok(calls, () => "0x2");
    const [first, ...rest] = calls;
    return {
      body: [
        ...(first ? [{ id: first.id, result: "0x1" }] : []),
        ...rest.map(({ id }) => ({ id, error: { code: -32005, message: "limit" } })),
      ],
    };
  });
  const rpc = provider(url);
  assert.deepEqual(await Promise.all([rpc.send("eth_blockNumber", []), rpc.send("eth_gasPrice", [])]), ["0x1", "0x2"]);
  assert.deepEqual(asked, [["eth_blockNumber", "eth_gasPrice"], ["eth_gasPrice"]]);
});

test("an answer is an answer: a revert is not tried again, nor is what must not happen twice", async () => {
  const { url, requests } = await endpoint((calls) => failed(calls, 3, "execution reverted: too many requests"));
  await assert.rejects(provider(url).call({ to: `0x${"11".repeat(20)}` }), { code: "CALL_EXCEPTION" });
  assert.equal(requests(), 1);
  const hung = await endpoint(() => "hang up");
  await unavailable(provider(hung.url).send("evm_mine", []));
  assert.equal(hung.requests(), 1);
});

test("when an endpoint fails the next is asked, and stays the one that is asked", async () => {
  const down = await endpoint(() => ({ status: 503, body: "down" }), false);
  const up = await endpoint((calls) => ok(calls, ({ method }) => (method === "eth_chainId" ? "0x7a69" : "0x2a")));
  const asked = provider(down.url, { fallbackUrls: [up.url] });
  assert.equal(await asked.getBlockNumber(), 42);
  const before = down.requests();
  assert.equal(before, 1);
  assert.equal(await asked.getBlockNumber(), 42);
  assert.equal(down.requests(), before);
  assert.equal(asked.endpoint, new URL(up.url).origin);
});

test("a fallback that serves another chain is dropped with one line, never asked anything else, and not the others", async () => {
  const other = await endpoint((calls) => ok(calls, () => "0x2105"), false);
  const down = await endpoint(() => "hang up");
  const up = await endpoint((calls) => ok(calls, () => "0x2a"));
  const events: EndpointEvent[] = [];
  const asked = provider(down.url, {
    fallbackUrls: [other.url, up.url],
    onEndpoint: (event) => events.push(event),
  });
  assert.deepEqual(await Promise.all([asked.getBlockNumber(), asked.getBlockNumber()]), [42, 42]);
  assert.equal(await asked.getBlockNumber(), 42);
  assert.equal(other.requests(), 1);
  const dropped = events.filter(({ kind }) => kind === "dropped");
  assert.equal(dropped.length, 1);
  assert.match(dropped[0]?.message ?? "", /serves chain 8453, but chain 31337 is configured; it is not asked/);
  assert.ok(!inspect(events).includes("secret-access-key"));
  await assert.rejects(provider(other.url).getBlockNumber(), WrongNetworkError);
});

test("with every endpoint down the answer is that nobody answered", async () => {
  const down = await endpoint(() => "hang up");
  const too = await endpoint(() => ({ status: 502, body: "" }));
  await unavailable(provider(down.url, { fallbackUrls: [too.url] }).getBlockNumber());
  assert.ok(down.requests() + too.requests() >= 3);
});

/** A block as far as anybody looks at it. */
function block(number: number) {
  const hex = `0x${number.toString(16)}`;
  return { number: hex, hash: `0x${"ab".repeat(32)}`, timestamp: hex };
}

function node(number: number) {
  return ({ method }: Call) =>
    method === "eth_chainId"
      ? "0x7a69"
      : method === "eth_getBlockByNumber"
        ? block(number)
        : `0x${number.toString(16)}`;
}

test("an endpoint that is behind the others is dropped before anything that it says counts", async () => {
  const late = await endpoint((calls) => ok(calls, node(10)), false);
  const good = await endpoint((calls) => ok(calls, node(100)), false);
  const events: EndpointEvent[] = [];
  const asked = provider(late.url, { fallbackUrls: [good.url], onEndpoint: (event) => events.push(event) });
  await asked.open();
  const before = late.requests();
  assert.deepEqual([await asked.getBlockNumber(), await asked.getBlockNumber()], [100, 100]);
  assert.equal(late.requests(), before);
  assert.deepEqual(
    events.map(({ kind, message }) => [kind, /90 blocks behind the others \(maximum 30\)/.test(message)]),
    [["dropped", true]],
  );
});

test("a body that drips or never ends is given up in time and in size", async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200);
    if (request.url === "/drip") {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => {
        clearInterval(timer);
      });
      return;
    }
    const chunk = Buffer.alloc(65_536, " ");
    const more = (): void => {
      while (response.writable && response.write(chunk));
      if (response.writable) response.once("drain", more);
    };
    more();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const start = performance.now();
  const dripping = await unavailable(provider(`${url}/drip`, { attempts: 1 }).getBlockNumber());
  assert.equal(dripping.reason, "timeout");
  assert.ok(performance.now() - start < 20_000, "the dripping never ends by itself");
  const endless = await unavailable(
    provider(`${url}/endless`, { maxBytes: 2 ** 20, timeoutMs: 5000 }).getBlockNumber(),
  );
  assert.equal(endless.reason, "too-large");
});

test("many reads at once go over few connections, and a rate limit loses none", async () => {
  let [open, most, second, count] = [0, 0, 0, 0];
  const server = createServer((request, response) => {
    most = Math.max(most, (open += 1));
    response.on("close", () => (open -= 1));
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const now = Math.floor(performance.now() / 500);
      if (now !== second) [second, count] = [now, 0];
      count += 1;
      response.writeHead(count > 25 ? 429 : 200);
      const calls = JSON.parse(text) as Call | Call[];
      const answers = [calls].flat().map((call) => ({ jsonrpc: "2.0", id: call.id, result: node(1)(call) }));
      response.end(JSON.stringify(Array.isArray(calls) ? answers : answers[0]));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const asked = provider(url, { backoffMs: 100, timeoutMs: 5000 });
  const reads = Array.from({ length: 500 }, () => asked.send("eth_gasPrice", []));
  assert.deepEqual(new Set(await Promise.all(reads)), new Set(["0x1"]));
  assert.ok(most <= 8, `${String(most)} at once`);
});

test("a transaction that one endpoint may have got is not refused because another refuses it", async () => {
  const refuse = (message: string) => (calls: readonly Call[]) =>
    calls[0]?.method === "eth_sendRawTransaction" ? failed(calls, -32000, message) : ok(calls, node(5));
  const lost = await endpoint((calls) =>
    calls[0]?.method === "eth_sendRawTransaction" ? "hang up" : ok(calls, node(5)),
  );
  const poor = await endpoint(refuse("insufficient funds for gas * price + value"));
  const sent = await unavailable(
    provider(lost.url, { fallbackUrls: [poor.url] }).send("eth_sendRawTransaction", ["0x02"]),
  );
  assert.equal(sent.details["sent"], true);
  assert.match(sent.message, /may have passed the transaction on; another refused it \(insufficient funds/);
  const full = await endpoint(refuse("txpool is full"));
  const [hash] = [`0xf2ee15ea639b73fa3db9b34a245bdfa015c260c598b211bf05a1ecc4b3e3b4f2`];
  const free = await endpoint((calls) =>
    ok(calls, (call) => (call.method === "eth_sendRawTransaction" ? hash : node(5)(call))),
  );
  assert.equal(await provider(full.url, { fallbackUrls: [free.url] }).send("eth_sendRawTransaction", ["0x02"]), hash);
});

test("a node without eth_maxPriorityFeePerGas can be used", async () => {
  const { url } = await endpoint((calls) =>
    calls[0]?.method === "eth_maxPriorityFeePerGas"
      ? failed(calls, -32601, "the method eth_maxPriorityFeePerGas does not exist/is not available")
      : ok(calls, () => ({
          oldestBlock: "0x1",
          baseFeePerGas: ["0x1"],
          reward: [["0x1e8480"], ["0x2dc6c0"], ["0x0"]],
        })),
  );
  assert.equal(await provider(url).send("eth_maxPriorityFeePerGas", []), "0x1e8480");
});
