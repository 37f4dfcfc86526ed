/**
 * The developer's client.
 *
 *     node developer/main.ts train --config developer.json --spec spec.json --terms terms.json
 *         submit a task, follow it, fetch and verify its results, accept them, and end when all is paid
 *     node developer/main.ts follow --config developer.json --task 7
 *         the same for a task that is submitted already
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Command } from "commander";

import { ChainError, TransactionUnconfirmed } from "../chain/errors.ts";
import { openSession, type Session } from "../chain/session.ts";
import { CheckpointStore } from "../checkpoints/store.ts";
import { readConfig } from "../service/config.ts";
import { withDirectory } from "../service/data.ts";
import { createLogger } from "../service/logger.ts";
import { reachOf } from "../service/reach.ts";
import { shutdownSignal } from "../service/shutdown.ts";
import { parseSpec } from "../workload/spec.ts";
import { requireCadence } from "./cadence.ts";
import { TaskFollower } from "./collect.ts";
import { type DeveloperConfig, developerConfig, taskTerms } from "./config.ts";
import type { TaskProgress } from "./progress.ts";
import { submitTask } from "./submit.ts";

const INTERVAL_MS = 1500;

const SUBMISSION =
  "name of this submission: run again with the same spec, terms and name, it is not paid for again; name another to submit it once more";

const program = new Command("developer").description("Has models trained on the DRMP network");

program
  .command("train")
  .description("submit a task, follow it, fetch and verify its results, and accept them")
  .requiredOption("--config <file>", "configuration file (JSON)")
  .requiredOption("--spec <file>", "task spec (JSON)")
  .requiredOption("--terms <file>", "units, price, classes, interval and deadline (JSON)")
  .option("--submission <name>", SUBMISSION, "1")
  .action(async (options: { config: string; spec: string; terms: string; submission: string }) => {
    const spec = new Uint8Array(await readFile(options.spec));
    const { checkpoint } = parseSpec(spec);
    const terms = readConfig(options.terms, taskTerms);
    requireCadence({ checkpoint }, terms.checkpointInterval);
    await work(readConfig(options.config, developerConfig), async (session, store, config) => {
      const once = { directory: join(config.dataDir, "submissions"), name: options.submission };
      const { taskId } = await submitTask(session, config.key, store, spec, terms, logger, once);
      return taskId;
    });
  });

program
  .command("follow")
  .description("follow a task that is submitted already")
  .requiredOption("--config <file>", "configuration file (JSON)")
  .requiredOption("--task <id>", "the task's id", Number)
  .action(async (options: { config: string; task: number }) => {
    await work(readConfig(options.config, developerConfig), () => Promise.resolve(options.task));
  });

const logger = createLogger("developer", "info");

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // What was sent and is not confirmed is found again by the next run, which does not pay for it once more.
  const again = error instanceof TransactionUnconfirmed || (error instanceof ChainError && error.retryable);
  process.exitCode = again ? 75 : 1;
}

/** Opens chain and store, gets a task, and follows it until it has ended or the process is told to stop. */
async function work(
  config: DeveloperConfig,
  getTask: (session: Session, store: CheckpointStore, config: DeveloperConfig) => Promise<number>,
): Promise<void> {
  await withDirectory([config.dataDir], logger, shutdownSignal(), (signal) => follow(config, signal, getTask));
}

async function follow(
  config: DeveloperConfig,
  signal: AbortSignal,
  getTask: (session: Session, store: CheckpointStore, config: DeveloperConfig) => Promise<number>,
): Promise<void> {
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals"), stop: signal });
  const store = new CheckpointStore({
    directory: join(config.dataDir, "store"),
    listen: config.store.listen,
    // nobody learns of it: nodes get specs over the connections that the developer makes
    http: false,
    reach: reachOf(config.network.chainId),
    log: logger,
  });
  await store.start();
  try {
    const { reader } = session;
    const nodes = await reader.nodes(await reader.pin());
    store.setPeers(nodes.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
    const taskId = await getTask(session, store, config);
    const results = join(config.dataDir, "results");
    const follower = new TaskFollower(session, store, config.key, results, logger);
    let shown = -1;
    while (!signal.aborted) {
      const seen = await look(follower, taskId);
      if (seen === undefined) {
        await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const { task, share } = seen;
      const percent = Math.floor(share * 100);
      if (percent !== shown) {
        const { openUnits, leasedUnits, paidUnits, refundedUnits } = task;
        logger.info({ task: taskId, percent, openUnits, leasedUnits, paidUnits, refundedUnits }, "progress");
      }
      shown = percent;
      if (task.status === "ended") {
        logger.info({ task: taskId, paidUnits: task.paidUnits, results }, "task ended");
        return;
      }
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await store.stop();
    session.close();
  }
}

/** One look; undefined where it failed in a way that goes away by itself. What was done before the failure stands. */
async function look(follower: TaskFollower, taskId: number): Promise<TaskProgress | undefined> {
  try {
    return await follower.cycle(taskId);
  } catch (error) {
    if (!(error instanceof ChainError && error.retryable)) throw error;
    logger.warn({ err: error, task: taskId }, "cannot look at the task now, trying again");
    return undefined;
  }
}
