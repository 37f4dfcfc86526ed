import type { Registry } from "prom-client";

import type { Session } from "@verai/client/session";
import type { Logger } from "@verai/process/logger";
import { AllocationKeeper } from "./allocation/allocation-keeper.ts";
import type { Market } from "./allocation/market.ts";
import { allocationMetrics } from "./allocation/allocation-metrics.ts";
import { keeperSolvers } from "./allocation/solvers.ts";
import type { KeeperConfig } from "./config.ts";
import { FailoverKeeper } from "./failover/failover-keeper.ts";
import { failoverMetrics } from "./failover/failover-metrics.ts";
import { ConfirmationEndpoint } from "./failover/confirm.ts";
import type { Mirror } from "./mirror.ts";
import type { Sender } from "./sender.ts";
import { FinalityCheck } from "./finality.ts";
import { Stagger } from "./stagger.ts";
import { join } from "node:path";
import { REPORT_PROTOCOL } from "@verai/client/report-protocol";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { reachOf } from "@verai/process/reach";
import { AuditIndex } from "./audits/audit-index.ts";
import { AuditsKeeper } from "./audits/audits-keeper.ts";
import { auditsMetrics } from "./audits/audits-metrics.ts";
import { BalancingKeeper, worthOf } from "./balancing/balancing-keeper.ts";
import { ReportsKeeper } from "./reports/reports-keeper.ts";
import { MESSAGE_BYTES } from "./reports/message.ts";
import { reportsMetrics } from "./reports/reports-metrics.ts";

/** A keeper's name and one look at the chain with what follows from it. */
export interface KeeperCycle {
  readonly name: string;
  readonly cycle: () => Promise<boolean>;
}

/** The keepers that a configuration names. */
export interface Keepers {
  readonly cycles: readonly KeeperCycle[];
  readonly close: () => Promise<void>;
}

/** Who the keepers send as, and whether they take reports. */
export interface KeepersOptions {
  /** @param onLost Called where somebody else was faster. */
  readonly sender: (onLost: () => void) => Sender;
  /** Address of the operator; undefined if nothing is sent. */
  readonly operator: string | undefined;
  readonly listening: boolean;
  /** What the chain has, for all of them. */
  readonly mirror: Mirror;
  /** Told what each round that is settled here shows. */
  readonly market?: Market;
}

/** Opens the configured keepers. */
export async function openKeepers(
  config: KeeperConfig,
  session: Session,
  registry: Registry,
  logger: Logger,
  options: KeepersOptions,
): Promise<Keepers> {
  const { reader } = session;
  const { mirror } = options;
  const { minRoundAge, staggerSeconds } = config.allocation;
  const metrics = allocationMetrics(registry);
  const sender = options.sender(() => {
    metrics.lost.inc();
  });
  const confirmation = new ConfirmationEndpoint(config);
  const finality = new FinalityCheck(reader, config.finality);
  const cycles: KeeperCycle[] = [];
  if (config.keepers.includes("allocation")) {
    const keeper = new AllocationKeeper({
      reader,
      sender,
      solvers: keeperSolvers(),
      logger: logger.child({ keeper: "allocation" }),
      metrics,
      market: options.market,
      minRoundAge,
      finality,
      stagger: new Stagger(options.operator ?? "", options.operator === undefined ? 0 : staggerSeconds * 1000),
    });
    cycles.push({ name: "allocation", cycle: () => keeper.cycle() });
  }
  if (config.keepers.includes("failover")) {
    const keeper = new FailoverKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "failover" }),
      metrics: failoverMetrics(registry),
      confirmation: confirmation.reader,
      finality,
      mirror,
    });
    cycles.push({ name: "failover", cycle: () => keeper.cycle() });
  }
  // A look at what would be done keeps nothing.
  const index = new AuditIndex(reader, options.listening ? join(config.dataDir, "audits.db") : undefined);
  if (config.keepers.includes("audits")) {
    const keeper = new AuditsKeeper({
      ...{ reader, sender, index, mirror, finality },
      logger: logger.child({ keeper: "audits" }),
      metrics: auditsMetrics(registry),
    });
    cycles.push({ name: "audits", cycle: () => keeper.cycle() });
  }
  const others = await openReportAndBalancingKeepers(
    config,
    session,
    sender,
    logger,
    registry,
    options.listening,
    mirror,
  );
  return {
    cycles: [...cycles, ...others.cycles],
    close: async () => {
      await others.close();
      confirmation.close();
      index.close();
    },
  };
}

/** Gas of one batch of reports: well below the 2^24 that a transaction may use. */
const BATCH_GAS = 10_000_000;

/**
 * Opens the keepers of reports and of balancing that are configured.
 *
 * @param listening Whether to take reports from agents; a look at what would be done needs none.
 */
async function openReportAndBalancingKeepers(
  config: KeeperConfig,
  session: Session,
  sender: Sender,
  logger: Logger,
  registry: Registry,
  listening: boolean,
  mirror: Mirror,
): Promise<Keepers> {
  const { reader } = session;
  const cycles: KeeperCycle[] = [];
  let store: CheckpointStore | undefined;
  if (config.keepers.includes("reports")) {
    const { listen, announce, batchReports, batchSeconds, minFee } = config.reports;
    const keeper = new ReportsKeeper({
      reader,
      sender,
      logger: logger.child({ keeper: "reports" }),
      metrics: reportsMetrics(registry),
      bounds: { reports: batchReports, gas: BATCH_GAS, waitMs: batchSeconds * 1000 },
      minFee,
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
  return { cycles, close: async () => store?.stop() };
}
