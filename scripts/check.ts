// Runs every check in turn and sums up: `npm test`. Without a build nothing else makes sense, so it stops there.
import { spawnSync } from "node:child_process";

const steps = [
  "compile",
  "lint",
  "typecheck",
  "test:unit",
  "test:contracts",
  "test:chain",
  "test:e2e",
  "test:manifests",
  "test:containers",
];

interface Outcome {
  step: string;
  passed: boolean;
  seconds: number;
}

const outcomes: Outcome[] = [];
for (const step of steps) {
  console.log(`\n━━ ${step}`);
  const started = performance.now();
  const { status, error } = spawnSync("npm", ["run", "--silent", step], { stdio: "inherit" });
  if (error !== undefined) console.error(error.message);
  const passed = status === 0;
  outcomes.push({ step, passed, seconds: (performance.now() - started) / 1000 });
  if (!passed && step === "compile") break;
}

console.log("\n━━ summary");
for (const { step, passed, seconds } of outcomes) {
  console.log(`${passed ? "ok    " : "FAILED"} ${step.padEnd(15)} ${seconds.toFixed(1).padStart(6)} s`);
}
const notRun = steps.slice(outcomes.length);
if (notRun.length > 0) console.log(`not run: ${notRun.join(", ")}`);
process.exitCode = outcomes.every((outcome) => outcome.passed) ? 0 : 1;
