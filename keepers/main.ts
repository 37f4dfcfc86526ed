/**
 * The keepers.
 *
 *     node keepers/main.ts run --config keeper.json      run them until SIGINT or SIGTERM
 *     node keepers/main.ts plan --config keeper.json     say what they would do now, and why; sends nothing (--json)
 *     node keepers/main.ts check --config keeper.json    say whether run would work, and what to correct (--json)
 */
import { join } from "node:path";

import { Registry } from "prom-client";

import { openSession } from "@verai/client/session";
import { FUNDS_INTERVAL_MS, fundsWatch } from "@verai/process/funds-watch";
import { readConfig } from "@verai/process/config";
import { serveHealth } from "@verai/process/endpoint";
import { createLogger } from "@verai/process/logger";
import { runLoop } from "@verai/process/loop";
import { Heartbeat } from "@verai/process/heartbeat";
import { configOption, jsonOption, programOf, runProgram } from "@verai/process/program";
import { addService, openServiceSession, type Service, type ServiceRun } from "@verai/process/service";
import { Market } from "./allocation/market.ts";
import { lookAhead, outlookJson, outlookText } from "./allocation/outlook.ts";
import { keeperSolvers } from "./allocation/solvers.ts";
import { checkKeepers, configFindings } from "./check.ts";
import { type KeeperConfig, keeperConfig } from "./config.ts";
import { openKeepers } from "./start.ts";
import { Mirror } from "./mirror.ts";
import { drySender, queueSender } from "./sender.ts";

const program = programOf("keepers", "Opens and settles rounds, expires failed leases, earns bounties");

const service: Service<KeeperConfig> = {
  name: "keepers",
  runs: "run the configured keepers; without a key they only say what they would do",
  checks: "configuration, addresses, ports, key, endpoints",
  stopping: "stopping after the step under way",
  read: (file) => readConfig(file, keeperConfig),
  // Whether others reach the addresses only `check` asks: a network on one machine is none of the Internet's.
  findings: (config) => configFindings(config, false),
  check: checkKeepers,
};
addService(program, service, keep).option("--dry-run", "send nothing even if there is a key", false);

program
  .command("plan")
  .description("say what the keepers would do now, and why; sends nothing")
  .addOption(configOption())
  .addOption(jsonOption("explain the round that would be settled as JSON"))
  .action(async ({ config, json }: { config: string; json: boolean }) => plan(readConfig(config, keeperConfig), json));

await runProgram(program);

/** Runs the keepers until the signal. */
async function keep(run: ServiceRun<KeeperConfig>, { dryRun }: { readonly dryRun: boolean }): Promise<void> {
  const { config, logger, signal } = run;
  const registry = new Registry();
  const session = await openServiceSession(config, run, registry);
  const account = config.key && !dryRun ? await session.queue(config.key) : undefined;
  if (account) await account.queue.recover(signal);
  else logger.warn("dry run: nothing will be sent");
  const mirror = new Mirror(session.reader, join(config.dataDir, "mirror.db"), Math.min(500, config.interval * 250));
  const market = new Market(session.reader, registry, async () => {
    const { block, nodes } = await mirror.look();
    return { block, nodes: [...nodes.values()].map(({ node }) => node) };
  });
  const keepers = await openKeepers(config, session, registry, logger, {
    market,
    sender: (onLost) => (account ? queueSender(account.queue, logger, onLost) : drySender(logger)),
    operator: account?.signer.address,
    listening: true,
    mirror,
  });
  const heartbeat = new Heartbeat(Math.max(60_000, config.interval * 10_000));
  const pages = { "/market": (query: URLSearchParams) => market.page(query) };
  const endpoint = await serveHealth({ ...config.service, heartbeat, registry, pages });
  logger.info({ url: endpoint.url, keepers: config.keepers }, "keepers started");
  const loops = keepers.cycles.map(({ name, cycle }) => {
    heartbeat.expect(name);
    const intervalMs = config.interval * 1000;
    return runLoop({ name, cycle, intervalMs, maxBackoffMs: 60_000, signal, logger, heartbeat });
  });
  if (account) {
    const { address } = account.signer;
    const cycle = fundsWatch(session.provider, address, config.lowFunds, registry, logger);
    const name = "funds-watch";
    loops.push(
      runLoop({ name, cycle, intervalMs: FUNDS_INTERVAL_MS, maxBackoffMs: 60_000, signal, logger, heartbeat }),
    );
  }
  await Promise.all(loops);
  await keepers.close();
  await endpoint.close();
  mirror.close();
  session.close();
  logger.info("keepers stopped");
}

/** Explanations go to standard output, what other keepers would do to the log on standard error. */
async function plan(config: KeeperConfig, json: boolean): Promise<void> {
  const logger = createLogger("keepers", config.service.logLevel, "stderr");
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals") });
  const sender = () => drySender(logger);
  const keepers = await openKeepers(config, session, new Registry(), logger, {
    sender,
    operator: undefined,
    listening: false,
    mirror: new Mirror(session.reader),
  });
  for (const { name, cycle } of keepers.cycles) {
    if (name !== "allocation") {
      await cycle();
      continue;
    }
    const outlook = await lookAhead(session.reader, keeperSolvers(), config.allocation.minRoundAge);
    process.stdout.write(json ? outlookJson(outlook) : outlookText(outlook));
  }
  await keepers.close();
  session.close();
}
