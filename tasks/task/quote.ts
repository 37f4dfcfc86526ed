import type { Environment } from "../session/environment.ts";

import { type Quote, quoteTask } from "@verai/client/quote";
import { formatVer } from "@verai/protocol/money/ver";
import { read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";
import type { Output } from "../session/output.ts";
import { parseChance, parseWish } from "./parse.ts";

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
    const wish = { ...parseWish(await reader.classes(block), args), auditChance: parseChance(args.audits) };
    const found = await quoteTask(reader, block, wish, args.queue);
    showQuote(output, wish.units, found);
    return { block: block.number, ...found };
  });
}

/** Shows a quote for people. */
export function showQuote(output: Output, units: number, quote: Quote): void {
  const mean = quote.leasedUnits === 0 ? undefined : quote.cost / BigInt(quote.leasedUnits);
  output.facts([
    ["leased now", `${String(quote.leasedUnits)} of ${String(units)} units`],
    [
      "cost",
      `${formatVer(quote.cost)} VER to ${String(quote.nodes.length)} node${quote.nodes.length === 1 ? "" : "s"}`,
    ],
    ["a unit", mean === undefined ? undefined : `${formatVer(mean)} VER on average`],
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
