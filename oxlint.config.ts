import { defineConfig } from "oxlint";

/**
 * Files that may ask for today's date, each with the reason. Everything else measures spans, which a clock that is set
 * must not change: with `monotonicMs()` of packages/system/clock.ts, or `performance.now()` where nothing of the project is imported.
 */
const DATED = [
  // in an answer, as its readers expect it
  "test/cluster/support/metrics-adapter.ts",
  // the seed of the night
  "scripts/nightly.ts",
  // for people: what was paid today
  "sponsor/main.ts",
  // in proofs, which count until a date
  "packages/client/content-access.ts",
  "web/src/content/read.ts",
  // when a result was fetched for a page, which outlives the process
  "agent/door/content.ts",
  // held against the dates of device files, once
  "agent/idle/input.ts",
  // for people: since when a directory is locked; and the date of a touched file, which is only compared with others
  "packages/system/data-directory.ts",
  // held against the engine's dates of containers that outlived the agent
  "packages/executor/container.ts",
  // held against a pod's start, as its machine dates it, once
  "packages/executor/kubernetes/running.ts",
  // held against the dates of files, which programs wrote
  "packages/executor/checkpoints.ts",
  // in a file: the order in which images were wanted, across restarts
  "packages/executor/container/images.ts",
  // in a file: what was spent within the last hour, across restarts
  "packages/client/internal/journal.ts",
  // in the name of a file that was set aside, for people
  "chain/internal/set-aside.ts",
  // sets the wall clock back on purpose
  "packages/devnet/transaction-faults/sending.ts",
  // held against the dates of log lines, which other processes wrote
  "packages/devnet/timeline.ts",
  "packages/devnet/faults.ts",
  // set the date of their own process, or answer with one
  "scripts/faults/clocks.ts",
  "scripts/faults/endpoints/limits.ts",
  "packages/devnet/transaction-faults/sending.ts",
  // held against the chain's clock
  "packages/process/check/connect.ts",
  "scripts/faults/commands/surroundings.ts",
  // in a report, for people
  "bench/gas.ts",
  // in a file: what was spent within the hour, across restarts
  "packages/client/internal/journal.ts",
  // an endpoint's Retry-After may be a date
  "packages/client/internal/rpc-transport.ts",
  // held against the dates that libp2p gives connections
  "packages/checkpoint-store/strangers.ts",
  // answers as an API server does, which dates its objects
  "test/support/kubernetes-api.ts",
];

export default defineConfig({
  plugins: ["typescript", "oxc"],
  jsPlugins: ["./scripts/lint/dates.js"],
  categories: { correctness: "error" },
  // The types themselves as well: the compiler is at work for the rules anyway.
  options: { typeAware: true, typeCheck: true },
  ignorePatterns: ["web/dist", "artifacts", "cache", "types", "coverage", "gas", ".data", "ignition/deployments"],
  rules: {
    eqeqeq: "error",
    "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    "no-empty": "error",
    "no-fallthrough": "error",
    "no-case-declarations": "error",
    "no-prototype-builtins": "error",
    "preserve-caught-error": "error",
    "typescript/ban-ts-comment": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": [
      "error",
      {
        // node:test reports its own promises
        allowForKnownSafeCalls: [{ from: "package", name: ["test", "it", "describe", "suite"], package: "node:test" }],
      },
    ],
    "typescript/no-misused-promises": "error",
    "typescript/no-unsafe-enum-comparison": "error",
    "typescript/no-unsafe-function-type": "error",
    "typescript/no-unnecessary-type-assertion": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/restrict-plus-operands": "error",
    "typescript/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    // bytes and plain records are spread; names are sorted as they are
    "typescript/no-misused-spread": "off",
    "typescript/require-array-sort-compare": "off",
    "typescript/no-useless-default-assignment": "off",
    "drmp/no-dates": "error",
  },
  overrides: [
    {
      files: ["**/*.{ts,tsx}"],
      rules: {
        "typescript/no-unsafe-argument": "error",
        "typescript/no-unsafe-assignment": "error",
        "typescript/no-unsafe-call": "error",
        "typescript/no-unsafe-member-access": "error",
        "typescript/no-unsafe-return": "error",
      },
    },
    { files: DATED, rules: { "drmp/no-dates": "off" } },
    // chai's assertions are property reads
    { files: ["test/**/*.ts", "**/*.test.ts"], rules: { "no-unused-expressions": "off" } },
  ],
});
