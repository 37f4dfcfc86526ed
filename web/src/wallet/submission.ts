import type { PublicClient } from "viem";

import { paidAuditChance } from "@verai/protocol/money/audit-fee";
import { MAX_AUDIT_CHANCE } from "@verai/protocol/money/units";
import { parseVer } from "@verai/protocol/money/ver";
import type { Config } from "../config.ts";
import { holdSpec } from "../content/door.ts";
import { readSpec, type SpecToSubmit } from "../content/spec.ts";
import { counted, exactVer, foreign, utc } from "../ui/format.ts";
import type { Plan } from "./act.tsx";
import { callsOf } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { allowanceOf, depositOf, feeOf, verOf } from "./own.ts";

/** A small task of the built-in trainer, which every node can run. */
const SAMPLE = JSON.stringify(
  {
    version: 1,
    name: "four learning rates",
    trainer: "digits",
    args: ["--epochs", "10", "--train", "4000", "--test", "1000", "--pace", "40"],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [24], learningRate: [0.02, 0.05, 0.1, 0.2] }) },
    resources: { cpus: 1, memoryMiB: 512 },
    checkpoint: { intervalSeconds: 3, everySteps: 60 },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 600, graceSeconds: 10 },
    maxRestarts: 2,
  },
  null,
  2,
);

/** Shortest interval between checkpoints on chain that the form takes, and longest, seconds. */
const [MIN_INTERVAL, MAX_INTERVAL] = [5, 86_400];

/** What the form asks for. */
export interface TaskForm {
  readonly spec: string;
  readonly units: string;
  readonly price: string;
  readonly classIds: readonly number[];
  readonly minutes: string;
  /** Seconds. */
  readonly interval: string;
  readonly replicas: string;
  /** Percent of the segments that other nodes run again, at least; 0: none, empty: the default. */
  readonly audits: string;
}

export const FIRST: TaskForm = {
  ...{ spec: SAMPLE, units: "4", price: "0.02", classIds: [0], minutes: "60", interval: "60", replicas: "0" },
  audits: "",
};

/** What a form says of a task's price. @throws ActionError naming what does not fit. */
export function termsOf({ units, price, classIds, audits }: TaskForm) {
  if (classIds.length === 0) throw new ActionError("NoClass", "No class may serve the task; choose one or more.");
  let maxPrice: bigint;
  try {
    maxPrice = parseVer(price);
  } catch (error) {
    throw new ActionError("PriceInvalid", `The price ${price} is no amount of VER, such as 0.02.`, error);
  }
  return {
    units: wholeOf("units", units, 1, 1_048_576),
    maxPrice,
    auditChance: chanceOf(audits),
    classIds: [...classIds].sort((a, b) => a - b),
  };
}

/**
 * Checks a form, has nodes hold the spec, and says what the task takes: VER from the faucet where the account has too little, an approval or a
 * permit, the submission. Once it is told, nothing has to stay open for the task's sake.
 */
export async function submissionPlan(
  config: Config,
  client: PublicClient,
  account: `0x${string}`,
  form: TaskForm,
): Promise<Plan> {
  const spec = await readSpec(form.spec);
  const { units, maxPrice, classIds, auditChance: asked } = termsOf(form);
  const minutes = wholeOf("minutes", form.minutes, 5, 100_000);
  const interval = wholeOf("the checkpoint interval", form.interval, MIN_INTERVAL, MAX_INTERVAL);
  const replicas = wholeOf("replicas", form.replicas, 0, 8);
  const auditChance = asked ?? (spec.isAudited ? paidAuditChance(await feeOf(config, client)) : 0);
  requireSteps(spec, auditChance);
  const [needed, { held, drip }, allowed, { timestamp }] = await Promise.all([
    depositOf(config, client, units, maxPrice, auditChance),
    verOf(config, client, account),
    allowanceOf(config, client, account),
    client.getBlock(),
  ]);
  if (held + drip < needed) {
    throw new ActionError(
      "TooLittleVer",
      `The task locks ${exactVer(needed)}, and the account has ${exactVer(held)}; get more VER, or lower units or price.`,
    );
  }
  const notes = [
    ...(await holdersOf(config, client, account, spec)),
    auditChance === 0
      ? "No part of the work is done again by other nodes: you judge the results."
      : `Each segment of the work is done again by another node with a chance of ${String(auditChance / 100)} % at least.`,
  ];
  const calls = callsOf(config);
  return {
    ver: needed,
    notes,
    calls: [
      ...(held < needed ? [calls.drip()] : []),
      ...(allowed < needed ? [calls.approve(needed)] : []),
      calls.submit(
        {
          ...{ specDigest: spec.digest, specCodec: 0x55, units, maxPrice, replicas, auditChance, classIds },
          ...{ checkpointInterval: interval, maxUnitTime: Math.max(interval, minutes * 30) },
          deadline: Number(timestamp) + minutes * 60,
        },
        needed,
      ),
    ],
  };
}

/** Has nodes hold the spec, and says which do. */
async function holdersOf(
  config: Config,
  client: PublicClient,
  account: `0x${string}`,
  { bytes, digest, inputs }: SpecToSubmit,
): Promise<string[]> {
  if (config.doorUrls.length === 0) {
    return [
      "This copy of the page knows no door: no node holds the spec. Keep it available yourself with `drmp task:submit`, or the task will be given back.",
    ];
  }
  const { nodes, until } = await holdSpec(config, client, account, bytes, digest);
  const held = `${nodes.map((id) => `node ${String(id)}`).join(", ")} signed that they hold the spec until ${utc(until)}, and then for the task.`;
  if (inputs.length === 0) return [held];
  const list = inputs.map((cid) => foreign(cid, 70)).join(", ");
  return [
    held,
    `${counted(inputs.length, "input")} have to be available from elsewhere, such as by \`drmp data:add\`: ${list}.`,
  ];
}

/** A chance of audits in basis points, from percent; undefined for the default. @throws ActionError if it is none that a task can ask for. */
function chanceOf(percent: string): number | undefined {
  if (percent.trim() === "") return undefined;
  const chance = /^\d+(\.\d{1,2})?$/.test(percent) ? Math.round(Number(percent) * 100) : NaN;
  if (chance >= 0 && chance <= MAX_AUDIT_CHANCE) return chance;
  throw new ActionError(
    "AuditsInvalid",
    `The chance of audits is ${foreign(percent, 20)} %; it has to be empty for the default, 0 for none, or from 0.01 to ${String(MAX_AUDIT_CHANCE / 100)} with two decimals at most.`,
  );
}

/** Audits run again what lies between two states at known steps. @throws ActionError if the spec names none. */
function requireSteps({ isTraced }: SpecToSubmit, auditChance: number): void {
  if (auditChance === 0 || isTraced) return;
  throw new ActionError(
    "AuditsNeedSteps",
    "Audits need checkpoints at known steps, and the spec names none: set `checkpoint.everySteps` in it, such as 60, or ask for 0 % of audits.",
  );
}

/** A whole number within bounds. @throws ActionError naming it. */
function wholeOf(what: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new ActionError(
    "NumberInvalid",
    `${what} is ${text}; it has to be a whole number from ${String(min)} to ${String(max)}.`,
  );
}
