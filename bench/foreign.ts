import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Primal, Problem } from "@verai/protocol/allocation/model";
import { mostMegabytesOf } from "./memory.ts";
import { mpsOf, primalOf, programOf } from "./program.ts";

/** What a program that is no library of ours found: milliseconds as it reports them itself, and its own memory. */
export interface ForeignSolution {
  readonly milliseconds: number;
  readonly megabytes: number;
  readonly primal: Primal;
}

interface Foreign {
  /** What is run to see whether it is installed. */
  readonly probe: readonly [command: string, ...args: string[]];
  readonly solve: (problem: Problem, folder: string) => Promise<ForeignSolution>;
}

/** Programs that join in if they are installed: Debian's coinor-clp and python3-scipy. */
export const FOREIGN: Readonly<Record<string, Foreign>> = {
  clp: { probe: ["clp", "-quit"], solve: solveWithClp },
  scipy: { probe: ["/usr/bin/python3", "-c", "import scipy.optimize"], solve: solveWithScipy },
};

/** Names of those that are installed. */
export function installed(): string[] {
  return Object.entries(FOREIGN).flatMap(
    ([
      name,
      {
        probe: [command, ...args],
      },
    ]) => (spawnSync(command, args, { stdio: "ignore" }).status === 0 ? [name] : []),
  );
}

/** Solves with such a program, in a temporary folder. */
export async function solveForeign(name: string, problem: Problem): Promise<ForeignSolution> {
  const foreign = FOREIGN[name];
  if (!foreign) throw new Error(`There is no program ${name}, only ${Object.keys(FOREIGN).join(", ")}.`);
  const folder = mkdtempSync(join(tmpdir(), "drmp-bench-"));
  try {
    return await foreign.solve(problem, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function solveWithClp(problem: Problem, folder: string): Promise<ForeignSolution> {
  const [model, solution] = [join(folder, "model.mps"), join(folder, "solution")];
  writeFileSync(model, mpsOf(programOf(problem)));
  const { said, megabytes } = await run("clp", [model, "-solve", "-solution", solution]);
  const seconds = /^Optimal objective .* time ([\d.]+)/m.exec(said)?.[1];
  if (seconds === undefined) throw new Error(`Clp Error: no optimum: ${said.trim().split("\n").at(-1) ?? ""}`);
  const values = new Map<number, number>();
  for (const [, column, value] of readFileSync(solution, "utf8").matchAll(/^\s*\**\s*\d+ c(\d+)\s+(\S+)/gm)) {
    values.set(Number(column), Number(value));
  }
  return {
    milliseconds: 1000 * Number(seconds),
    megabytes,
    primal: primalOf(problem, (c) => values.get(c) ?? 0, "Clp"),
  };
}

async function solveWithScipy(problem: Problem, folder: string): Promise<ForeignSolution> {
  const [model, solution] = [join(folder, "model.json"), join(folder, "solution.json")];
  writeFileSync(model, JSON.stringify(programOf(problem)));
  const script = new URL("scipy_lp.py", import.meta.url).pathname;
  const { megabytes } = await run("/usr/bin/python3", [script, model, solution]);
  const { seconds, values } = JSON.parse(readFileSync(solution, "utf8")) as { seconds: number; values: number[] };
  return { milliseconds: 1000 * seconds, megabytes, primal: primalOf(problem, (c) => values[c] ?? 0, "SciPy") };
}

/** Runs a program to its end, and watches its memory. */
async function run(command: string, args: readonly string[]): Promise<{ said: string; megabytes: number }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  let megabytes = 0;
  const look = (): void => {
    megabytes = Math.max(megabytes, mostMegabytesOf(child.pid));
  };
  const watch = setInterval(look, 20);
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command} Error: exit code ${code ?? "none"}: ${err.join("").trim()}`);
  return { said: out.join(""), megabytes };
}
