import { basename } from "node:path";

import { filesBy, lintScripts, unitTests } from "./files.ts";
import type { Step } from "./schedule.ts";

/** Packages that know no contract: their tests need no build. */
const WITHOUT_CONTRACTS = /^packages\/(protocol|system|process|executor|checkpoint-store)\//;

/** Parts of `lint` that read sources alone. */
const WITHOUT_BUILD: readonly string[] = ["lint:format", "lint:sol", "lint:prose", "lint:links"];

/**
 * Steps that wait for blocks or time-outs, in a whole run on two idle cores, as its summary shows them: cores that each keeps busy, which is
 * its processor time by the clock, and its seconds by the clock. Alone they are done sooner and keep up to a third more busy, which is of
 * no use to know: they never run alone.
 */
const WAITING: Readonly<Record<string, { readonly load: number; readonly seconds: number }>> = {
  chain: { load: 0.46, seconds: 575 },
  "chain: with agents": { load: 0.34, seconds: 395 },
  "e2e: docs": { load: 0.39, seconds: 331 },
  "e2e: demo": { load: 1.06, seconds: 302 },
  "e2e: energy": { load: 0.73, seconds: 252 },
  "unit: a process each": { load: 0.46, seconds: 250 },
  containers: { load: 0.45, seconds: 225 },
  "e2e: devnet": { load: 0.43, seconds: 208 },
  "e2e: rehearsal-anvil": { load: 0.28, seconds: 205 },
  "e2e: survival": { load: 0.4, seconds: 158 },
  "e2e: deployment": { load: 0.61, seconds: 17 },
  "e2e: look": { load: 0.73, seconds: 11 },
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
const types: Step = { name: "typecheck", command: npm("typecheck"), load: 1, needs: "compile" };
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

/** What a developer runs before each push: types, lint, pure tests and the contracts' tests, which take longest and so come first. */
export const FAST: readonly Step[] = [
  compile,
  compileTests,
  contracts,
  protocol,
  pureRest,
  ...[...lints, types].map(fills),
];

const waiting: readonly Step[] = [
  ...filesBy("test/e2e/**/*.test.ts").map(endToEnd),
  waits("chain", mocha(chain.filter((file) => !WITH_AGENTS.test(file)))),
  waits("chain: with agents", mocha(chain.filter((file) => WITH_AGENTS.test(file)))),
  waits("containers", apart(filesBy("test/containers/*.test.ts"))),
  waits("unit: a process each", apart(others)),
].sort((a, b) => workOf(b) - workOf(a));

/**
 * Everything. What computes most begins first, but for what fits beside the build; compilers and linters fill what the others leave. Unit
 * tests do not: some of them bound what they wait for.
 */
export const ALL: readonly Step[] = [
  compile,
  protocol,
  ...waiting,
  { name: "python", command: ["node", "scripts/python.ts", "--fast"], load: 0.75 },
  pureRest,
  ...[
    ...lints.filter(({ needs }) => needs === undefined),
    compileTests,
    contracts,
    { name: "manifests", command: npm("test:manifests"), load: 0.9 },
    ...lints.filter(({ needs }) => needs !== undefined),
    types,
  ].map(fills),
];

/** Does nothing but compute, however long it takes. */
function fills(step: Step): Step {
  return { ...step, fills: true };
}

function waits(name: string, command: readonly string[]): Step {
  return { name, command, load: (WAITING[name] ?? UNKNOWN).load, needs: "compile" };
}

function endToEnd(file: string): Step {
  const name = basename(file, ".test.ts");
  return { ...waits(`e2e: ${name}`, apart([file])), ...(DEVELOPERS.includes(name) && { holds: ".data/developer" }) };
}

/** Seconds of processor time. */
function workOf({ name }: Step): number {
  const { load, seconds } = WAITING[name] ?? UNKNOWN;
  return load * seconds;
}
