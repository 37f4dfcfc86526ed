import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Primal, Problem } from "@verai/protocol/allocation/model";
import { benchPython, type Python } from "./python.ts";
import { mpsOf, primalOf, type Program, programOf } from "./program.ts";

/** What a program that is no library of ours found. Processor time in milliseconds, memory in MB. */
export interface ForeignSolution {
  /** From the start of its process until it is ready to read a model, and reading it. */
  readonly start: number;
  readonly read: number;
  /** Each of its solves, the first one first. */
  readonly times: readonly number[];
  readonly peak: number;
  readonly before: number;
  /** Units of each column of the program. */
  readonly values: readonly number[];
}

/** Programs that join in where they can be had: two from PyPI, two from Debian (coinor-clp, python3-scipy). */
export const FOREIGN = ["ortools-flow", "highs-native", "clp", "scipy"] as const;

export type Foreign = (typeof FOREIGN)[number];

export function isForeign(name: string): name is Foreign {
  return FOREIGN.includes(name as Foreign);
}

/** Debian's own Python, which has Debian's SciPy. */
const SYSTEM = "/usr/bin/python3";

const SCRIPT = new URL("solve.py", import.meta.url).pathname;

/**
 * Commands that run those that can be had, and a line for each that cannot.
 *
 * @param install - Make an environment of Python for them where there is none yet.
 */
export function available({ install }: { readonly install: boolean }): {
  commands: Partial<Record<Foreign, string>>;
  missing: string[];
} {
  const python = benchPython(install);
  const commands: Partial<Record<Foreign, string>> = {};
  const missing: string[] = [];
  for (const name of FOREIGN) {
    const command = commandOf(name, python);
    if ("missing" in command) missing.push(`${name} is left out: ${command.missing}.`);
    else commands[name] = command.command;
  }
  return { commands, missing };
}

function commandOf(name: Foreign, python: Python): Python {
  if (name === "ortools-flow" || name === "highs-native") {
    if ("missing" in python) return python;
    // Imports and ends.
    return probe(python.command, [SCRIPT, name], `its package cannot be imported by ${python.command}`);
  }
  if (name === "scipy") return probe(SYSTEM, [SCRIPT, name], "apt-get install python3-scipy provides it");
  const clp = probe("clp", ["-quit"], "apt-get install coinor-clp provides it");
  return "missing" in clp ? clp : probe("python3", [SCRIPT, name], "python3 is not installed");
}

function probe(command: string, args: readonly string[], missing: string): Python {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0 ? { command } : { missing };
}

/**
 * Solves with such a program in a process of its own, several times over.
 *
 * @param command - The Python that runs it.
 * @param seconds - No further run begins after so much processor time.
 */
async function solveForeign(
  name: Foreign,
  command: string,
  program: Program,
  runs: number,
  seconds: number,
): Promise<ForeignSolution> {
  const folder = mkdtempSync(join(tmpdir(), "drmp-bench-"));
  try {
    const [model, out, mps] = [join(folder, "model.json"), join(folder, "out.json"), join(folder, "model.mps")];
    writeFileSync(model, JSON.stringify({ ...arraysOf(program), mps }));
    if (name === "clp") writeFileSync(mps, mpsOf(program));
    await promisify(execFile)(command, [SCRIPT, name, model, out, `${runs}`, `${seconds}`]);
    const { start, read, times, ...rest } = JSON.parse(readFileSync(out, "utf8")) as ForeignSolution;
    return { start: 1000 * start, read: 1000 * read, times: times.map((time) => 1000 * time), ...rest };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The allocation that such a program finds. */
export async function allocateForeign(
  name: Foreign,
  command: string,
  problem: Problem,
  runs = 1,
  seconds = 0,
): Promise<ForeignSolution & { readonly primal: Primal }> {
  const solution = await solveForeign(name, command, programOf(problem), runs, seconds);
  return { ...solution, primal: primalOf(problem, (c) => solution.values[c] ?? 0, name) };
}

/** The program as flat arrays: by columns for linear programs, by arcs for networks. -1: without bound. */
function arraysOf({ demand, classes, columns }: Program) {
  const sink = demand.length + classes;
  const all = demand.reduce((sum, units) => sum + units, 0);
  const starts = [0];
  for (const { rows } of columns) starts.push((starts.at(-1) ?? 0) + rows.length);
  return {
    demand,
    classes,
    cost: columns.map(({ cost }) => cost),
    upper: columns.map(({ most }) => most ?? -1),
    starts,
    rows: columns.flatMap(({ rows }) => rows),
    values: columns.flatMap(({ values }) => values),
    // Of a column's two rows the first is its task's; supply goes from its class, open units from their task, to the sink.
    tails: columns.map(({ rows }) => rows[0] ?? 0),
    heads: columns.map(({ rows }) => rows[1] ?? sink),
    room: columns.map(({ most }) => most ?? all),
  };
}
