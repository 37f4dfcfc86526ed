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
import { ConfirmationEndpoint } from "./failover/confirmation-endpoint.ts";
import { openGreenKeepers } from "./green.ts";
import type { Mirror } from "./mirror.ts";
import type { Sender } from "./sender.ts";
import { FinalityCheck } from "./finality.ts";
import { Stagger } from "./stagger.ts";

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
  const green = await openGreenKeepers(config, session, sender, logger, registry, options.listening, mirror);
  return {
    cycles: [...cycles, ...green.cycles],
    close: async () => {
      await green.close();
      confirmation.close();
    },
  };
}
