import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { TestContext } from "node:test";

import { ROOT } from "@verai/devnet/processes";

/** Runs one of the project's scripts to its end, which must be a good one. @returns Its last line, as JSON. */
export async function runScript<T>(context: TestContext, ...args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  context.after(() => child.kill("SIGTERM"));
  let [out, said] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, `${out}\n${said}`);
  return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as T;
}
