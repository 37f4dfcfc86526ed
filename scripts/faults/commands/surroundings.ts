import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { BASE_SEPOLIA_CHAIN_ID, BASE_CHAIN_ID } from "@verai/client/chains";
import { offerFindings } from "@verai/agent/check-offer";
import { configFindings as agentFindings } from "@verai/agent/check";
import { requireRunnable } from "@verai/developer/requirements";
import { checkKeepers, configFindings as keeperFindings } from "@verai/keepers/check";
import { keeperConfig } from "@verai/keepers/config";
import { directoryFindings, keyFindings } from "@verai/process/check/files";
import { checkExitCode, type Finding } from "@verai/process/check/finding";
import type { FaultCase } from "@verai/devnet/fault-case";
import { agentJson, agentOf, keeperJson } from "./configs.ts";
import { requireFinding, requireRefusal } from "./expect.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CLASSES = [
  { id: 0, name: "cpu/eu", tickSize: 1000 },
  { id: 4, name: "gpu-24g/eu", tickSize: 10_000 },
];
const SPEC = {
  trainer: "digits",
  resources: { cpus: 1, memoryMiB: 512, gpus: 0 },
  checkpoint: { intervalSeconds: 60 },
};

/** An endpoint that knows its chain and its newest block, and nothing else. */
interface Chain {
  readonly chainId: number;
  readonly number: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

async function withEndpoint<T>(chain: Chain | string, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part: Buffer) => (text += part.toString()));
    request.on("end", () => {
      response.setHeader("content-type", typeof chain === "string" ? "text/html" : "application/json");
      response.end(typeof chain === "string" ? chain : answerTo(text, chain));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function answerTo(text: string, { chainId, number, timestamp }: Chain): string {
  const calls = JSON.parse(text) as { id: number; method: string } | { id: number; method: string }[];
  const one = ({ id, method }: { id: number; method: string }) => {
    const hex = (value: number) => `0x${value.toString(16)}`;
    const hash = `0x${"11".repeat(32)}`;
    const block = {
      number: hex(number),
      timestamp: hex(timestamp),
      hash,
      parentHash: hash,
      nonce: "0x0000000000000000",
      difficulty: "0x0",
      gasLimit: "0x1",
      gasUsed: "0x0",
      miner: `0x${"00".repeat(20)}`,
      extraData: "0x",
      transactions: [],
    };
    const results: Readonly<Record<string, unknown>> = {
      eth_chainId: hex(chainId),
      eth_blockNumber: hex(number),
      eth_getBlockByNumber: block,
      eth_getCode: "0x",
    };
    return { jsonrpc: "2.0", id, result: results[method] ?? "0x" };
  };
  return JSON.stringify(Array.isArray(calls) ? calls.map(one) : one(calls));
}

/** What `keeper check` finds with these endpoints. */
async function checked(
  directory: string,
  network: Readonly<Record<string, unknown>>,
  env = {},
): Promise<readonly Finding[]> {
  const config = keeperConfig.parse(
    keeperJson({ dataDir: join(directory, "data"), network: { chainId: BASE_SEPOLIA_CHAIN_ID, ...network } }),
  );
  const report = await checkKeepers(config, env);
  if (checkExitCode(report) === 0) throw new Error("it was found ready to run");
  return report.findings;
}

const now = (): number => Math.floor(Date.now() / 1000);
const good = (): Chain => ({ chainId: BASE_SEPOLIA_CHAIN_ID, number: 5000, timestamp: now() });

const endpoints: readonly FaultCase[] = [
  {
    name: "a fallback endpoint of another chain, behind a primary that is right",
    run: async ({ directory }) =>
      withEndpoint(good(), async (rpcUrl) =>
        withEndpoint({ ...good(), chainId: BASE_CHAIN_ID }, async (other) => {
          const findings = await checked(directory, { rpcUrl, fallbackRpcUrls: [other] });
          requireFinding(findings, {
            entry: "network.fallbackRpcUrls.0",
            value: /127/,
            what: /chain 8453.*84532/,
            bound: /chain 84532/,
            remedy: /^/,
          });
        }),
      ),
  },
  {
    name: "a confirming endpoint of another chain",
    run: async ({ directory }) =>
      withEndpoint(good(), async (rpcUrl) =>
        withEndpoint({ ...good(), chainId: 1 }, async (confirmRpcUrl) => {
          const findings = await checked(directory, { rpcUrl, confirmRpcUrl });
          requireFinding(findings, {
            entry: "network.confirmRpcUrl",
            value: /127/,
            what: /chain 1.*84532/,
            bound: /chain 84532/,
            remedy: /^/,
          });
        }),
      ),
  },
  {
    name: "a fallback endpoint that nobody answers at",
    run: async ({ directory }) =>
      withEndpoint(good(), async (rpcUrl) => {
        const findings = await checked(directory, { rpcUrl, fallbackRpcUrls: ["http://127.0.0.1:1/key"] });
        requireFinding(findings, {
          entry: "network.fallbackRpcUrls.0",
          value: /^http:\/\/127\.0\.0\.1:1$/,
          what: /gave no answer.*Check that the node runs/,
          bound: /chain 84532/,
          remedy: /^/,
        });
      }),
  },
  {
    name: "an endpoint that answers with a web page",
    run: async ({ directory }) =>
      withEndpoint("<html>please log in</html>", async (rpcUrl) => {
        const findings = await checked(directory, { rpcUrl });
        requireFinding(findings, {
          entry: "network.rpcUrl",
          value: /127/,
          what: /./,
          bound: /chain 84532/,
          remedy: /^/,
        });
      }),
  },
  {
    name: "a fallback endpoint a thousand blocks behind",
    run: async ({ directory }) =>
      withEndpoint(good(), async (rpcUrl) =>
        withEndpoint({ ...good(), number: 4000 }, async (other) => {
          const findings = await checked(directory, { rpcUrl, fallbackRpcUrls: [other] });
          requireFinding(findings, {
            entry: "network.fallbackRpcUrls.0",
            value: /127/,
            what: /1000 blocks behind/,
            bound: /30 blocks/,
            remedy: /caught up/,
          });
        }),
      ),
  },
  ...(
    [
      ["an hour ahead of the chain", -3600, /3\d\d\d s ahead of/],
      ["an hour behind the chain", 3600, /3\d\d\d s behind/],
    ] as const
  ).map(([name, skew, what]): FaultCase => ({
    name: `a clock ${name}`,
    run: async ({ directory }) =>
      withEndpoint({ ...good(), timestamp: now() + skew }, async (rpcUrl) => {
        requireFinding(await checked(directory, { rpcUrl }), {
          entry: "clock",
          value: /T.*Z/,
          what,
          bound: /within 60 s/,
          remedy: /NTP/,
        });
      }),
  })),
  {
    name: "a proxy in the environment that is the way to an endpoint",
    run: async ({ directory }) => {
      const findings = await checked(
        directory,
        { rpcUrl: "https://rpc.invalid" },
        { HTTPS_PROXY: "http://user:secret@proxy:3128" },
      );
      requireFinding(
        findings,
        {
          entry: "HTTPS_PROXY",
          value: /^http:\/\/proxy:3128$/,
          what: /is the way to the RPC endpoints/,
          bound: /a proxy that reaches the endpoints/,
          remedy: /name rpc\.invalid in NO_PROXY/,
        },
        "warning",
      );
    },
  },
  {
    name: "a container engine on another machine (DOCKER_HOST)",
    run: async () => {
      const findings = agentFindings(agentOf({ executor: { kind: "container" } }), {
        DOCKER_HOST: "tcp://10.0.0.5:2375",
      });
      requireFinding(findings, {
        entry: "DOCKER_HOST",
        value: /tcp:\/\/10\.0\.0\.5:2375/,
        what: /no socket of this machine/,
        bound: /unix:/,
        remedy: /executor\.socket/,
      });
      return Promise.resolve();
    },
  },
];

const files: readonly FaultCase[] = [
  {
    name: "a data directory below a file",
    run: async ({ directory }) => {
      await writeFile(join(directory, "file"), "");
      const findings = await directoryFindings("dataDir", join(directory, "file", "drmp"), 1);
      requireFinding(findings, {
        entry: "dataDir",
        value: /drmp/,
        what: /is a file/,
        bound: /directory/,
        remedy: /name another/,
      });
    },
  },
  {
    name: "a disk with less room than is asked for",
    run: async ({ directory }) => {
      const findings = await directoryFindings("dataDir", join(directory, "new"), 2 ** 60);
      requireFinding(findings, {
        entry: "dataDir",
        value: /new/,
        what: /MiB free/,
        bound: /1099511627776 MiB/,
        remedy: /free some space/,
      });
    },
  },
  {
    name: "a key file that others can read",
    run: async ({ directory }) => {
      const keyFile = join(directory, "operator.key");
      await writeFile(keyFile, "11".repeat(32), { mode: 0o644 });
      const findings = await keyFindings("operator", { keyFile }, BASE_SEPOLIA_CHAIN_ID);
      requireFinding(findings, {
        entry: "operator",
        value: /^/,
        what: /operator\.key.*mode 644.*chmod 600/,
        bound: /key/,
        remedy: /^/,
      });
    },
  },
  {
    name: "a keystore that others can read",
    run: async ({ directory }) => {
      const [keystore, passphraseFile] = [join(directory, "k.json"), join(directory, "k.pass")];
      await writeFile(keystore, "{}", { mode: 0o644 });
      await writeFile(passphraseFile, "secret", { mode: 0o600 });
      const findings = await keyFindings("key", { keystore, passphraseFile }, BASE_SEPOLIA_CHAIN_ID);
      requireFinding(
        findings,
        { entry: "key.keystore", value: /k\.json/, what: /mode 644/, bound: /600/, remedy: /chmod 600/ },
        "warning",
      );
      requireFinding(findings, { entry: "key", value: /^/, what: /no encrypted keystore/, bound: /key/, remedy: /^/ });
    },
  },
  {
    name: "a well-known key on a public chain",
    run: async () => {
      const findings = await keyFindings("key", { testAccount: 3 }, BASE_SEPOLIA_CHAIN_ID);
      requireFinding(findings, {
        entry: "key",
        value: /^/,
        what: /everybody knows their keys.*84532.*keystore/,
        bound: /key/,
        remedy: /^/,
      });
    },
  },
  {
    name: "a directory named as the key file",
    run: async ({ directory }) => {
      await mkdir(join(directory, "key"), { mode: 0o700 });
      const findings = await keyFindings("key", { keyFile: join(directory, "key") }, BASE_SEPOLIA_CHAIN_ID);
      requireFinding(findings, { entry: "key", value: /^/, what: /cannot be read/, bound: /key/, remedy: /^/ });
    },
  },
];

const offers: readonly FaultCase[] = (
  [
    [
      "a class of another spelling",
      { class: "cpu/EU", ask: "0.012" },
      "node.class",
      /cpu\/EU/,
      /no class/,
      /cpu\/eu, gpu-24g\/eu/,
      /as it is written/,
    ],
    [
      "an ask between two ticks",
      { class: "cpu/eu", ask: "0.0125" },
      "node.ask",
      /0\.0125/,
      /no multiple/,
      /0\.001 VER/,
      /0\.012 or 0\.013/,
    ],
    [
      "an ask below the first tick",
      { class: "gpu-24g/eu", ask: "0.005" },
      "node.ask",
      /0\.005/,
      /no multiple/,
      /0\.01 VER/,
      /0 or 0\.01/,
    ],
    [
      "an ask above the highest tick",
      { class: "cpu/eu", ask: "4.096" },
      "node.ask",
      /4\.096/,
      /above the highest/,
      /at most 4\.095/,
      /4\.095/,
    ],
  ] as const
).map(([name, offer, entry, value, what, bound, remedy]) => ({
  name,
  run: async () => {
    requireFinding(offerFindings(offer, CLASSES), { entry, value, what, bound, remedy });
    return Promise.resolve();
  },
}));

const wanted = { classes: ["cpu/eu"], checkpointInterval: 60 };
const specs: readonly FaultCase[] = [
  {
    name: "a spec for a trainer that does not exist",
    run: () =>
      requireRefusal(
        () => {
          requireRunnable({ ...SPEC, trainer: "numerals" }, wanted);
        },
        /"numerals"/,
        /nodes have: digits/,
        /Correct the name/,
      ),
  },
  {
    name: "a spec that asks a CPU class for GPUs",
    run: () =>
      requireRefusal(
        () => {
          requireRunnable({ ...SPEC, resources: { ...SPEC.resources, gpus: 2 } }, wanted);
        },
        /2 GPUs/,
        /cpu\/eu have none/,
        /set resources\.gpus to 0/,
      ),
  },
  {
    name: "a spec that asks one CPU class among GPU classes for GPUs",
    run: () =>
      requireRefusal(
        () => {
          requireRunnable(
            { ...SPEC, resources: { ...SPEC.resources, gpus: 1 } },
            { ...wanted, classes: ["gpu-24g/eu", "cpu/us"] },
          );
        },
        /1 GPU a unit/,
        /cpu\/us have none/,
      ),
  },
  {
    name: "a spec whose checkpoints come too rarely",
    run: () =>
      requireRefusal(
        () => {
          requireRunnable({ ...SPEC, checkpoint: { intervalSeconds: 61 } }, wanted);
        },
        /every 61 s/,
        /every 60 s/,
        /raise the task's interval/,
      ),
  },
  {
    name: "a keeper named twice",
    run: async () => {
      const config = keeperConfig.parse(keeperJson({ keepers: ["allocation", "failover", "allocation"] }));
      requireFinding(keeperFindings(config), {
        entry: "keepers",
        value: /allocation/,
        what: /named twice/,
        bound: /once/,
        remedy: /remove/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "a power threshold above the machine's maximum",
    run: async () => {
      const node = { ...(agentJson()["node"] as object), powerThreshold: 500 };
      const finding = {
        entry: "node.powerThreshold",
        value: /500 W/,
        what: /never throttles/,
        bound: /400 W/,
        remedy: /lower it/,
      };
      requireFinding(agentFindings(agentOf({ node }), {}), finding, "warning");
      return Promise.resolve();
    },
  },
  {
    name: "checkpoints larger than the store",
    run: async () => {
      const store = { listen: ["/ip4/0.0.0.0/tcp/4001"], maxBytes: 1000, maxCheckpoint: 2000 };
      requireFinding(agentFindings(agentOf({ store }), {}), {
        entry: "store.maxCheckpoint",
        value: /2000/,
        what: /does not fit/,
        bound: /1000/,
        remedy: /raise store\.maxBytes/,
      });
      return Promise.resolve();
    },
  },
];

/** Runs one of the programs to its end. */
async function program(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], signal });
  const [out, err] = [[], []] as [string[], string[]];
  child.stdout.on("data", (part: Buffer) => out.push(part.toString()));
  child.stderr.on("data", (part: Buffer) => err.push(part.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, out: out.join(""), err: err.join("") };
}

const programs: readonly FaultCase[] = [
  {
    name: "agent check: all faults of a configuration at once, as JSON, with exit code 1",
    run: async ({ directory, signal }) => {
      const file = join(directory, "agent.json");
      const store = { listen: ["/ip4/0.0.0.0/tcp/0"], announce: ["https://node.example.org"] };
      await writeFile(file, JSON.stringify(agentJson({ store, dataDir: join(directory, "data") })));
      const { code, out, err } = await program(["agent/main.ts", "check", "--config", file, "--json"], signal);
      if (code !== 1) throw new Error(`exit code ${String(code)}: ${out}${err}`);
      const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
      if (ok) throw new Error("ok is true");
      for (const entry of ["store.announce", "operator", "network.rpcUrl"]) {
        if (!findings.some((one) => one.entry === entry && one.level === "error"))
          throw new Error(`nothing of ${entry}: ${out}`);
      }
    },
  },
  {
    name: "agent run with a URL announced: refused in words, before anything is opened",
    run: async ({ directory, signal }) => {
      const file = join(directory, "agent.json");
      const store = { listen: ["/ip4/127.0.0.1/tcp/0"], announce: ["https://node.example.org"] };
      await writeFile(file, JSON.stringify(agentJson({ store, dataDir: join(directory, "data") })));
      const { code, err } = await program(["agent/main.ts", "run", "--config", file], signal);
      if (code !== 1 || !err.includes("is a URL") || /^\s+at /m.test(err))
        throw new Error(`exit code ${String(code)}: ${err}`);
    },
  },
];

/** What surrounds a process, and what it offers or asks for. */
export const surroundingCases: readonly FaultCase[] = [...endpoints, ...files, ...offers, ...specs, ...programs];
