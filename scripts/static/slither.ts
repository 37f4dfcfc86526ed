import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ROOT } from "../check/files.ts";

/** Something that Slither points at. */
export interface Finding {
  /** The detector, such as `reentrancy-no-eth`. */
  readonly check: string;
  readonly impact: string;
  /** Contract, and function or variable: `Vault.payBounty(address,uint256)`. */
  readonly where: string;
  /** File and first line, from the repository's root. */
  readonly place: string;
  /** What Slither says, on one line. */
  readonly text: string;
  /** Source of each call to another contract that the finding is about. */
  readonly calls: readonly string[];
}

/** One element of a finding, as Slither writes it. */
interface Element {
  readonly type: string;
  readonly name: string;
  readonly source_mapping: { readonly filename_relative: string; readonly lines: readonly number[] };
  readonly type_specific_fields?: { readonly parent?: Element; readonly signature?: string };
  readonly additional_fields?: { readonly underlying_type?: string };
}

interface Report {
  readonly success: boolean;
  readonly error: string | null;
  readonly results: {
    readonly detectors?: readonly {
      readonly check: string;
      readonly impact: string;
      readonly description: string;
      readonly elements: readonly Element[];
    }[];
  };
}

/** What is ours: libraries and Chainlink's contracts are audited elsewhere. */
const NOT_OURS = "node_modules/|^npm/";
/** Longest run, milliseconds; half a minute is usual. */
const LONGEST_MS = 600_000;

/**
 * Runs Slither over what `hardhat build` has left.
 *
 * @param environment A Python environment that has it.
 * @throws Error with what it says, if it does not come to its end.
 */
export async function runSlither(environment: string, signal: AbortSignal): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), "drmp-slither-"));
  try {
    const file = join(folder, "findings.json");
    const options = ["--ignore-compile", "--hardhat-ignore-compile", "--filter-paths", NOT_OURS, "--json", file];
    const said: string[] = [];
    const child = spawn(join(environment, "bin", "slither"), [".", ...options], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
    await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    // It leaves with a code of its own wherever it has found something.
    return findingsOf(readReport(file, said.join("")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string, said: string): Report {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    throw new Error(`Slither wrote no findings; it said: ${said.trim().slice(-2_000)}`);
  }
  if (!report.success) throw new Error(`Slither failed: ${report.error ?? said.trim().slice(-2_000)}`);
  return report;
}

/** Findings of a report. Pure. */
export function findingsOf({ results }: Report): Finding[] {
  return (results.detectors ?? []).map(({ check, impact, description, elements }) => {
    const [first] = elements;
    return {
      check,
      impact,
      where: first ? nameOf(first) : "",
      place: first ? placeOf(first) : "",
      text: description.replaceAll(/\s+/g, " ").trim(),
      calls: elements.filter(isCall).map(({ name }) => name),
    };
  });
}

/** Of what a finding points at, what is no write and no event, or is not said to be anything. */
function isCall({ type, additional_fields: more }: Element): boolean {
  return type === "node" && (more?.underlying_type?.startsWith("external_calls") ?? true);
}

function nameOf({ name, type, type_specific_fields: fields }: Element): string {
  const own = type === "function" || type === "event" ? (fields?.signature ?? name) : name;
  const parent = fields?.parent;
  return parent === undefined || parent.type === "pragma" ? own : `${nameOf(parent)}.${own}`;
}

function placeOf({ source_mapping: { filename_relative: file, lines } }: Element): string {
  return `${file}:${String(lines[0] ?? 0)}`;
}
