/**
 * The indexer: history of the network, for people and web pages.
 *
 *     node indexer/main.ts run --config indexer.json      follow the chain and serve history until SIGINT or SIGTERM
 *     node indexer/main.ts check --config indexer.json    say whether run would work, and what to correct (--json)
 */
import { join } from "node:path";

import { Registry } from "prom-client";

import { openSession, type Session } from "@verai/client/session";
import { CONTRACT_KEYS, type Contracts } from "@verai/client/deployment";
import { printReport, refuseErrors } from "@verai/process/check/finding";
import { readConfig } from "@verai/process/config";
import { withDirectory } from "@verai/process/data";
import { endpointLog } from "@verai/process/endpoint-log";
import { serveHealth } from "@verai/process/endpoint";
import { Heartbeat } from "@verai/process/heartbeat";
import { createLogger, type Logger } from "@verai/process/logger";
import { runLoop } from "@verai/process/loop";
import { configOption, jsonOption, programOf, runProgram, shutdownSignal } from "@verai/process/program";
import { Live } from "./api/live.ts";
import { serveApi, standingOf } from "./api/server.ts";
import { chainOf } from "./chain.ts";
import { checkIndexer, configFindings, NO_FEES } from "./check.ts";
import { type IndexerConfig, indexerConfig } from "./config.ts";
import { databaseOf } from "./database-choice.ts";
import { openDatabase } from "./database/open.ts";
import { FOLLOWED } from "./history/events.ts";
import { Indexer } from "./indexer.ts";
import { indexerMetrics } from "./metrics.ts";

const program = programOf("indexer", "Follows the contracts' events into a database and serves history");

program
  .command("run")
  .description("follow the chain and serve history")
  .addOption(configOption())
  .action(async ({ config }: { config: string }) => run(readConfig(config, indexerConfig)));

program
  .command("check")
  .description("look at everything that run will use: configuration, ports, database, endpoints; changes nothing")
  .addOption(configOption())
  .addOption(jsonOption())
  .action(async ({ config, json }: { config: string; json: boolean }) => {
    printReport(await checkIndexer(readConfig(config, indexerConfig)), json);
  });

await runProgram(program);

async function run(config: IndexerConfig): Promise<void> {
  refuseErrors(configFindings(config));
  databaseOf(config);
  const logger = createLogger("indexer", config.service.logLevel);
  const told = shutdownSignal((name) => {
    logger.info({ signal: name }, "stopping after the step under way");
  });
  await withDirectory([config.dataDir], logger, told, (signal) => index(config, logger, signal));
}

/** Indexes and serves until the signal. */
async function index(config: IndexerConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  const registry = new Registry();
  const session = await openSession({
    network: config.network,
    fees: NO_FEES,
    journals: join(config.dataDir, "journals"),
    onEndpoint: endpointLog(logger),
    stop: signal,
  });
  const addresses = await addressesOf(session);
  const identity = `${String(config.network.chainId)} from ${String(config.fromBlock)} ${addresses.join()}`;
  const database = await openDatabase(databaseOf(config), identity);
  const heartbeat = new Heartbeat(Math.max(60_000, config.interval * 10_000));
  const live = new Live(config.api.liveReaders);
  const metrics = indexerMetrics(
    registry,
    () => indexer.standing,
    () => live.readers,
  );
  const indexer = new Indexer({
    chain: chainOf(session.provider),
    database,
    addresses,
    first: config.fromBlock,
    onWritten: ({ position, events, changes }) => {
      metrics.events.inc(events);
      // The first look may take minutes: each stretch shows that it goes on.
      heartbeat.beat("follow");
      logger.debug({ block: position.number, events }, "taken in");
      live.written(position, changes);
    },
    onUndone: (after) => {
      metrics.undone.inc();
      logger.warn({ after: after ?? "the beginning" }, "blocks undone");
      live.undone(after);
    },
  });
  const standing = () => indexer.standing;
  const endpoint = await serveHealth({
    ...config.service,
    heartbeat,
    registry,
    details: () => ({ ...standingOf(standing()) }),
  });
  const api = await serveApi({
    ...{ host: config.api.host, port: config.api.port, database, live, standing },
    onError: (error) => {
      logger.error({ err: error }, "an answer failed");
    },
    onAnswer: (path, status, seconds) => {
      metrics.answers.observe({ path, status: String(status) }, seconds);
    },
  });
  logger.info({ api: api.url, url: endpoint.url, database: database.kind }, "indexer started");
  heartbeat.expect("follow");
  let wasAtHead = false;
  await runLoop({
    name: "follow",
    cycle: async () => {
      const { atHead, position } = await indexer.look(signal);
      if (atHead && !wasAtHead) logger.info({ block: position?.number }, "at the chain's newest block");
      wasAtHead = atHead;
      return false;
    },
    intervalMs: config.interval * 1000,
    maxBackoffMs: 30_000,
    ...{ signal, logger, heartbeat },
  });
  await api.close();
  await endpoint.close();
  await database.close();
  session.close();
  logger.info("indexer stopped");
}

/** Addresses of the contracts whose events are followed. */
async function addressesOf({ contracts }: Session): Promise<string[]> {
  const keys = Object.entries(CONTRACT_KEYS) as [keyof Contracts, (typeof CONTRACT_KEYS)[keyof Contracts]][];
  const followed = keys.filter(([, name]) => FOLLOWED.includes(name)).map(([key]) => contracts[key]);
  return Promise.all(followed.flatMap((contract) => (contract ? [contract.getAddress()] : [])));
}
