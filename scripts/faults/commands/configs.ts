import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { BASE_SEPOLIA_CHAIN_ID } from "@verai/client/chains";
import { type AgentConfig, agentConfig } from "@verai/agent/config";
import { developerConfig, taskTerms } from "@verai/developer/config";
import { keeperConfig } from "@verai/keepers/config";
import { readConfig } from "@verai/process/config";
import type { FaultCase } from "@verai/devnet/fault-case";
import { requireRefusal } from "./expect.ts";

const NETWORK = { rpcUrl: "http://127.0.0.1:1", chainId: BASE_SEPOLIA_CHAIN_ID };

/** An agent's configuration as the guide has it, with changes to its parts. */
export function agentJson(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    network: NETWORK,
    operator: { keyFile: "/nowhere/operator.key" },
    dataDir: "/tmp/drmp",
    node: { class: "cpu/eu", capacity: 4, ask: "0.012", powerThreshold: 250, powerMax: 400, energySource: "grid" },
    store: { listen: ["/ip4/0.0.0.0/tcp/0"] },
    executor: { kind: "process" },
    service: { port: 0 },
    ...changes,
  };
}

export function agentOf(changes: Readonly<Record<string, unknown>> = {}): AgentConfig {
  return agentConfig.parse(agentJson(changes));
}

/** A keeper's configuration as the guide has it. */
export function keeperJson(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    network: NETWORK,
    dataDir: "/tmp/drmp-keeper",
    reports: { listen: ["/ip4/0.0.0.0/tcp/0"] },
    service: { port: 0 },
    ...changes,
  };
}

const NODE = agentJson()["node"] as object;
const TERMS = { units: 8, maxPrice: "0.02", classes: { "cpu/eu": "0" }, checkpointInterval: 60, within: 86_400 };
const DEVELOPER = { network: NETWORK, key: { testAccount: 1 }, dataDir: "/tmp/dev" };
const DAYS_30 = 30 * 86_400;

const agent = agentConfig;
const keeper = keeperConfig;
/** What is written, by which schema it is read, and what has to be said of it. */
const ROWS = [
  [
    "an agent's interval of 30 days, which timers cannot keep",
    agent,
    agentJson({ interval: DAYS_30 }),
    [/interval/, /2592000/, /0\.1 to 600/],
  ],
  ["an agent's interval of zero", agent, agentJson({ interval: 0 }), [/interval/, /is 0/, /0\.1 to 600/]],
  ["a spec's time-out of 58 days", agent, agentJson({ specTimeout: 5e6 }), [/specTimeout/, /5000000/, /1 to 86400/]],
  ["a grace beyond what a spec may ask for", agent, agentJson({ grace: 1e7 }), [/grace/, /10000000/, /to 3600/]],
  [
    "meters looked at once a month",
    agent,
    agentJson({ telemetry: { sampleEvery: DAYS_30 } }),
    [/sampleEvery/, /2592000/, /to 300/],
  ],
  [
    "reports posted a year late",
    agent,
    agentJson({ telemetry: { selfPostAfter: 31_536_000 } }),
    [/selfPostAfter/, /31536000/, /to 86400/],
  ],
  ["spot checks every 116 days", agent, agentJson({ spotCheck: 1e7 }), [/spotCheck/, /10000000/, /to 86400/]],
  [
    "an owner's absence of 30 days",
    agent,
    agentJson({ idleOnly: { idleAfter: DAYS_30 } }),
    [/idleAfter/, /2592000/, /to 86400/],
  ],
  [
    "a capacity beyond the contract's 24 bits",
    agent,
    agentJson({ node: { ...NODE, capacity: 16_777_216 } }),
    [/capacity/, /16777216/, /16777215/],
  ],
  [
    "half a unit of capacity",
    agent,
    agentJson({ node: { ...NODE, capacity: 2.5 } }),
    [/capacity/, /2\.5/, /whole number/],
  ],
  [
    "a power beyond the contract's 32 bits",
    agent,
    agentJson({ node: { ...NODE, powerMax: 2 ** 32 } }),
    [/powerMax/, /4294967296/, /4294967295/],
  ],
  ["an ask with a comma", agent, agentJson({ node: { ...NODE, ask: "0,012" } }), [/ask/, /such as "0\.012"/]],
  ["an empty directory", agent, agentJson({ dataDir: " " }), [/dataDir/, /is empty: name a path/]],
  ["a misspelt entry", agent, agentJson({ anounce: [] }), [/anounce/]],
  [
    "a transaction stuck only after 12 days",
    agent,
    agentJson({ fees: { stuckAfter: 1e6 } }),
    [/stuckAfter/, /1000000/, /1 to 3600/],
  ],
  ["a test account that nobody funds", agent, agentJson({ operator: { testAccount: 100 } }), [/operator/]],
  [
    "a keeper that lets others post first for a day",
    keeper,
    keeperJson({ allocation: { staggerSeconds: 86_400 } }),
    [/staggerSeconds/, /86400/, /0 to 600/],
  ],
  [
    "reports that wait for 30 days",
    keeper,
    keeperJson({ reports: { batchSeconds: DAYS_30 } }),
    [/batchSeconds/, /2592000/, /to 3600/],
  ],
  [
    "more reports in a transaction than its gas allows",
    keeper,
    keeperJson({ reports: { batchReports: 500 } }),
    [/batchReports/, /500/, /1 to 200/],
  ],
  [
    "an endpoint that is asked over WebSocket",
    keeper,
    keeperJson({ network: { ...NETWORK, rpcUrl: "wss://x.example/key" } }),
    [/rpcUrl/, /http or https/],
  ],
  ["a keeper that does not exist", keeper, keeperJson({ keepers: ["allocations"] }), [/keepers/, /allocation/]],
  [
    "terms with a million and more units",
    taskTerms,
    { ...TERMS, units: 2 ** 20 + 1 },
    [/units/, /1048577/, /1 to 1048576/],
  ],
  ["terms with five replicas", taskTerms, { ...TERMS, replicas: 5 }, [/replicas/, /is 5/, /0 to 4/]],
  ["terms of ten years", taskTerms, { ...TERMS, within: 3650 * 86_400 }, [/within/, /315360000/, /to 31622400/]],
  [
    "a developer's key in the configuration itself",
    developerConfig,
    { ...DEVELOPER, key: { privateKey: "0x01" } },
    [/key/],
  ],
] as const;

/** Configurations that the real schemas have to refuse, naming entry, value and bounds. */
export const configCases: readonly FaultCase[] = ROWS.map(([name, schema, content, parts]) => ({
  name,
  run: async ({ directory }) => {
    const file = join(directory, "config.json");
    await writeFile(file, JSON.stringify(content));
    await requireRefusal(() => readConfig(file, schema as typeof agentConfig), /config\.json does not fit/, ...parts);
  },
}));
