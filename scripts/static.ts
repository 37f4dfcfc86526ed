/**
 * Static analysis: `npm run test:static`, `-- --json`.
 *
 * Slither over all contracts, each finding mended or argued in `scripts/static/triage.json`; the licences of what is
 * installed, against `scripts/static/licences.json`; and known vulnerabilities of what a running network has, by the
 * registry's own list. Exits with 1 if something is neither mended nor argued, or an argument no longer argues anything.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Output } from "@verai/devnet/output";
import { ROOT } from "@verai/devnet/processes";
import { EXIT, interruptible, jsonOption, programOf } from "@verai/process/program";
import { findPython, PYTHON_WANTED, pythonEnvironment } from "./python/environment.ts";
import { advisories } from "./static/advisories.ts";
import { judgeLicences, type LicenceRules, type Lockfile } from "./static/licences.ts";
import { runSlither } from "./static/slither.ts";
import { judge, keyOf, type Triage } from "./static/triage.ts";

const { json } = programOf("test:static", "Looks for known kinds of mistake in contracts, licences and dependencies")
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .parse()
  .opts<{ json: boolean }>();
const output = new Output();
const interrupted = interruptible((text) => {
  output.say(text);
});
const HOME = join(ROOT, "scripts", "static");
try {
  process.exit(await run());
} catch (error) {
  if (interrupted.aborted) process.exit();
  throw error;
}

async function run(): Promise<number> {
  const contracts = await checkContracts();
  const licences = checkLicences();
  const vulnerable = await checkAdvisories();
  if (json) process.stdout.write(`${JSON.stringify({ contracts, licences, vulnerable })}\n`);
  const open =
    (contracts?.open.length ?? 0) + (contracts?.stale.length ?? 0) + licences.length + (vulnerable?.length ?? 0);
  return open === 0 ? EXIT.done : EXIT.failed;
}

async function checkContracts() {
  const python = findPython();
  if (python === undefined) {
    output.say(`SKIPPED  contracts: Slither needs ${PYTHON_WANTED}`);
    return undefined;
  }
  output.say("contracts: installing Slither, unless it was");
  const environment = pythonEnvironment(python, "static", join(HOME, "requirements.txt"));
  const findings = await runSlither(environment, interrupted);
  const { open, stale } = judge(findings, read<Triage>("triage.json"));
  for (const { finding, why } of open)
    output.say(`OPEN  ${keyOf(finding)}  ${finding.place} (${why}): ${finding.text}`);
  for (const name of stale) output.say(`STALE  ${name}: nothing is argued by it; take it out of triage.json`);
  output.say(`contracts: ${String(findings.length)} findings, ${String(open.length)} neither mended nor argued`);
  return { findings: findings.length, open: open.map(({ finding, why }) => ({ ...finding, why })), stale };
}

function checkLicences() {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lockfile;
  const problems = judgeLicences(lock, read<LicenceRules>("licences.json"));
  for (const { name, licence, why } of problems) output.say(`LICENCE  ${name}: ${licence}: ${why}`);
  output.say(
    `licences: ${String(Object.keys(lock.packages).length)} packages, ${String(problems.length)} not permitted`,
  );
  return problems;
}

async function checkAdvisories() {
  const found = await advisories(interrupted);
  if (found.kind === "unanswered") {
    output.say(`SKIPPED  vulnerabilities: the registry gives no list: ${found.why}`);
    return undefined;
  }
  for (const { name, severity, title } of found.packages) output.say(`VULNERABLE  ${name} (${severity}): ${title}`);
  output.say(`vulnerabilities: ${String(found.packages.length)} known in what a running network has`);
  return found.packages;
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(HOME, file), "utf8")) as T;
}
