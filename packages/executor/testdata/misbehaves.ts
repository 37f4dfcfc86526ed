/** A trainer for the executor's tests: does what its first argument says. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { writeCheckpointAtomically } from "../checkpoints.ts";
import { readUnitEnvironment } from "../environment.ts";

const { directories } = readUnitEnvironment(process.env);
const [what, ...rest] = process.argv.slice(2);

/** Writes the result that the tests' spec promises. */
function result(content: unknown): void {
  writeFileSync(join(directories.output, "result.json"), JSON.stringify(content));
}

/** Waits until the test that looks for this line has read it. */
async function forever(): Promise<never> {
  console.log("ready");
  for (;;) await sleep(1000);
}

/** The code of the error that an action ends with, or "allowed". */
function attempt(action: () => unknown): string {
  try {
    action();
    return "allowed";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

switch (what) {
  case "finish":
    result({ checkpoints: readdirSync(directories.checkpoint) });
    break;
  case "finish-later":
    // Ends once the test has put a file among its inputs.
    while (!existsSync(join(directories.input, "go"))) await sleep(10);
    result("finished");
    break;
  case "no-output":
    break;
  case "environment":
    result(process.env);
    break;
  case "exit":
    process.exit(Number(rest[0]));
    break;
  case "drain":
    process.on("SIGTERM", () => {
      void writeCheckpointAtomically(directories.checkpoint, 7, { state: "last" }, 0.5).then(() => process.exit(143));
    });
    await forever();
    break;
  case "stubborn":
    process.on("SIGTERM", () => undefined);
    await forever();
    break;
  case "hang":
    // Never comes back to its event loop, and so never learns that its agent is gone.
    console.log("ready");
    for (;;);
  case "wait":
    await forever();
    break;
  case "chatter":
    for (let i = 0; i < Number(rest[0]); i++) console.log(`line ${i} ${"x".repeat(90)}`);
    console.error("the end");
    result("chattered");
    break;
  case "hog": {
    const hoard: Uint8Array[] = [];
    for (;;) {
      hoard.push(new Uint8Array(16 * 1024 * 1024).fill(hoard.length + 1));
      await sleep(20);
    }
  }
  case "trespass":
    result({
      read: attempt(() => readFileSync("/etc/passwd")),
      readAgent: attempt(() => readFileSync(join(directories.checkpoint, "..", "process.json"))),
      readEnvironment: attempt(() => readFileSync(`/proc/${process.ppid}/environ`)),
      write: attempt(() => writeFileSync(join(directories.checkpoint, "..", "escaped"), "")),
      writeInput: attempt(() => writeFileSync(join(directories.input, "changed"), "")),
      link: attempt(() => symlinkSync("/etc/passwd", join(directories.output, "link"))),
      spawn: attempt(() => spawnSync("/bin/true")),
      worker: attempt(() => new Worker("", { eval: true })),
      addon: attempt(() => process.dlopen({ exports: {} }, "/lib/x.node")),
      input: readFileSync(join(directories.input, "data.txt"), "utf8"),
    });
    break;
  default:
    throw new Error(`unknown: ${String(what)}`);
}
