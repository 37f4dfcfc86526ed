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
import { readConfig } from "@verai/process/config";
import { endpointLog } from "@verai/process/endpoint-log";
import { serveHealth } from "@verai/process/endpoint";
import { Heartbeat } from "@verai/process/heartbeat";
import { runLoop } from "@verai/process/loop";
import { programOf, runProgram } from "@verai/process/program";
import { addService, type Service, type ServiceRun } from "@verai/process/service";
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

const service: Service<IndexerConfig> = {
  name: "indexer",
  runs: "follow the chain and serve history",
  checks: "configuration, ports, database, endpoints",
  stopping: "stopping after the step under way",
  read: (file) => readConfig(file, indexerConfig),
  findings: (config) => {
    databaseOf(config);
    return configFindings(config);
  },
  check: checkIndexer,
};
addService(program, service, index);

await runProgram(program);

/** Indexes and serves until the signal. */
async function index({ config, logger, signal }: ServiceRun<IndexerConfig>): Promise<void> {
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
