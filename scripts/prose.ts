/**
 * Checks the words of pages, comments and messages: `npm run lint:prose`, or with the names of files.
 * The rules are in scripts/prose/rules.ts. Ends with 1 if a word has to be replaced.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { EXIT, programOf } from "@verai/process/program";
import { findingsIn, kindOf } from "./prose/check.ts";

const { args: asked } = programOf("prose", "Checks the words of pages, comments and messages")
  .argument("[files...]", "files to check; by default all that git knows")
  .parse();
const files = asked.length > 0 ? asked : tracked();
const findings = files.flatMap((file) => {
  const kind = kindOf(file);
  return kind === undefined ? [] : findingsIn(file, kind, readFileSync(file, "utf8"));
});
for (const { file, line, found, instead } of findings) {
  console.error(`${file}:${String(line)}: "${found}": ${instead}`);
}
if (findings.length > 0)
  console.error(`${String(findings.length)} wordings to replace (rules: scripts/prose/rules.ts)`);
process.exitCode = findings.length === 0 ? EXIT.done : EXIT.failed;

/** Every file that git knows or would take, but for those that quote the wrong words on purpose. */
function tracked(): string[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
    .split("\n")
    .filter((file) => file !== "" && !file.startsWith("scripts/prose/"));
}
