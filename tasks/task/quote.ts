import type { Environment } from "../session/environment.ts";

import type { BlockReference } from "@verai/client/block-reference";
import { type Quote, quoteTask, type Wish } from "@verai/client/quote";
import type { Reader } from "@verai/client/readers";
import { readUnitDurations, type UnitDuration } from "@verai/client/unit-durations";
import { devicesOf } from "@verai/protocol/energy/embodied";
import { formatVer } from "@verai/protocol/money/ver";
import { read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";
import type { Output } from "../session/output.ts";
import { parseChance, parseWish } from "./parse.ts";
import { figure, perHour, rounded } from "./receipt.ts";

interface Arguments extends ReadingArguments {
  readonly units: number;
  readonly maxPrice: string;
  readonly classes: string;
  readonly audits: string;
  readonly queue: boolean;
}

/** Shows what a task would cost now. */
export default async function quote(args: Arguments, environment: Environment): Promise<void> {
  await read(args, environment, async ({ session, output }) => {
    const { reader } = session;
    const block = await reader.block();
    // What is asked for by default costs what no audits cost.
    const wish = { ...parseWish(await reader.classes(block), args), auditChance: parseChance(args.audits) ?? 0 };
    const found = await quoteTask(reader, block, wish, args.queue);
    const rate = await readRate(reader, block, wish, found);
    showQuote(output, wish.units, found, rate);
    return { block: block.number, ...found, ...(rate && { rate }) };
  });
}

/** What a quote comes to for a device-hour, by what units of its classes took lately. */
export interface Rate {
  /** Hours of a unit, on average over the units that would be leased. */
  readonly hours: number;
  /** Of the class whose units take longest: all of them run at the same time. */
  readonly longest: number;
  /** Wei. */
  readonly perDeviceHour: bigint;
  /** Paid units of others that the hours come from. */
  readonly units: number;
}

/** See {@link Rate}. Undefined if nothing is leased, or of one of its classes nothing was reported yet. Pure. */
export function rateOf(
  { cost, leasedUnits, classes }: Pick<Quote, "cost" | "leasedUnits" | "classes">,
  measured: ReadonlyMap<string, UnitDuration>,
): Rate | undefined {
  const leased = classes.filter(({ units }) => units > 0);
  const known = leased.flatMap(({ name, units }) => {
    const found = measured.get(name);
    return found ? [{ ...found, leased: units, devices: devicesOf(name).count }] : [];
  });
  if (leasedUnits === 0 || known.length < leased.length) return undefined;
  const hours = known.reduce((sum, each) => sum + each.hours * each.leased, 0);
  const deviceHours = known.reduce((sum, each) => sum + each.hours * each.leased * each.devices, 0);
  return {
    hours: hours / leasedUnits,
    longest: Math.max(...known.map((each) => each.hours)),
    perDeviceHour: perHour(cost, deviceHours),
    units: known.reduce((sum, each) => sum + each.units, 0),
  };
}

/** See {@link rateOf}. */
export async function readRate(
  reader: Reader,
  block: BlockReference,
  { classes }: Pick<Wish, "classes">,
  quote: Quote,
): Promise<Rate | undefined> {
  const ids = classes.map(({ classId }) => classId);
  const [known, durations] = await Promise.all([reader.classes(block), readUnitDurations(reader, block, ids)]);
  const named = known.flatMap(({ id, name }): [string, UnitDuration][] => {
    const found = durations.get(id);
    return found ? [[name, found]] : [];
  });
  return rateOf(quote, new Map(named));
}

/** Shows a quote for people. */
export function showQuote(output: Output, units: number, quote: Quote, rate: Rate | undefined): void {
  const mean = quote.leasedUnits === 0 ? undefined : quote.cost / BigInt(quote.leasedUnits);
  output.facts([
    ["leased now", `${String(quote.leasedUnits)} of ${String(units)} units`],
    [
      "cost",
      `${formatVer(quote.cost)} VER to ${String(quote.nodes.length)} node${quote.nodes.length === 1 ? "" : "s"}`,
    ],
    ["a unit", mean === undefined ? undefined : `${formatVer(mean)} VER on average`],
    [
      "a device-hour",
      quote.leasedUnits === 0
        ? undefined
        : rate === undefined
          ? "not known: no paid units of these classes were reported yet"
          : `${formatVer(rounded(rate.perDeviceHour))} VER, if a unit takes ${figure(rate.hours)} h as ${String(rate.units)} of others did`,
    ],
    ["would take", rate && `${figure(rate.longest)} h by the same measure: all leased units run at the same time`],
    ["fee", `${formatVer(quote.fee)} VER`],
    ["escrow", `${formatVer(quote.escrow)} VER; what is not spent comes back`],
    [
      "rounds",
      `at most ${formatVer(quote.seedPrice)} VER a round for its seed, less the fee's first half and shared with the others in it; ` +
        `${formatVer(quote.roundDeposit)} VER of the escrow are for that`,
    ],
    ["submitting", `${formatVer(quote.submissionFee)} VER, which does not come back`],
    [
      "stays open",
      quote.openUnits === 0 ? undefined : `${String(quote.openUnits)} units: raise the price or accept more classes`,
    ],
    ["competes with", quote.competitors === 0 ? undefined : `${String(quote.competitors)} tasks that wait before it`],
  ]);
  output.say();
  output.table(
    ["class", "units", "listed", "lowest ask, VER"],
    quote.classes.map(({ name, units: leased, listed, lowestAsk }) => [
      name,
      leased,
      listed,
      lowestAsk === undefined ? undefined : formatVer(lowestAsk),
    ]),
  );
}
