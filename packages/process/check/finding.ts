import { isRetryable } from "@verai/errors/drmp-error";
import { ConfigError } from "../config.ts";

/** Something that would make `run` fail, or that its operator should know. */
export interface Finding {
  /** `error`: `run` would not work. `warning`: it would, but probably not as meant. */
  readonly level: "error" | "warning";
  /** Entry of the configuration, environment variable, or part that it is about. */
  readonly entry: string;
  /** What is wrong, as part of a sentence: "is announced, but nobody can dial it". */
  readonly what: string;
  /** The value that was found; empty where there is none. */
  readonly value: string;
  /** What it has to be. */
  readonly bound: string;
  /** What to do about it, imperative. */
  readonly remedy: string;
  /** True where trying again later may help. */
  readonly retryable?: boolean;
}

/** What a check has found. */
export interface CheckReport {
  /** Names and values of what is as it should be, in the order in which they are shown. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly findings: readonly Finding[];
}

/** Collects facts and findings; a part that throws becomes a finding and does not hide the parts after it. */
export class CheckList {
  readonly #facts: [string, string][] = [];
  readonly #findings: Finding[] = [];

  /** What has been found so far. */
  get report(): CheckReport {
    return { facts: this.#facts, findings: this.#findings };
  }

  fact(name: string, value: string): void {
    this.#facts.push([name, value]);
  }

  add(...findings: readonly Finding[]): void {
    this.#findings.push(...findings);
  }

  /**
   * Runs one part of the check.
   *
   * @returns What the part returns; undefined if it failed, which is then a finding.
   */
  async part<T>(entry: string, bound: string, work: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.add(failure(entry, bound, error));
      return undefined;
    }
  }
}

/** A failure as a finding. Messages of this project's errors end with their remedy. */
export function failure(entry: string, bound: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const retryable = isRetryable(error);
  return { level: "error", entry, what: message, value: "", bound, remedy: "", ...(retryable && { retryable }) };
}

/** A finding as one line for people. */
export function findingText({ level, entry, what, value, bound, remedy }: Finding): string {
  const shown = value === "" ? "" : ` "${value}"`;
  const sentence = [
    `${entry}${shown}: ${what.replace(/\.$/, "")}.`,
    bound && `It has to be ${bound}.`,
    remedy && `${upper(remedy)}.`,
  ];
  return `${level === "error" ? "WRONG" : "note "}  ${sentence.filter((part) => part !== "").join(" ")}`;
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** A report as text for people, an empty line between facts and findings. */
export function reportText({ facts, findings }: CheckReport): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const wrong = findings.filter(({ level }) => level === "error").length;
  const end = wrong === 0 ? "ready to run" : `${String(wrong)} to correct before it can run`;
  return `${[...lines, ...(findings.length > 0 ? ["", ...findings.map(findingText)] : []), "", end].join("\n")}\n`;
}

/** Exit code of a check: 0 if `run` would work, 75 if it may work later without any change, else 1. */
export function checkExitCode({ findings }: CheckReport): number {
  const wrong = findings.filter(({ level }) => level === "error");
  if (wrong.length === 0) return 0;
  return wrong.every(({ retryable }) => retryable === true) ? 75 : 1;
}

/**
 * Refuses to run with a configuration that would end the process later.
 *
 * @throws {@link ConfigError} naming every finding that is an error.
 */
export function refuseErrors(findings: readonly Finding[]): void {
  const wrong = findings.filter(({ level }) => level === "error");
  if (wrong.length === 0) return;
  throw new ConfigError(`The configuration cannot be run with:\n${wrong.map(findingText).join("\n")}`);
}

/** Prints a report on standard output, as text or as one line of JSON, and sets the exit code. */
export function printReport(report: CheckReport, json: boolean): void {
  const code = checkExitCode(report);
  const facts = Object.fromEntries(report.facts);
  process.stdout.write(
    json ? `${JSON.stringify({ ok: code === 0, facts, findings: report.findings })}\n` : reportText(report),
  );
  process.exitCode = code;
}
