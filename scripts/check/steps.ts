import { basename } from "node:path";

import { filesBy, lintScripts, unitTests } from "./files.ts";
import type { Step } from "./schedule.ts";

/** Packages that know no contract: their tests need no build. */
const WITHOUT_CONTRACTS = /^packages\/(protocol|system|process|executor|checkpoint-store)\//;

/** Parts of `lint` that read sources alone. */
const WITHOUT_BUILD: readonly string[] = ["lint:format", "lint:sol", "lint:prose", "lint:links"];

/**
 * Steps that wait more than they compute: cores that each keeps busy, which is its processor time by the clock, and its seconds
 * by the clock, as the summary of a run on an idle machine shows both.
 */
const WAITING: Readonly<Record<string, { readonly load: number; readonly seconds: number }>> = {
  chain: { load: 0.58, seconds: 470 },
  "chain: with agents": { load: 0.36, seconds: 365 },
  "e2e: docs": { load: 0.38, seconds: 355 },
  "e2e: demo": { load: 1.1, seconds: 300 },
  "e2e: energy": { load: 0.78, seconds: 230 },
  "e2e: rehearsal-anvil": { load: 0.29, seconds: 230 },
  "unit: a process each": { load: 0.58, seconds: 190 },
  containers: { load: 0.55, seconds: 165 },
  "e2e: devnet": { load: 0.51, seconds: 160 },
  "e2e: survival": { load: 0.57, seconds: 95 },
  "e2e: deployment": { load: 0.75, seconds: 13 },
  "e2e: look": { load: 0.65, seconds: 12 },
};
/** One that nobody has measured. */
const UNKNOWN = { load: 0.8, seconds: 0 };
/** Tests that use the folder where developers' commands keep their stores, as readers do. */
const DEVELOPERS: readonly string[] = ["docs", "devnet"];
/** Chain tests that run agents and wait for them. */
const WITH_AGENTS = /^test\/chain\/(agent-.*|audits|close-the-laptop|idle-only|sealed-exchange)\.test\.ts$/;

const { pure, others } = unitTests();
const chain = filesBy("test/chain/**/*.test.ts");
const npm = (script: string): readonly string[] => ["npm", "run", "--silent", script];
const together = (files: readonly string[]): readonly string[] => ["node", "--test", "--test-isolation=none", ...files];
const apart = (files: readonly string[]): readonly string[] => ["node", "--test", "--test-concurrency=1", ...files];
const mocha = (files: readonly string[]): readonly string[] => ["hardhat", "test", "mocha", "--no-compile", ...files];

/** The contracts alone: all but the contracts' own tests can begin with them, and their compilation takes twice as long. */
const compile: Step = { name: "compile", command: ["hardhat", "build", "--no-tests"], load: 1 };
const compileTests: Step = {
  name: "compile: tests",
  command: ["hardhat", "build", "--no-contracts"],
  load: 1,
  needs: "compile",
};
const lints: readonly Step[] = lintScripts().map((script) => ({
  name: script,
  command: npm(script),
  load: 1,
  ...(!WITHOUT_BUILD.includes(script) && { needs: "compile" }),
}));
const protocol: Step = {
  name: "unit: without contracts",
  command: together(pure.filter((file) => WITHOUT_CONTRACTS.test(file))),
  load: 1,
};
const pureRest: Step = {
  name: "unit: pure",
  command: together(pure.filter((file) => !WITHOUT_CONTRACTS.test(file))),
  load: 1,
  needs: "compile",
};
const contracts: Step = {
  name: "contracts",
  command: ["hardhat", "test", "solidity", "--chain-type", "op", "--no-compile"],
  load: 1.3,
  needs: "compile: tests",
};

/** What a developer runs before each push: lint, types included, pure tests and the contracts' tests. */
export const FAST: readonly Step[] = [compile, compileTests, ...lints, protocol, contracts, pureRest];

const waiting: readonly Step[] = [
  ...filesBy("test/e2e/**/*.test.ts").map(endToEnd),
  waits("chain", mocha(chain.filter((file) => !WITH_AGENTS.test(file)))),
  waits("chain: with agents", mocha(chain.filter((file) => WITH_AGENTS.test(file)))),
  waits("containers", apart(filesBy("test/containers/*.test.ts"))),
  waits("unit: a process each", apart(others)),
].sort((a, b) => secondsOf(b) - secondsOf(a));

/** Everything. What takes longest begins first. What only computes fits in anywhere: it comes last, but for what fills the time of the build. */
export const ALL: readonly Step[] = [
  compile,
  protocol,
  ...waiting,
  compileTests,
  contracts,
  ...lints.filter(({ needs }) => needs === undefined),
  { name: "manifests", command: npm("test:manifests"), load: 0.9 },
  { name: "python", command: ["node", "scripts/python.ts", "--fast"], load: 0.9 },
  ...lints.filter(({ needs }) => needs !== undefined),
  pureRest,
];

function waits(name: string, command: readonly string[]): Step {
  return { name, command, load: (WAITING[name] ?? UNKNOWN).load, needs: "compile" };
}

function endToEnd(file: string): Step {
  const name = basename(file, ".test.ts");
  return { ...waits(`e2e: ${name}`, apart([file])), ...(DEVELOPERS.includes(name) && { holds: ".data/developer" }) };
}

function secondsOf({ name }: Step): number {
  return (WAITING[name] ?? UNKNOWN).seconds;
}
