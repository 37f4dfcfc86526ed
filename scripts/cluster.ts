/**
 * Tests the product in a real Kubernetes cluster on this machine: `npm run test:cluster`.
 *
 *     npm run test:cluster                      what can run here, and says what cannot and why
 *     npm run test:cluster -- --all             fails if anything cannot run here
 *     npm run test:cluster -- --only units      test files whose name has this text
 *     npm run test:cluster -- --build           builds the cluster's programs, and runs nothing
 *
 * Needs Go to build them (tools/cluster, once). The control plane (etcd, API server, controller manager) then runs anywhere; machines
 * with containers need Linux, root, containerd, runc, iptables and the plugins of containers' networks; agents' own pods also Buildah. All of it runs in processes and
 * a network of its own, and ends with this command.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

import { EXIT, programOf } from "@verai/process/program";
import { filesBy, ROOT } from "./check/files.ts";
import { buildBinaries, hasGo } from "./cluster/binaries.ts";
import { buildImages, whyNoImages } from "./cluster/images.ts";
import { runApart, whyNoMachines } from "./cluster/machine.ts";

/** Longest run of one test, milliseconds: ten minutes are usual on a busy machine. */
const TEST_MS = 3_600_000;

interface Options {
  readonly all: boolean;
  readonly build: boolean;
  readonly only?: string;
}

const { all, build, only } = programOf("cluster", "Tests the product in a real Kubernetes cluster on this machine")
  .option("--all", "fail if anything cannot run here", false)
  .option("--build", "build the cluster's programs, and run nothing", false)
  .option("--only <text>", "test files whose name has this text")
  .parse()
  .opts<Options>();

const missing = hasGo() ? whyNoMachines() : "Go, which builds the cluster's programs, is not installed";
if (!hasGo() || (missing !== undefined && all)) {
  process.stderr.write(`skipped: the cluster cannot run here: ${missing ?? ""}.\n`);
  process.exit(all ? EXIT.failed : EXIT.done);
}
const binaries = buildBinaries((text) => process.stderr.write(`${text}\n`));
if (build) {
  console.log(binaries);
  process.exit(EXIT.done);
}
const files = filesBy("test/cluster/**/*.test.ts").filter((file) => only === undefined || file.includes(only));
if (files.length === 0) {
  process.stderr.write(`No test of the cluster has "${only ?? ""}" in its name.\n`);
  process.exit(EXIT.usage);
}
const command = [
  process.execPath,
  "--test",
  "--test-concurrency=1",
  `--test-timeout=${String(TEST_MS)}`,
  ...files.map((file) => join(ROOT, file)),
];
const environment: NodeJS.ProcessEnv = { ...process.env, DRMP_CLUSTER_BIN: binaries };
if (missing === undefined) {
  const noImages = whyNoImages();
  if (noImages === undefined) {
    if (files.some((file) => file.includes("agents")))
      Object.assign(environment, { DRMP_CLUSTER_IMAGES: await buildImages() });
  } else {
    process.stderr.write(`${all ? "The cluster cannot run here" : "skipped: the agents' own pods"}: ${noImages}.\n`);
    if (all) process.exit(EXIT.failed);
  }
  process.exitCode = await runApart(command, environment);
} else {
  process.stderr.write(`skipped: machines, and what runs on them; only the control plane is tested: ${missing}.\n`);
  process.exitCode = await runHere(command, { ...environment, DRMP_CLUSTER_MISSING: missing });
}

async function runHere([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { env, stdio: "inherit" });
  const end = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", end).on("SIGTERM", end);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
