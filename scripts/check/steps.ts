import { basename } from "node:path";

import { filesBy, lintScripts, unitTests } from "./files.ts";
import type { Step } from "./schedule.ts";

/** Packages that know no contract: their tests need no build. */
const WITHOUT_CONTRACTS = /^packages\/(protocol|system|process|executor|checkpoint-store)\//;

/** Parts of `lint` that read sources alone. */
const WITHOUT_BUILD: readonly string[] = ["lint:format", "lint:sol", "lint:prose", "lint:links"];

/**
 * Cores that an end-to-end test keeps busy, by its file, those that last longest first: processor time by the clock, as the
 * summary of a run on an idle machine shows both; seconds by the clock in the comment.
 */
const END_TO_END: Readonly<Record<string, number>> = {
  demo: 1.1, // 300
  docs: 0.4, // 300
  "rehearsal-anvil": 0.3, // 230
  energy: 0.8, // 220
  devnet: 0.5, // 170
  survival: 0.65, // 80
  look: 0.8, // 20
  deployment: 0.8, // 10
};
/** Tests that use the folder where developers' commands keep their stores, as readers do. */
const DEVELOPERS: readonly string[] = ["docs", "devnet"];
/** One that nobody has measured. */
const UNKNOWN_LOAD = 0.8;

/** Chain tests that run agents and wait for them. */
const WITH_AGENTS = /^test\/chain\/(agent-.*|audits|close-the-laptop|idle-only|sealed-exchange)\.test\.ts$/;

const { pure, others } = unitTests();
const chain = filesBy("test/chain/**/*.test.ts");
const order = Object.keys(END_TO_END);
const endToEnd = filesBy("test/e2e/**/*.test.ts").sort((a, b) => place(a) - place(b));

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
  load: 1.25,
  needs: "compile: tests",
};

/** What a developer runs before each push: types, lint, pure tests and the contracts' tests. */
export const FAST: readonly Step[] = [compile, compileTests, ...lints, protocol, contracts, types, pureRest];

/** Everything. What waits longest begins first, what computes fills the rest; what needs no build fills the time of the build. */
export const ALL: readonly Step[] = [
  compile,
  ...lints.filter(({ needs }) => needs === undefined),
  protocol,
  { name: "manifests", command: npm("test:manifests"), load: 0.9 },
  compileTests,
  ...endToEnd.map(endToEndStep),
  {
    name: "chain: with agents",
    command: mocha(chain.filter((file) => WITH_AGENTS.test(file))),
    load: 0.4,
    needs: "compile",
  },
  { name: "containers", command: apart(filesBy("test/containers/*.test.ts")), load: 0.55, needs: "compile" },
  { name: "chain", command: mocha(chain.filter((file) => !WITH_AGENTS.test(file))), load: 0.65, needs: "compile" },
  contracts,
  { name: "unit: a process each", command: apart(others), load: 0.7, needs: "compile" },
  { name: "python", command: ["node", "scripts/python.ts", "--fast"], load: 0.9 },
  ...lints.filter(({ needs }) => needs !== undefined),
  types,
  pureRest,
];

function endToEndStep(file: string): Step {
  const name = nameOf(file);
  const load = END_TO_END[name] ?? UNKNOWN_LOAD;
  const holds = DEVELOPERS.includes(name) ? { holds: ".data/developer" } : {};
  return { name: `e2e: ${name}`, command: apart([file]), load, needs: "compile", ...holds };
}

function nameOf(file: string): string {
  return basename(file, ".test.ts");
}

/** Where a file stands in {@link END_TO_END}; after all of it if it is new. */
function place(file: string): number {
  const index = order.indexOf(nameOf(file));
  return index < 0 ? order.length : index;
}
