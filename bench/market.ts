/**
 * A game on the real contracts: `npm run simulate:market -- [--quick] [--json] [--write] [--seed <n>]`.
 *
 *     --quick    fewer worlds, the best-known attacks and a short search, under two minutes
 *     --json     print JSON instead of tables
 *     --write    put the tables into docs/reference/benchmarks.md
 *     --seed     other worlds and another search (default 1); the same seed plays the same game
 *
 * Honest players, known attacks and what a learner breeds from them, on the deployed contracts and a simulated chain whose
 * clock is moved. Exits with 1 if a strategy earns more than honest work, or keeps others from theirs for less than it costs.
 */

import { randomNumbers } from "@verai/protocol/allocation/testing/market";
import { interruptible } from "@verai/process/program";
import { Output } from "@verai/devnet/output";
import { MarketContracts } from "./market/contracts.ts";
import { ECONOMY } from "./market/economy.ts";
import { playEpisode } from "./market/episode.ts";
import { describe } from "./market/genes.ts";
import { marketReport, verdictOf } from "./market/report.ts";
import { playGame, QUICK, type Result, WHOLE, winners } from "./market/tournament.ts";
import { worldOf } from "./market/world.ts";
import { type BenchFlags, benchCommand, wholeNumber } from "./options.ts";
import { machine, writeSection } from "./report.ts";

const flags = benchCommand(
  "simulate:market",
  "A game on the real contracts: honest players, known attacks, and learnt ones",
  "fewer worlds, attacks and generations, under two minutes",
)
  .option("--seed <number>", "other worlds and another search", wholeNumber(), 1)
  .parse()
  .opts<BenchFlags & { seed: number }>();
const output = new Output();
const interrupted = interruptible((text) => {
  output.say(text);
});

const result = await play().catch((error: unknown) => {
  if (interrupted.aborted) process.exit();
  throw error;
});
const won = winners(result);
const seconds = (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const text = `${marketReport(result, flags.seed)}\n${seconds.toFixed(0)} s of processor time: ${machine()}.\n`;
if (flags.json) process.stdout.write(`${JSON.stringify({ seed: flags.seed, seconds, ...result })}\n`);
else process.stdout.write(text);
if (flags.write) writeSection("simulate:market", text);
for (const played of won) {
  const worlds = `${String(played.seeds[0])} to ${String(played.seeds.at(-1))}`;
  process.stderr.write(
    `${played.name} ${verdictOf(played).replaceAll("**", "")}: ${describe(played.strategy)} (worlds ${worlds}; ` +
      `npm run simulate:market -- ${flags.quick ? "--quick " : ""}--seed ${String(flags.seed)} plays it again)\n`,
  );
}
process.exit(won.length === 0 ? 0 : 1);

async function play(): Promise<Result> {
  if (!flags.json) output.say("deploying on a chain in this process");
  const chain = await MarketContracts.open();
  try {
    return await playGame(flags.quick ? QUICK : WHOLE, flags.seed, {
      random: randomNumbers(flags.seed),
      gasPrice: ECONOMY.gas,
      play: async (seed, strategy, audited) => {
        interrupted.throwIfAborted();
        try {
          return await playEpisode(chain, worldOf(seed, audited), strategy);
        } catch (error) {
          interrupted.throwIfAborted();
          throw new Error(`world ${String(seed)}, ${describe(strategy)}: the game broke`, { cause: error });
        }
      },
      progress: (done, all, what) => {
        if (!flags.json) output.progress("game", done / all, `${String(done)}/${String(all)} ${what}`);
      },
    });
  } finally {
    output.close();
    await chain.close();
  }
}
