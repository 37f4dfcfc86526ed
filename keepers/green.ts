import { join } from "node:path";

import type { Registry } from "prom-client";

import type { Session } from "@verai/client/session";
import { REPORT_PROTOCOL } from "@verai/client/report-protocol";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { reachOf } from "@verai/process/reach";
import { BalancingKeeper, worthOf } from "./balancing/balancing-keeper.ts";
import type { KeeperConfig } from "./config.ts";
import { ReportsKeeper } from "./reports/reports-keeper.ts";
import { MESSAGE_BYTES } from "./reports/message.ts";
import { reportsMetrics } from "./reports/reports-metrics.ts";
import type { Mirror } from "./mirror.ts";
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
  mirror: Mirror,
): Promise<GreenKeepers> {
  const { reader } = session;
  const cycles: { name: string; cycle: () => Promise<boolean> }[] = [];
  let store: CheckpointStore | undefined;
  if (config.keepers.includes("reports")) {
    const { listen, announce, batchReports, batchSeconds } = config.reports;
    const keeper = new ReportsKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "reports" }),
      metrics: reportsMetrics(registry),
      bounds: { reports: batchReports, gas: BATCH_GAS, waitMs: batchSeconds * 1000 },
      mirror,
    });
    cycles.push({ name: "reports", cycle: () => keeper.cycle() });
    if (listening) {
      // Reports are messages: there are no blocks to serve.
      const directory = join(config.dataDir, "peer");
      const reach = reachOf(config.network.chainId);
      store = new CheckpointStore({ directory, listen, announce, http: false, log: logger, reach });
      await store.handle(REPORT_PROTOCOL, (body, requester) => ({ ...keeper.receive(body, requester) }), {
        maxBytes: MESSAGE_BYTES,
      });
      await store.start();
      logger.info({ addresses: store.multiaddrs() }, "taking reports: name these addresses in agents' configurations");
    }
  }
  if (config.keepers.includes("balancing")) {
    const keeper = new BalancingKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "balancing" }),
      hysteresis: Math.round(config.balancing.hysteresis * 100),
      worth: worthOf(config.balancing),
      movedShare: config.balancing.mostMoved / 100,
      mirror,
    });
    cycles.push({ name: "balancing", cycle: () => keeper.cycle() });
  }
  return { cycles, addresses: store?.multiaddrs() ?? [], close: async () => store?.stop() };
}
