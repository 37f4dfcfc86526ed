import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { type ExecutorConfig, executorConfig } from "@verai/agent/executor-config";
import { openExecutor } from "@verai/agent/executor";
import { LocalStore } from "@verai/checkpoint-store/local";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { relativePathProblem } from "@verai/executor/paths";
import { type Difference } from "@verai/executor/rerun/difference";
import { type Finding, verifyUnit, type VerifyReport } from "@verai/executor/rerun/verify";
import { parseSpec, type TaskSpec } from "@verai/executor/spec";
import { createLogger } from "@verai/process/logger";
import { EXIT, shutdownSignal } from "@verai/process/program";

import { guarded } from "../session/context.ts";
import { Output } from "../session/output.ts";
import { LOCAL_PYTHON } from "./program-spec.ts";

interface Arguments {
  readonly json: boolean;
  readonly spec: string;
  readonly unit: number;
  readonly units: number;
  readonly local: string;
  readonly store: string;
  readonly executor: string;
  readonly trainerImage: string;
  readonly interpreter: string;
  readonly work: string;
  readonly keep: number;
}

/** Says whether a program is reproducible: runs a unit twice, once interrupted, and compares. Sends nothing. */
export default async function verify(args: Arguments): Promise<void> {
  await guarded(new Output(args.json), async (output) => {
    if (args.spec === "") throw new Error("Name the task's spec: --spec spec.json");
    const spec = parseSpec(await readFile(args.spec));
    if (args.unit < 0 || args.unit >= args.units) {
      throw new Error(
        `There is no unit ${String(args.unit)} of ${String(args.units)}: units are 0 to ${String(args.units - 1)}.`,
      );
    }
    const local = parseLocal(args.local);
    const root = join(resolve(args.work), "runs");
    await rm(root, { recursive: true, force: true });
    await mkdir(root, { recursive: true });
    const logger = createLogger("verify", "error");
    const config = { executor: chosen(spec, args), network: { chainId: LOCAL_CHAIN_ID }, dataDir: root };
    const executor = await openExecutor(config, logger);
    const signal = shutdownSignal();
    try {
      const report = await verifyUnit({
        ...{ executor, spec, root, signal, unitIndex: args.unit, unitCount: args.units },
        placeInputs: (directory) => placeInputs(spec, local, args.store, directory),
        keepBytes: args.keep * 1024 * 1024,
        log: logger,
        onCheckpoint: (run, { number, progress }) => {
          const share = progress === undefined ? "" : `, ${(100 * progress).toFixed(0)} %`;
          output.say(`${run} run: step ${String(number)}${share}`);
        },
      });
      for (const line of linesOf(report)) output.say(line);
      output.result(report);
      if (!report.reproducible) process.exitCode = EXIT.failed;
      else await rm(root, { recursive: true, force: true });
    } finally {
      await executor.close();
    }
  });
}

/** What is found, as sentences. Pure. */
export function linesOf({ reproducible, compared, stoppedAt, drained, finding }: VerifyReport): string[] {
  const interrupted = drained ? ", and interrupted by SIGTERM" : "";
  const how =
    stoppedAt === undefined
      ? ""
      : `, though one was stopped at step ${String(stoppedAt)} and went on elsewhere${interrupted}`;
  if (reproducible) return [`Reproducible: ${String(compared)} states and the output are the same in both runs${how}.`];
  const same = compared === 0 ? [] : [`${String(compared)} states before that are the same.`];
  const log = finding?.kind === "ended" ? [finding.log.trimEnd()] : [];
  return [`Not reproducible: ${finding === undefined ? "" : sentenceOf(finding)}`, ...log, ...same];
}

function sentenceOf(finding: Finding): string {
  switch (finding.kind) {
    case "ended":
      return `the ${finding.run} run ended: ${finding.detail}.`;
    case "few":
      return "the program wrote no local checkpoint. It has to write one after each multiple of DRMP_CHECKPOINT_STEPS steps.";
    case "skipped":
      return `the ${finding.run} run wrote no checkpoint after step ${String(finding.step)}, a multiple of checkpoint.everySteps.`;
    case "stop": {
      const newest = finding.stoppedAt === undefined ? "no checkpoint" : `step ${String(finding.stoppedAt)}`;
      return `told to stop at step ${String(finding.step)} (DRMP_STOP_AT), the program left ${newest} (${finding.detail}). It has to write that very step's state and leave with exit code 143.`;
    }
    case "state":
      return finding.difference === undefined
        ? `the states after step ${String(finding.step)} differ. To see where, keep more of them: --keep <MiB>.`
        : `after step ${String(finding.step)} ${where(finding.difference)}`;
    case "output":
      return `in the output ${where(finding.difference)}`;
  }
}

function where({ path, kind, offset, one, other }: Difference): string {
  if (kind === "kind") return `${path} is ${one} in one run and ${other} in the other.`;
  return `${path} differs from byte ${String(offset)} on: ${one || "its end"} and ${other || "its end"}.`;
}

/** Executor by what the spec names, unless one is asked for. */
function chosen(spec: TaskSpec, { executor, trainerImage, interpreter }: Arguments): ExecutorConfig {
  const kind = executor === "" ? (spec.image === undefined ? "process" : "container") : executor;
  if (kind !== "process" && kind !== "container") {
    throw new Error(`There is no executor "${kind}" here: --executor process or --executor container`);
  }
  const trainers = interpreter === "" ? {} : { unsafeTrainersWithoutContainer: { [LOCAL_PYTHON]: { interpreter } } };
  const config = executorConfig.parse({
    kind,
    ...(kind === "process" ? trainers : trainerImage === "" ? {} : { trainerImage }),
  });
  if (!config) throw new Error("no executor");
  return config;
}

/** Inputs by their place below DRMP_INPUT_DIR, from `data=./points.csv,code=./src`. Pure. */
export function parseLocal(text: string): ReadonlyMap<string, string> {
  const parts = text.split(",").filter((part) => part.trim() !== "");
  return new Map(
    parts.map((part) => {
      const [place = "", path = ""] = part.trim().split("=");
      const problem = path === "" ? "names no file" : relativePathProblem(place);
      if (problem === undefined) return [place, path];
      throw new Error(`--local ${part.trim()} ${problem}: use place=path, such as data=./points.csv`);
    }),
  );
}

/** Puts inputs in place: those that are named by path, and the rest of the spec's from this machine's store. */
async function placeInputs(
  spec: TaskSpec,
  local: ReadonlyMap<string, string>,
  directory: string,
  target: string,
): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const [place, path] of local) {
    await mkdir(dirname(join(target, place)), { recursive: true });
    await cp(path, join(target, place), { recursive: true });
  }
  const stored = Object.entries(spec.inputs).filter(([, place]) => !local.has(place));
  if (stored.length === 0) return;
  const store = new LocalStore(directory);
  await store.open();
  try {
    for (const [cid, place] of stored) {
      await mkdir(dirname(join(target, place)), { recursive: true });
      await store.exportTo(cid, join(target, place));
    }
  } finally {
    await store.close();
  }
}
