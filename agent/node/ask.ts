import { z } from "zod";

import { clearingPrices } from "@verai/client/clearing-prices";
import type { Session } from "@verai/client/session";
import type { Logger } from "@verai/process/logger";
import { microToWei, parseVer, weiToMicro } from "@verai/protocol/money/ver";
import { monotonicMs } from "@verai/system/clock";
import { loadState, saveState, type StateKind } from "@verai/system/state-file";
import type { AgentConfig } from "../config.ts";

/** How an ask follows the market: `node.ask` where it is no amount. */
export type FollowedAsk = Exclude<AgentConfig["node"]["ask"], string>;

/** Clearing prices that are looked at, and blocks that are looked back for them: a day. */
const [PRICES, BLOCKS] = [9, 43_200];
/** Milliseconds between two looks. */
const LOOK_MS = 300_000;

const CHANGED = {
  what: "time of the last change of the ask",
  version: 1,
  schema: z.object({ at: z.number().int().nonnegative() }),
} satisfies StateKind<z.ZodType>;

/** The ask that a node begins with: where it follows the market, its floor. VER. */
export function firstAsk(ask: AgentConfig["node"]["ask"]): string {
  return typeof ask === "string" ? ask : ask.floor;
}

/** What an ask is chosen by. Micro-VER. */
export interface AskFacts {
  /** What the chain has. */
  readonly now: number;
  /** Clearing prices of the class's last rounds, in any order. */
  readonly prices: readonly number[];
  readonly floor: number;
  readonly ceiling: number;
  readonly tickSize: number;
  /** Percent below the clearing price. */
  readonly below: number;
  /** Percent of the present ask by which a new one has to differ. */
  readonly step: number;
}

/**
 * The ask that follows the market: so many percent below the median of the clearing prices, within floor and ceiling, on a tick. Pure.
 *
 * @returns undefined if it stays: no price is known, or it would change by too little
 */
export function askToOffer({ now, prices, floor, ceiling, tickSize, below, step }: AskFacts): number | undefined {
  const sorted = [...prices].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) return undefined;
  // What the owner takes at least is not rounded away.
  const [lowest, highest] = [Math.ceil(floor / tickSize) * tickSize, Math.floor(ceiling / tickSize) * tickSize];
  const wanted = Math.floor((median * (100 - below)) / 100 / tickSize) * tickSize;
  const ask = Math.max(lowest, Math.min(highest, wanted));
  const outside = now < lowest || now > highest;
  return ask === now || (!outside && Math.abs(ask - now) * 100 < step * now) ? undefined : ask;
}

/**
 * Lets a node's ask follow its class's clearing prices, at most once in `node.ask.every` seconds, which restarts do not
 * shorten. Needs the owner's key.
 */
export class AskFollower {
  readonly #session: Session;
  readonly #config: AgentConfig;
  readonly #logger: Logger;
  /** Where the time of the last change is kept. */
  readonly #file: string;
  #looked = -Infinity;

  constructor(session: Session, config: AgentConfig, logger: Logger, file: string) {
    this.#session = session;
    this.#config = config;
    this.#logger = logger;
    this.#file = file;
  }

  /** One look, if it is time for one, and the transaction that follows from it. */
  async follow(nodeId: number, now = monotonicMs()): Promise<void> {
    const { owner, node: offer } = this.#config;
    const { ask: followed } = offer;
    if (!owner || typeof followed === "string" || now - this.#looked < LOOK_MS) return;
    this.#looked = now;
    const { reader, contracts, provider } = this.#session;
    const block = await reader.block();
    const last = await loadState(this.#file, CHANGED);
    if (last && block.timestamp - last.at < followed.every) return;
    const node = await reader.node(block, nodeId);
    const found = (await reader.classes(block)).find(({ id }) => id === node?.classId);
    if (node?.status !== "active" || !found) return;
    const prices = await clearingPrices(provider, contracts, found.id, block, BLOCKS, PRICES);
    const { tickSize } = found;
    const ask = askToOffer({
      now: node.askTick * tickSize,
      prices: prices.map(({ price }) => price),
      floor: weiToMicro(parseVer(followed.floor)),
      ceiling: weiToMicro(parseVer(followed.ceiling)),
      tickSize,
      below: followed.below,
      step: followed.step,
    });
    if (ask === undefined) return;
    const { queue } = await this.#session.queue(owner);
    this.#logger.info({ from: node.askTick * tickSize, to: ask, rounds: prices.length }, "the ask follows the market");
    // First: what is sent and not known to have landed counts as well.
    await saveState(this.#file, CHANGED, { at: block.timestamp });
    await queue.submit({
      label: "set ask",
      prepare: async () => {
        // The capacity may have changed meanwhile.
        const now = await reader.node(await reader.block(), nodeId);
        if (now?.status !== "active") return null;
        const terms = { classId: now.classId, capacity: now.capacity, ask: microToWei(ask) };
        return contracts.nodes.setTerms.populateTransaction(nodeId, terms);
      },
    });
  }
}
