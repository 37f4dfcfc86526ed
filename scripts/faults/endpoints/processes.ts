import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { CONTRACT_NAMES } from "@verai/client/abi";
import { requireProxySupport } from "@verai/client/provider";
import type { FaultCase, FaultContext } from "@verai/devnet/fault-case";
import { CHAIN, onBench, type Reply, SECRET } from "./stand-in.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Runs Node to its end. */
async function node(args: readonly string[], signal: AbortSignal, env: Record<string, string> = {}): Promise<Ended> {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
  const child = spawn(process.execPath, [...args], {
    cwd: ROOT,
    env: { ...clean, ...env },
    signal,
    killSignal: "SIGKILL",
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, said });
    });
  });
}

/** Proxy that answers for everybody, and counts. */
async function proxy() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${String(request.method)} ${String(request.url)}`);
    request.resume().on("end", () => {
      response.end(JSON.stringify({ jsonrpc: "2.0", id: 0, result: `0x${CHAIN.toString(16)}` }));
    });
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${String(request.url)}`);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `http://user:${SECRET}@127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: () => server.close(),
  };
}

/** Opens an endpoint in a process of its own, as it reads its proxy settings there. */
function proxied(
  name: string,
  url: string,
  env: (proxy: string) => Record<string, string>,
  right: (ended: Ended, asked: readonly string[]) => void,
): FaultCase {
  return {
    name: `a proxy: ${name}`,
    slow: true,
    run: async ({ signal }) => {
      const between = await proxy();
      try {
        const program = `
          const { openProvider } = await import("./packages/client/provider.ts");
          const options = { chainId: ${String(CHAIN)}, attempts: 1, timeoutMs: 2000 };
          const provider = await openProvider(${JSON.stringify(url)}, options).catch((error) => error);
          console.log(provider instanceof Error ? provider.message : "opened");
          provider.destroy?.();`;
        right(await node(["--input-type=module", "-e", program], signal, env(between.url)), between.asked);
      } finally {
        between.stop();
      }
    },
  };
}

const PROXIES: readonly FaultCase[] = [
  proxied(
    "HTTP_PROXY is used",
    "http://rpc.invalid/",
    (url) => ({ HTTP_PROXY: url }),
    ({ said }, asked) => {
      assert.match(said, /opened/);
      assert.deepEqual(asked, ["POST http://rpc.invalid/"]);
    },
  ),
  proxied(
    "HTTPS_PROXY that does not let through",
    "https://rpc.invalid/",
    (url) => ({ https_proxy: url }),
    ({ said }, asked) => {
      assert.match(said, /gave no answer \(connection: ERR_PROXY_TUNNEL/);
      assert.ok(!said.includes(SECRET), said);
      assert.deepEqual(asked, ["CONNECT rpc.invalid:443"]);
    },
  ),
  proxied(
    "NO_PROXY is heeded",
    "http://rpc.invalid/",
    (url) => ({ HTTP_PROXY: url, NO_PROXY: ".invalid" }),
    ({ said }, asked) => {
      assert.match(said, /gave no answer \(connection: (ENOTFOUND|EAI_AGAIN)\)/);
      assert.deepEqual(asked, []);
    },
  ),
  proxied(
    "this machine is never asked through it",
    "http://127.0.0.1:1/",
    (url) => ({ HTTP_PROXY: url }),
    ({ said }, asked) => {
      assert.match(said, /ECONNREFUSED/);
      assert.deepEqual(asked, []);
    },
  ),
  {
    name: "a proxy: a version of Node that knows none",
    run: async () => {
      for (const version of ["24.4.1", "22.18.0", "23.11.0"]) {
        assert.throws(
          () => requireProxySupport(version),
          /HTTPS_PROXY or HTTP_PROXY is set, but Node .* cannot use a proxy/,
        );
      }
      for (const version of ["24.5.0", "22.21.1", "25.0.0"]) requireProxySupport(version);
    },
  },
];

const busy: Reply = ({ method }) =>
  method === "eth_chainId"
    ? undefined
    : { error: { code: -32011, message: "no backend is currently healthy to serve traffic" } };

/** A command whose endpoint is temporarily unavailable ends with 75, and says what the endpoint said. */
function command(
  name: string,
  args: (config: string, url: string) => readonly string[],
  config: (url: string, directory: string) => object,
): FaultCase {
  return {
    name: `the only endpoint has no backend: ${name}`,
    slow: true,
    run: async ({ signal, directory }: FaultContext) =>
      onBench(async (bench) => {
        const endpoint = await bench.standIn({ reply: busy, faultyChecks: true });
        const deployment = join(directory, "deployment.json");
        const addresses = CONTRACT_NAMES.map((contract, i) => [`Drmp#${contract}`, `0x${String(i + 10).repeat(20)}`]);
        await writeFile(deployment, JSON.stringify(Object.fromEntries(addresses)));
        const file = join(directory, "config.json");
        await writeFile(file, JSON.stringify(config(endpoint.url, directory)));
        const { code, said } = await node(args(file, endpoint.url), signal);
        assert.equal(code, 75, said);
        assert.match(said, /gave no answer .*no backend is currently healthy/);
        assert.ok(!said.includes(SECRET), said);
      }),
  };
}

const network = (url: string, directory: string) => ({
  rpcUrl: url,
  chainId: CHAIN,
  deployment: join(directory, "deployment.json"),
});

const COMMANDS: readonly FaultCase[] = [
  command(
    "keepers check",
    (file) => ["keepers/main.ts", "check", "--config", file],
    (url, directory) => ({ network: network(url, directory), dataDir: directory }),
  ),
  command(
    "the oracle of a simulated chain",
    (_file, url) => [
      "packages/devnet/vrf-fulfiller.ts",
      "--rpc",
      url,
      "--chain-id",
      String(CHAIN),
      "--keystore",
      "none",
    ],
    () => ({}),
  ),
];

/** Processes that meet proxies and endpoints which misbehave. */
export const PROCESSES: readonly FaultCase[] = [...PROXIES, ...COMMANDS];
