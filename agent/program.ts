/** The command line of the agent, and how its parts are put together. */
import { ContentAccess } from "@verai/client/content-access";
import { taskEndpoints } from "@verai/client/task-endpoints";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { formatEther } from "ethers";
import PQueue from "p-queue";
import { Registry } from "prom-client";

import { answer, blockTag } from "@verai/client/readers";
import { openSession, type Session } from "@verai/client/session";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { readConfig } from "@verai/process/config";
import { withDirectory } from "@verai/process/data";
import { serveHealth } from "@verai/process/endpoint";
import { createLogger } from "@verai/process/logger";
import { runLoop } from "@verai/process/loop";
import { Heartbeat } from "@verai/process/heartbeat";
import { reachOf } from "@verai/process/reach";
import { configOption, programOf, runProgram } from "@verai/process/program";
import { addService, openServiceSession, type Service, type ServiceRun } from "@verai/process/service";
import type { Executor } from "@verai/executor/executor";
import { Agent } from "./agent.ts";
import { openAudits } from "./audit/open.ts";
import { auditMetrics } from "./audit/audit-metrics.ts";
import { checkAgent, configFindings } from "./check.ts";
import { receiptDomain } from "@verai/client/checkpoint-receipt";
import { replicationMetrics } from "./replication/replication-metrics.ts";
import { runBackground } from "./background.ts";
import { claimEarnings } from "./earnings.ts";
import { type AgentConfig, agentConfig } from "./config.ts";
import { leasesDirectory, openExecutor } from "./executor.ts";
import { Exchanges } from "./exchange/exchanges.ts";
import { locate, type LocateParts } from "./lease/locate.ts";
import { HolderBook } from "./node/copy-requests.ts";
import { DiskSpace } from "./node/disk.ts";
import { openDoor } from "./door/door.ts";
import { IdleDetector } from "./idle/detector.ts";
import { Sealing } from "./lease/sealing.ts";
import { Specs } from "./lease/specs.ts";
import { Workspace } from "./lease/workspace.ts";
import { ensureRegistered } from "./registration.ts";
import { telemetryMetrics } from "./telemetry/telemetry-metrics.ts";
import { openMeter, openTelemetry, type Telemetry } from "./telemetry/open.ts";

/** Milliseconds for which a look at the chain counts for reports, and for audits, whose steps have at least a minute. */
const [LOOK_MS, AUDIT_LOOK_MS] = [15_000, 5_000];

/** Milliseconds that a transaction of the owner gets to land when the agent leaves. */
const BACKGROUND_MS = 10_000;

const program = programOf("agent", "Offers this machine to the DRMP network and runs what it is leased");

const service: Service<AgentConfig> = {
  name: "agent",
  runs: "register the node if need be, run leases, post checkpoints and deliver results",
  checks: "configuration, addresses, ports, keys, endpoints, engine, offer",
  stopping: "leaving: workloads write a last checkpoint",
  read: (file) => readConfig(file, agentConfig),
  // Whether others reach the addresses only `check` asks: a network on one machine is none of the Internet's.
  findings: (config) => configFindings(config, process.env, false),
  check: checkAgent,
};
addService(program, service, offer);

program
  .command("claim")
  .description("send what the owner can claim to the owner's wallet")
  .addOption(configOption())
  .action(async ({ config }: { config: string }) => claim(readConfig(config, agentConfig)));

await runProgram(program);

/** Offers the machine until the signal. */
async function offer(run: ServiceRun<AgentConfig>): Promise<void> {
  const { config, logger, signal } = run;
  const registry = new Registry();
  const session = await openServiceSession(config, run, registry);
  const { signer, queue } = await session.queue(config.operator);
  const domain = receiptDomain(config.network.chainId, await session.contracts.checkpoints.getAddress());
  const known: { specs?: Specs } = {};
  const access = new ContentAccess({
    reader: session.reader,
    domain,
    signer,
    readersOf: async (task, lease) => known.specs?.readersOf(task, lease),
  });
  const store = new CheckpointStore({
    directory: join(config.dataDir, "store"),
    listen: config.store.listen,
    announce: config.store.announce,
    http: config.store.http,
    maxBytes: config.store.maxBytes,
    access,
    reach: reachOf(config.network.chainId),
    // The owner's own words, not those of the chain or of peers.
    trusted: config.telemetry.keepers.flatMap((keeper) => keeper.split(",")),
    log: logger,
  });
  const specs = new Specs(store, join(config.dataDir, "specs"), logger);
  known.specs = specs;
  await store.start();
  const heartbeat = new Heartbeat(Math.max(60_000, config.interval * 10_000));
  heartbeat.expect("agent");
  heartbeat.expect("telemetry");
  heartbeat.expect("audits");
  let agent: Agent | undefined;
  let telemetry: Telemetry | undefined;
  let audits: ReturnType<typeof openAudits> | undefined;
  let endpoint: Awaited<ReturnType<typeof serveHealth>> | undefined;
  let door: Awaited<ReturnType<typeof openDoor>> | undefined;
  let executor: Executor | undefined;
  try {
    // First: a node that cannot run anything, or not measure as it was told to, must not be registered.
    executor = await openExecutor(config, logger);
    for (const notice of (await executor.probe?.()) ?? []) logger.warn(notice);
    (await openMeter(config, createLogger("agent", "silent"))).close();
    endpoint = await serveHealth({
      ...config.service,
      heartbeat,
      registry,
      details: () => ({ ...agent?.state, energy: telemetry?.source, audits: audits?.duties.summary }),
    });
    logger.info({ url: endpoint.url, operator: signer.address }, "agent started");
    const nodeId = await ensureRegistered(session, config, signer, store.endpoint(), logger);
    // What an earlier run sent is waited for first: nothing is ever sent twice.
    await queue.recover(signal);
    const owner = config.idleOnly && new IdleDetector(config.idleOnly);
    const exchanges = new Exchanges({ session, store, access, signer, domain, nodeId, logger });
    const sealing = new Sealing({ store, access, specs });
    const slots = new PQueue({ concurrency: config.node.capacity });
    const holders = new HolderBook(session.reader);
    const { reader } = session;
    const holdersOf = async (taskId: number) => {
      const task = await reader.task(await reader.block(), taskId);
      return task ? taskEndpoints(reader, task) : [];
    };
    audits = openAudits(config, {
      ...{ session, nodeId, store, sealing, executor, slots, holders, holdersOf, queue },
      metrics: auditMetrics(registry),
      logger: logger.child({ part: "audits" }),
    });
    agent = new Agent({
      exchanges,
      segments: audits.segments,
      auditStates: audits.retention,
      reruns: audits.reruns,
      ...(owner && { owner }),
      session,
      queue,
      store,
      nodeId,
      logger,
      workspace: new Workspace(leasesDirectory(config), logger),
      specs,
      sealing,
      access,
      holdersOf: (task) => taskEndpoints(reader, task),
      executor,
      slots,
      specTimeoutMs: config.specTimeout * 1000,
      graceSeconds: config.grace,
      replicas: config.store.replicas,
      maxCheckpointBytes: config.store.maxCheckpoint,
      signer,
      domain,
      metrics: replicationMetrics(registry),
      spotCheckMs: config.spotCheck * 1000,
      disk: new DiskSpace(await workDirectories(config), config.minFree * 2 ** 20),
      leasesFile: join(config.dataDir, "own-leases.json"),
      holders,
      locate: (restorable) =>
        locate(restorable, { store, block: () => session.reader.block(), goneOf: goneBy(session) }),
    });
    const running = agent;
    await running.serve();
    const { offers, logs } = running;
    const parts = { session, store, access, offers, logs, domain, nodeId, logger };
    door = config.door && (await openDoor(config.door, parts));
    telemetry = await openTelemetry(config, {
      session,
      nodeId,
      signer,
      store,
      workloads: agent.workloads,
      owner,
      send: (label, prepare) => queue.submit({ label, prepare }),
      metrics: telemetryMetrics(registry),
      logger: logger.child({ part: "telemetry" }),
    });
    const { reporter, sample } = telemetry;
    // A loop of its own: a lease that takes long to start or to hand over holds no report up.
    const reporting = runLoop({
      name: "telemetry",
      intervalMs: config.telemetry.sampleEvery * 1000,
      maxBackoffMs: 60_000,
      signal,
      logger,
      heartbeat,
      cycle: async () => {
        await sample();
        // What the agent has just seen is good enough for its reports.
        await reporter.cycle(running.latest(LOOK_MS));
        return false;
      },
    });
    const { duties } = audits;
    // Beside the leases: neither waits for the other.
    const auditing = runLoop({
      name: "audits",
      intervalMs: config.interval * 1000,
      maxBackoffMs: 15_000,
      signal,
      logger,
      heartbeat,
      cycle: async () => {
        await duties.cycle(running.latest(AUDIT_LOOK_MS)?.block);
        return false;
      },
    });
    const operator = signer.address;
    const background = runBackground({ session, config, executor, registry, logger, signal, nodeId, operator });
    await runLoop({
      name: "agent",
      intervalMs: config.interval * 1000,
      // Short: while the chain cannot be reached, leases may become overdue.
      maxBackoffMs: 15_000,
      signal,
      logger,
      heartbeat,
      cycle: async () => {
        await running.cycle();
        return false;
      },
    });
    await Promise.all([reporting, auditing]);
    await Promise.all([running.drain(), duties.stop()]);
    // A claim that is stuck is in the journal, and waited for by the next run.
    await Promise.race([background, delay(BACKGROUND_MS, undefined, { ref: false })]);
  } finally {
    telemetry?.close();
    await door?.close();
    await endpoint?.close();
    await executor?.close();
    await store.stop();
    session.close();
    logger.info("agent stopped");
  }
}

/** Which nodes the chain itself says cannot be reached: those that have left, or missed their reports. */
function goneBy({ reader, contracts }: Session): LocateParts["goneOf"] {
  return async (block, nodeIds) => {
    const [nodes, silent] = await Promise.all([
      reader.nodesById(block, nodeIds),
      answer(contracts.lens.silentOf([...nodeIds], blockTag(block))),
    ]);
    const away = nodes.filter(({ status }) => status !== "active" && status !== "draining").map(({ id }) => id);
    return new Set([...silent.map(Number), ...away]);
  };
}

/** Directories that work needs room in: the agent's own, and that of the leases where it is on another volume. */
async function workDirectories(config: AgentConfig): Promise<string[]> {
  const leases = leasesDirectory(config);
  await mkdir(leases, { recursive: true });
  return [config.dataDir, leases];
}

async function claim(config: AgentConfig): Promise<void> {
  if (!config.owner) throw new Error('Claiming needs the owner\'s key: name it in the configuration ("owner").');
  const { owner } = config;
  // An agent that runs has the data directory and its journals to itself; this one has its own.
  const directory = join(config.dataDir, "claim");
  await withDirectory([directory], createLogger("agent", "warn", "stderr"), undefined, async () => {
    const session = await openSession({ ...config, journals: join(directory, "journals") });
    try {
      const amount = await claimEarnings(session, owner, 0n);
      process.stdout.write(`${formatEther(amount)} VER claimed\n`);
    } finally {
      session.close();
    }
  });
}
