import { join } from "node:path";

import type { Registry } from "prom-client";

import type { Session } from "@verai/client/session";
import { REPORT_PROTOCOL } from "@verai/client/report-protocol";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { reachOf } from "@verai/process/reach";
import { BalanceKeeper } from "./balance/keeper.ts";
import type { KeeperConfig } from "./config.ts";
import { EnergyKeeper } from "./energy/keeper.ts";
import { MESSAGE_BYTES } from "./energy/message.ts";
import { energyMetrics } from "./energy/metrics.ts";
import type { Sender } from "./sender.ts";

/** Gas of one batch of reports: well below the 2^24 that a transaction may use. */
const BATCH_GAS = 10_000_000;

/** The keepers of reports and balance that are configured, each a cycle of its own. */
export interface GreenKeepers {
  readonly cycles: readonly { readonly name: string; readonly cycle: () => Promise<boolean> }[];
  /** Multiaddrs at which agents' reports are taken; empty if they are not. */
  readonly addresses: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * Opens them.
 *
 * @param listening Whether to take reports from agents; a look at what would be done needs none.
 */
export async function openGreenKeepers(
  config: KeeperConfig,
  session: Session,
  sender: Sender,
  logger: Logger,
  registry: Registry,
  listening: boolean,
): Promise<GreenKeepers> {
  const { reader } = session;
  const cycles: { name: string; cycle: () => Promise<boolean> }[] = [];
  let store: CheckpointStore | undefined;
  if (config.keepers.includes("energy")) {
    const { listen, announce, batchReports, batchSeconds } = config.energy;
    const keeper = new EnergyKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "energy" }),
      metrics: energyMetrics(registry),
      bounds: { reports: batchReports, gas: BATCH_GAS, waitMs: batchSeconds * 1000 },
    });
    cycles.push({ name: "energy", cycle: () => keeper.cycle() });
    if (listening) {
      // Reports are messages: there are no blocks to serve.
      const directory = join(config.dataDir, "peer");
      const reach = reachOf(config.network.chainId);
      store = new CheckpointStore({ directory, listen, announce, http: false, log: logger, reach });
      await store.handle(REPORT_PROTOCOL, (body, asker) => ({ ...keeper.receive(body, asker) }), {
        maxBytes: MESSAGE_BYTES,
      });
      await store.start();
      logger.info({ addresses: store.multiaddrs() }, "taking reports: name these addresses in agents' configurations");
    }
  }
  if (config.keepers.includes("balance")) {
    const keeper = new BalanceKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "balance" }),
      hysteresis: Math.round(config.balance.hysteresis * 100),
    });
    cycles.push({ name: "balance", cycle: () => keeper.cycle() });
  }
  return { cycles, addresses: store?.multiaddrs() ?? [], close: async () => store?.stop() };
}
