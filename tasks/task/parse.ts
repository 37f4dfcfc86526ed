import type { NodeClass, Task } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import type { RequestedClass, TaskRequest } from "@verai/developer/task-request";
import { MAX_AUDIT_CHANCE } from "@verai/protocol/money/units";
import { parseVer } from "@verai/protocol/money/ver";
import { CommandError } from "../errors.ts";
import { parseAmount, parseClass } from "../node/parse.ts";
import { parseDuration } from "../session/duration.ts";

/** The task that `--task` names. @throws Error naming the id and the remedy. */
export async function parseTask(reader: Reader, at: BlockReference, taskId: number): Promise<Task> {
  if (taskId <= 0)
    throw new CommandError(
      "OPTION_MISSING",
      "Name the task: --task <id>. `npx hardhat task:status` lists all of them.",
    );
  const task = await reader.task(at, taskId);
  if (!task)
    throw new CommandError(
      "NOT_FOUND",
      `There is no task ${String(taskId)}; \`npx hardhat task:status\` lists all of them.`,
    );
  return task;
}

/** Classes with their surcharges, from `cpu/eu,cpu/us=0.003`. Ascending by id. */
function parseClasses(known: readonly NodeClass[], text: string): RequestedClass[] {
  if (text.trim() === "") {
    throw new CommandError(
      "OPTION_MISSING",
      `Name the classes that may run it: --classes ${known.map(({ name }) => name).join(",")}`,
    );
  }
  const named = text.split(",").map((part) => {
    const [name = "", surcharge = "0"] = part.trim().split("=");
    return { classId: parseClass(known, name).id, name, surcharge: parseVer(surcharge) };
  });
  return named.sort((a, b) => a.classId - b.classId);
}

/** What decides a task's price: units, maximum price and classes, as the options name them. */
export function parseWish(
  known: readonly NodeClass[],
  args: { readonly units: number; readonly maxPrice: string; readonly classes: string },
): Pick<TaskRequest, "units" | "maxPrice" | "classes"> {
  if (args.units <= 0) throw new CommandError("OPTION_MISSING", "Name the units of work: --units 8");
  return {
    units: args.units,
    maxPrice: parseAmount("max-price", args.maxPrice),
    classes: parseClasses(known, args.classes),
  };
}

/** Options that say what a task is to be. Amounts and times as people write them. */
export interface RequestOptions {
  readonly units: number;
  readonly maxPrice: string;
  readonly classes: string;
  readonly within: string;
  readonly interval: string;
  /** Empty for the default. */
  readonly unitTime: string;
  readonly replicas: number;
  /** Percent; empty for the default. */
  readonly audits: string;
}

/** A chance of audits in basis points, from percent; undefined, the default, if it is empty. */
export function parseChance(percent: string): number | undefined {
  if (percent === "") return undefined;
  const chance = /^\d+(\.\d{1,2})?$/.test(percent) ? Math.round(Number(percent) * 100) : NaN;
  if (chance >= 0 && chance <= MAX_AUDIT_CHANCE) return chance;
  throw new CommandError(
    "OPTION_INVALID",
    `--audits ${percent} is no chance of 0.01 to 50 percent; name one, such as --audits 1, 0 for no audits, or leave it out for the default.`,
  );
}

/** The task that the options ask for. */
export function parseRequest(known: readonly NodeClass[], options: RequestOptions): TaskRequest {
  const auditChance = parseChance(options.audits);
  const [within, checkpointInterval] = [parseDuration(options.within), parseDuration(options.interval)];
  return {
    ...parseWish(known, options),
    ...(options.unitTime !== "" && { maxUnitTime: parseDuration(options.unitTime) }),
    ...{ carbonPrice: 0, checkpointInterval, replicas: options.replicas, within },
    ...(auditChance !== undefined && { auditChance }),
  };
}
