import { join } from "node:path";

import { formatEther } from "ethers";
import type { Registry } from "prom-client";

import type { Session } from "@verai/client/session";
import { parseVer } from "@verai/protocol/money/ver";
import { FUNDS_INTERVAL_MS, fundsWatch } from "@verai/process/funds-watch";
import type { Logger } from "@verai/process/logger";
import { runLoop } from "@verai/process/loop";
import { Heartbeat } from "@verai/process/heartbeat";
import type { Executor } from "@verai/executor/executor";
import type { AgentConfig } from "./config.ts";
import { claimEarnings } from "./earnings.ts";
import { AskFollower } from "./node/ask.ts";
import { CapacityFollower } from "./node/capacity.ts";

/** Minimum milliseconds between two looks at what was earned. */
const EARNINGS_INTERVAL_MS = 30_000;

/** What an agent does beside its leases. */
export interface BackgroundContext {
  readonly session: Session;
  readonly config: AgentConfig;
  readonly executor: Executor;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly nodeId: number;
  /** Address of the operator, who pays for gas. */
  readonly operator: string;
}

/**
 * Watches the operator's ETH and, with the owner's key, claims what was earned, and has the capacity on the chain follow
 * the engine's and the ask the market's. Each in a loop of its own, and none part of the agent's health: an owner without ETH must not keep a
 * checkpoint waiting, nor have an agent restarted that works. Ends with the signal.
 */
export async function runBackground(context: BackgroundContext): Promise<void> {
  const { session, config, executor, registry, logger, signal, nodeId, operator } = context;
  const loop = (name: string, intervalMs: number, cycle: () => Promise<boolean>) =>
    runLoop({ name, intervalMs, maxBackoffMs: 300_000, signal, logger, heartbeat: new Heartbeat(Infinity), cycle });
  const loops = [
    loop("funds-watch", FUNDS_INTERVAL_MS, fundsWatch(session.provider, operator, config.lowFunds, registry, logger)),
  ];
  const { owner } = config;
  if (owner) {
    const follower = new CapacityFollower({ session, config, executor, logger });
    const asks = new AskFollower(session, config, logger, join(config.dataDir, "ask.json"));
    const least = parseVer(config.claimAbove);
    // What was earned does not run away, and each look is a call.
    const earningsMs = Math.max(config.interval * 1000, EARNINGS_INTERVAL_MS);
    loops.push(
      loop("earnings", earningsMs, async () => {
        const claimed = await claimEarnings(session, owner, least);
        if (claimed > 0n) logger.info({ amount: formatEther(claimed) }, "earnings claimed");
        return false;
      }),
      loop("capacity", config.interval * 1000, async () => {
        await follower.follow(nodeId);
        return false;
      }),
      loop("ask", config.interval * 1000, async () => {
        await asks.follow(nodeId);
        return false;
      }),
    );
  }
  await Promise.all(loops);
}
