/**
 * The keepers.
 *
 *     node keepers/main.ts run --config keeper.json      run them until SIGINT or SIGTERM
 *     node keepers/main.ts plan --config keeper.json     say what they would do now, and why; sends nothing (--json)
 *     node keepers/main.ts check --config keeper.json    validate the configuration and the connection
 */
import { join } from "node:path";

import { Command } from "commander";
import { formatEther } from "ethers";
import { Registry } from "prom-client";

import { ChainError } from "../chain/errors.ts";
import { openSession, type Session } from "../chain/session.ts";
import { readConfig } from "../service/config.ts";
import { serveHealth } from "../service/endpoint.ts";
import { laneMetrics } from "../service/lane-metrics.ts";
import { createLogger, type Logger } from "../service/logger.ts";
import { runLoop } from "../service/loop.ts";
import { Pulse } from "../service/pulse.ts";
import { shutdownSignal } from "../service/shutdown.ts";
import { AllocationKeeper } from "./allocation/keeper.ts";
import { Market } from "./allocation/market.ts";
import { allocationMetrics } from "./allocation/metrics.ts";
import { lookAhead, outlookJson, outlookText } from "./allocation/outlook.ts";
import { keeperSolvers } from "./allocation/solvers.ts";
import { type KeeperConfig, keeperConfig } from "./config.ts";
import { FailoverKeeper } from "./failover/keeper.ts";
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
  .option("--json", "explain the round that would be settled as JSON", false)
  .action(async ({ config, json }: { config: string; json: boolean }) => plan(readConfig(config, keeperConfig), json));

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
  const metrics = allocationMetrics(registry);
  let sender = drySender(logger);
  if (config.key && !dryRun) {
    const { lane } = await session.lane(config.key);
    await lane.recover(signal);
    sender = laneSender(lane, logger, () => {
      metrics.lost.inc();
    });
  } else {
    logger.warn("dry run: nothing will be sent");
  }
  const pulse = new Pulse(Math.max(60_000, config.interval * 10_000));
  const market = new Market(session.reader, registry);
  const pages = { "/market": (query: URLSearchParams) => market.page(query) };
  const endpoint = await serveHealth({ ...config.service, pulse, registry, pages });
  logger.info({ url: endpoint.url, keepers: config.keepers }, "keepers started");
  const cycles = keeperCycles(config, session, sender, logger, metrics, market);
  await Promise.all(
    cycles.map(({ name, cycle }) => {
      pulse.expect(name);
      const intervalMs = config.interval * 1000;
      return runLoop({ name, cycle, intervalMs, maxBackoffMs: 60_000, signal, logger, pulse });
    }),
  );
  await endpoint.close();
  session.close();
  logger.info("keepers stopped");
}

/** The configured keepers, each a cycle of its own. */
function keeperCycles(
  config: KeeperConfig,
  session: Session,
  sender: Sender,
  logger: Logger,
  metrics: ReturnType<typeof allocationMetrics>,
  market?: Market,
): { name: string; cycle: () => Promise<boolean> }[] {
  const { reader } = session;
  return config.keepers.map((name) => {
    const log = logger.child({ keeper: name });
    if (name === "failover") {
      const keeper = new FailoverKeeper(reader, sender, log);
      return { name, cycle: () => keeper.cycle() };
    }
    const { batchSeconds } = config.allocation;
    const keeper = new AllocationKeeper({
      reader,
      sender,
      solvers: keeperSolvers(),
      logger: log,
      metrics,
      market,
      batchSeconds,
    });
    return { name, cycle: () => keeper.cycle() };
  });
}

/** Explanations go to standard output, what other keepers would do to the log on standard error. */
async function plan(config: KeeperConfig, json: boolean): Promise<void> {
  const logger = createLogger("keepers", config.service.logLevel, "stderr");
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals") });
  const metrics = allocationMetrics(new Registry());
  for (const { name, cycle } of keeperCycles(config, session, drySender(logger), logger, metrics)) {
    if (name !== "allocation") {
      await cycle();
      continue;
    }
    const outlook = await lookAhead(session.reader, keeperSolvers(), config.allocation.batchSeconds);
    process.stdout.write(json ? outlookJson(outlook) : outlookText(outlook));
  }
  session.close();
}

async function check(config: KeeperConfig): Promise<void> {
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals") });
  const pin = await session.reader.pin();
  const words = [`network  chain ${String(config.network.chainId)}, block ${String(pin.number)}`];
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
