import { realpath } from "node:fs/promises";
import { join } from "node:path";

import { removeUnfinished } from "./checkpoints.ts";
import { unitEnvironment } from "./environment.ts";
import { WorkloadError } from "./errors.ts";
import { makeDirectories } from "./inside.ts";
import { clearOutputs } from "./outputs.ts";
import type { TaskSpec } from "./spec.ts";
import type { Executor, RunningUnit, UnitRun } from "./executor.ts";
import { BoundedLog } from "./log.ts";
import {
  type InterpretedPrograms,
  interpreterArguments,
  nodeArguments,
  type TrainerProgram,
} from "./process/arguments.ts";
import { boundedUnit } from "./time-outs.ts";
import { endLeftover } from "./process/record.ts";
import { launch } from "./process/running.ts";

export type { InterpretedPrograms, TrainerProgram } from "./process/arguments.ts";

/** Bound on a unit's log, in bytes. */
const LOG_BYTES = 1024 * 1024;

/**
 * Runs built-in trainers as isolated child processes; refuses everything else.
 *
 * **What the isolation holds.** Each unit is a Node process of its own under Node's permission model: it reads its code
 * and data and its unit's directories, writes to its checkpoint and output directories, and can neither start programs
 * or worker threads nor load native addons. It gets nothing of the agent's environment. It is the leader of its own
 * process group, which is killed as a whole. It goes when the agent goes (see `host.ts`), and if it hangs so badly that
 * it does not notice, the next {@link ProcessExecutor.start} of the unit ends it.
 *
 * **What it does not hold.** Node 24 cannot take the network away from a process (Node 25 does, under the same option),
 * nor keep it from sending signals to the user's other processes; the CPU is shared at a lower priority, not limited;
 * memory beyond V8's heap is looked at once a second, not capped. So it is for the trainers that come with the agent,
 * whose code is known, and a developer chooses their numbers only. Strangers' programs need containers.
 */
export class ProcessExecutor implements Executor {
  readonly name = "process";
  readonly #trainers: ReadonlyMap<string, TrainerProgram | InterpretedPrograms>;
  readonly #logBytes: number;
  /** Roots of the units being started or running. */
  readonly #busy = new Set<string>();

  /** @param trainers Programs by the name that specs use; see `packages/executor/trainers/registry.ts`. */
  constructor(options: {
    readonly trainers: ReadonlyMap<string, TrainerProgram | InterpretedPrograms>;
    readonly logBytes?: number;
  }) {
    this.#trainers = options.trainers;
    this.#logBytes = options.logBytes ?? LOG_BYTES;
  }

  refusal(spec: TaskSpec): string | undefined {
    if (spec.trainer === undefined) {
      return (
        `The task wants the image ${spec.image ?? ""}, but this node runs built-in trainers only, as plain processes: ` +
        `a stranger's program needs a container. Name one of its trainers: ${this.#known()}.`
      );
    }
    if (!this.#trainers.has(spec.trainer)) {
      return `This node has no trainer "${spec.trainer}": update its agent, or name one of ${this.#known()}.`;
    }
    if (spec.resources.gpus > 0) {
      return `The task wants ${spec.resources.gpus} GPUs, but built-in trainers use none: set resources.gpus to 0.`;
    }
    return undefined;
  }

  async start(unit: UnitRun): Promise<RunningUnit> {
    const { spec, folder } = unit;
    const refusal = this.refusal(spec);
    const program = this.#trainers.get(spec.trainer ?? "");
    if (refusal !== undefined || !program) throw new WorkloadError("REFUSED", refusal ?? "unknown trainer");
    if (this.#busy.has(folder.root)) {
      throw new WorkloadError("ALREADY_RUNNING", `The unit in ${folder.root} is already running: wait for its end.`);
    }
    this.#busy.add(folder.root);
    try {
      await makeDirectories(folder, spec);
      const leftover = await endLeftover(folder.root);
      await removeUnfinished(folder.checkpoint);
      await clearOutputs(folder.output);
      const directories = {
        checkpoint: await realpath(folder.checkpoint),
        input: await realpath(folder.input),
        output: await realpath(folder.output),
        ...(spec.exchange === undefined ? {} : { exchange: await realpath(folder.exchange) }),
      };
      const { exchange } = directories;
      const readable = [directories.input, ...(exchange === undefined ? [] : [join(exchange, "in")])];
      const out = exchange === undefined ? [] : [join(exchange, "out")];
      const writable = [directories.checkpoint, directories.output, ...out];
      const isInterpreted = "interpreter" in program;
      const args = isInterpreted
        ? interpreterArguments(directories.input, spec.args)
        : nodeArguments(program, { readable, writable }, spec.resources.memoryMiB, spec.args);
      const command = isInterpreted ? program.interpreter : process.execPath;
      // What a program prints is read while it runs.
      const env = {
        ...(isInterpreted && { PYTHONUNBUFFERED: "1" }),
        ...unitEnvironment(spec, unit, directories),
      };
      const log = await BoundedLog.open(folder.log, this.#logBytes);
      const ended = leftover === undefined ? "" : `, after ending leftover process ${leftover}`;
      await log.append(`--- unit ${unit.unitIndex} of task ${unit.taskId}, attempt ${unit.attempt}${ended}\n`);
      const running = await launch(unit, log, { command, args, env });
      void running.exited.finally(() => this.#busy.delete(folder.root));
      return boundedUnit(running);
    } catch (error) {
      this.#busy.delete(folder.root);
      throw error;
    }
  }

  async close(): Promise<void> {
    // nothing goes on in the background
  }

  #known(): string {
    return [...this.#trainers.keys()].join(", ");
  }
}
