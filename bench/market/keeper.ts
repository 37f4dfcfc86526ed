import type { Lease } from "@verai/client/entities";
import type { MarketContracts } from "./contracts.ts";
import type { Game } from "./game.ts";
import type { Player } from "./player.ts";
import { EPISODE } from "./world.ts";

/** Seconds between the openings of two rounds: BASE's parameter, and a block. */
const ROUND_SECONDS = 32;

/** What an honest keeper does in a step: ends what is overdue, draws for what was lost, and runs rounds while they help. */
export async function keep(game: Game, player: Player, keeper: string, oracle: string): Promise<void> {
  const { chain } = game;
  await endOverdue(chain, await chain.leases(), keeper);
  if (await chain.openBatch(keeper)) {
    await player.whileFrozen();
    await chain.answerOracle(oracle, false, game.world.word);
    await chain.draw(keeper);
    await player.react(await chain.leases());
  }
  for (let i = 0; i < EPISODE.roundsPerStep; i++) {
    if (!(await runRound(game, player, keeper, oracle))) return;
    await player.react(await chain.leases());
    await chain.passTo((await chain.now()) + ROUND_SECONDS);
  }
}

/** Expires leases that are overdue, and hands over what was moved. */
export async function endOverdue(chain: MarketContracts, leases: readonly Lease[], keeper: string): Promise<void> {
  const now = await chain.now();
  for (const lease of leases) {
    if (lease.due >= now) continue;
    if (lease.status === "active") await chain.expire(keeper, lease);
    if (lease.status === "moving") await chain.handOver(keeper, lease);
  }
}

async function runRound(game: Game, player: Player, keeper: string, oracle: string): Promise<boolean> {
  const { chain } = game;
  const runner = player.strategy.keeper === "first" ? player.developer : keeper;
  let opened = await chain.openRound(runner);
  if (!opened) {
    await chain.tidyQueue(keeper);
    opened = await chain.openRound(keeper);
  }
  if (!opened) return false;
  await player.whileFrozen();
  await chain.answerOracle(oracle, true, game.world.word);
  await chain.settle(runner);
  return true;
}
