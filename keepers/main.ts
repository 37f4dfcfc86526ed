/**
 * The keepers.
 *
 *     node keepers/main.ts run --config keeper.json      run them until SIGINT or SIGTERM
 *     node keepers/main.ts plan --config keeper.json     say what they would do now, and why; sends nothing
 *     node keepers/main.ts check --config keeper.json    validate the configuration and the connection
 */
import { join } from "node:path";

import { Command } from "commander";
import { formatEther } from "ethers";
import { Registry } from "prom-client";

import { ChainError } from "../chain/errors.ts";
import { openSession, type Session } from "../chain/session.ts";
import { lpSolver } from "../protocol/allocation/lpSolver.ts";
import { networkSimplex } from "../protocol/allocation/networkSimplex.ts";
import { pathSolver } from "../protocol/allocation/pathSolver.ts";
import { readConfig } from "../service/config.ts";
import { serveHealth } from "../service/endpoint.ts";
import { laneMetrics } from "../service/lane-metrics.ts";
import { createLogger, type Logger } from "../service/logger.ts";
import { runLoop } from "../service/loop.ts";
import { Pulse } from "../service/pulse.ts";
import { shutdownSignal } from "../service/shutdown.ts";
import { AllocationKeeper } from "./allocation/keeper.ts";
import { type AllocationMetrics, allocationMetrics } from "./allocation/metrics.ts";
import { type KeeperConfig, keeperConfig } from "./config.ts";
import { FailoverKeeper } from "./failover/keeper.ts";
import { type FailoverMetrics, failoverMetrics } from "./failover/metrics.ts";
import { SecondEndpoint } from "./failover/second.ts";
import { openGreenKeepers } from "./green.ts";
import { drySender, laneSender, type Sender } from "./sender.ts";

const program = new Command("keepers").description("Opens and settles rounds, expires failed leases, earns bounties");

program
  .command("run")
  .description("run the configured keepers; without a key they only say what they would do")
  .requiredOption("--config <file>", "configuration file (JSON)")
  .option("--dry-run", "send nothing even if there is a key", false)
  .action(async ({ config, dryRun }: { config: string; dryRun: boolean }) =>
    run(readConfig(config, keeperConfig), dryRun),
  );

program
  .command("plan")
  .description("say what the keepers would do now, and why; sends nothing")
  .requiredOption("--config <file>", "configuration file (JSON)")
  .action(async ({ config }: { config: string }) => plan(readConfig(config, keeperConfig)));

program
  .command("check")
  .description("validate the configuration and the connection; changes nothing")
  .requiredOption("--config <file>", "configuration file (JSON)")
  .action(async ({ config }: { config: string }) => check(readConfig(config, keeperConfig)));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // 75 (EX_TEMPFAIL): worth trying again, for whatever restarts this process.
  process.exitCode = error instanceof ChainError && error.retryable ? 75 : 1;
}

async function run(config: KeeperConfig, dryRun: boolean): Promise<void> {
  const logger = createLogger("keepers", config.service.logLevel);
  const signal = shutdownSignal((name) => {
    logger.info({ signal: name }, "stopping after the step under way");
  });
  const registry = new Registry();
  const session = await openSession({
    ...config,
    journals: join(config.dataDir, "journals"),
    onEvent: laneMetrics(registry, logger),
  });
  const metrics = { allocation: allocationMetrics(registry), failover: failoverMetrics(registry) };
  let sender = drySender(logger);
  if (config.key && !dryRun) {
    const { lane } = await session.lane(config.key);
    await lane.recover(signal);
    sender = laneSender(lane, logger, () => {
      metrics.allocation.lost.inc();
    });
  } else {
    logger.warn("dry run: nothing will be sent");
  }
  const pulse = new Pulse(Math.max(60_000, config.interval * 10_000));
  const endpoint = await serveHealth({ ...config.service, pulse, registry });
  logger.info({ url: endpoint.url, keepers: config.keepers }, "keepers started");
  const second = new SecondEndpoint(config);
  const green = await openGreenKeepers(config, session, sender, logger, registry, true);
  const cycles = [...keeperCycles(config, session, second, sender, logger, metrics), ...green.cycles];
  await Promise.all(
    cycles.map(({ name, cycle }) => {
      pulse.expect(name);
      const intervalMs = config.interval * 1000;
      return runLoop({ name, cycle, intervalMs, maxBackoffMs: 60_000, signal, logger, pulse });
    }),
  );
  await green.close();
  await endpoint.close();
  second.close();
  session.close();
  logger.info("keepers stopped");
}

/** What the keepers count. */
interface KeeperMetrics {
  readonly allocation: AllocationMetrics;
  readonly failover: FailoverMetrics;
}

/** The configured keepers, each a cycle of its own. */
function keeperCycles(
  config: KeeperConfig,
  session: Session,
  second: SecondEndpoint,
  sender: Sender,
  logger: Logger,
  metrics: KeeperMetrics,
): { name: string; cycle: () => Promise<boolean> }[] {
  const { reader } = session;
  const names = config.keepers.filter((name) => name === "allocation" || name === "failover");
  return names.map((name) => {
    const log = logger.child({ keeper: name });
    if (name === "failover") {
      const parts = { reader, sender, logger: log, metrics: metrics.failover, second: second.reader };
      const keeper = new FailoverKeeper(parts);
      return { name, cycle: () => keeper.cycle() };
    }
    const { batchSeconds } = config.allocation;
    const keeper = new AllocationKeeper({
      reader,
      sender,
      solvers: [lpSolver, networkSimplex, pathSolver],
      logger: log,
      metrics: metrics.allocation,
      batchSeconds,
    });
    return { name, cycle: () => keeper.cycle() };
  });
}

async function plan(config: KeeperConfig): Promise<void> {
  const logger = createLogger("keepers", config.service.logLevel);
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals") });
  const registry = new Registry();
  const metrics = { allocation: allocationMetrics(registry), failover: failoverMetrics(registry) };
  const second = new SecondEndpoint(config);
  const sender = drySender(logger);
  const green = await openGreenKeepers(config, session, sender, logger, registry, false);
  const core = keeperCycles(config, session, second, sender, logger, metrics);
  for (const { cycle } of [...core, ...green.cycles]) await cycle();
  second.close();
  session.close();
}

async function check(config: KeeperConfig): Promise<void> {
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals") });
  const pin = await session.reader.pin();
  const words = [`network  chain ${String(config.network.chainId)}, block ${String(pin.number)}`];
  const second = new SecondEndpoint(config);
  const confirm = await second.reader?.();
  if (confirm) words.push(`confirm  block ${String((await confirm.pin()).number)}`);
  second.close();
  if (config.key) {
    const { signer } = await session.lane(config.key);
    const balance = await session.provider.getBalance(signer.address);
    words.push(`key      ${signer.address}, ${formatEther(balance)} ETH`);
  } else {
    words.push("key      none: dry run");
  }
  process.stdout.write(`${words.join("\n")}\n`);
  session.close();
}
