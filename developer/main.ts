/**
 * The developer's client.
 *
 *     node developer/main.ts train --config developer.json --spec spec.json --terms terms.json
 *         submit a task, follow it, fetch and verify its results, accept them, and end when all is paid
 *     node developer/main.ts check --config developer.json [--spec spec.json] [--terms terms.json]
 *         say whether train would work, and what to correct; sends nothing (--json)
 *     node developer/main.ts follow --config developer.json --task 7
 *         the same for a task that is submitted already
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { InvalidArgumentError } from "commander";

import { readTaskCause } from "@verai/client/causes";
import { ChainError, TransactionUnconfirmedError } from "@verai/client/errors";
import { openAccess } from "@verai/client/open-access";
import { openSession, type Session } from "@verai/client/session";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { type Cause, causeText } from "@verai/protocol/allocation/explain/cause";
import { printReport } from "@verai/process/check/finding";
import { readConfig } from "@verai/process/config";
import { withDirectory } from "@verai/process/data";
import { createLogger } from "@verai/process/logger";
import { reachOf } from "@verai/process/reach";
import { configOption, jsonOption, programOf, runProgram, shutdownSignal } from "@verai/process/program";
import { parseSpec } from "@verai/executor/spec";
import { checkDeveloper } from "./check.ts";
import { TaskFollower } from "./collect.ts";
import { type DeveloperConfig, developerConfig, taskTerms } from "./config.ts";
import { type HoldParts, holdTask } from "./hold.ts";
import { KeyHost } from "./key-host.ts";
import { sealTask } from "./seal-task.ts";
import { TaskKeys } from "./task-keys.ts";
import type { TaskProgress } from "./progress.ts";
import { requireRunnable } from "./requirements.ts";
import { submitTask } from "./submit.ts";
import { requestOf } from "./task-request.ts";

const INTERVAL_MS = 1500;

const SUBMISSION =
  "name of this submission: run again with the same spec, terms and name, it is not paid for again; name another to submit it once more";

const program = programOf("developer", "Has models trained on the DRMP network");

program
  .command("train")
  .description("submit a task, follow it, fetch and verify its results, and accept them")
  .addOption(configOption())
  .requiredOption("--spec <file>", "task spec (JSON)")
  .requiredOption("--terms <file>", "units, price, classes, interval and deadline (JSON)")
  .option("--submission <name>", SUBMISSION, "1")
  .action(async (options: { config: string; spec: string; terms: string; submission: string }) => {
    const spec = new Uint8Array(await readFile(options.spec));
    const parsed = parseSpec(spec);
    const terms = readConfig(options.terms, taskTerms);
    const settings = readConfig(options.config, developerConfig);
    requireRunnable(parsed, { ...terms, classes: Object.keys(terms.classes), trainers: settings.trainers });
    await work(settings, async (parts, config) => {
      const { session, store } = parts;
      const once = { directory: join(config.dataDir, "submissions"), name: options.submission };
      const { reader } = session;
      const request = requestOf(terms, await reader.classes(await reader.block()));
      const sealed = await sealTask({ store, keys: keysOf(config), keyHosts: config.keyHosts }, spec);
      const { taskId } = await submitTask(session, config.key, store, sealed, request, logger, once);
      await holdTask(parts, taskId, sealed, request.replicas);
      return taskId;
    });
  });

program
  .command("check")
  .description(
    "look at everything that train will use: configuration, key, endpoints, spec, terms, funds; changes nothing",
  )
  .addOption(configOption())
  .option("--spec <file>", "task spec (JSON)")
  .option("--terms <file>", "units, price, classes, interval and deadline (JSON)")
  .addOption(jsonOption())
  .action(async ({ config, json, ...files }: { config: string; json: boolean; spec?: string; terms?: string }) => {
    printReport(await checkDeveloper(readConfig(config, developerConfig), files), json);
  });

program
  .command("follow")
  .description("follow a task that is submitted already")
  .addOption(configOption())
  .requiredOption("--task <id>", "the task's id", taskId)
  .action(async (options: { config: string; task: number }) => {
    await work(readConfig(options.config, developerConfig), () => Promise.resolve(options.task));
  });

const logger = createLogger("developer", "info");

// What was sent and is not confirmed is found again by the next run, which does not pay for it once more.
await runProgram(program, (error) => error instanceof TransactionUnconfirmedError);

/** A task's id as it is typed. @throws InvalidArgumentError, which the command line explains. */
function taskId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new InvalidArgumentError("It has to be a whole number from 1 up: `npx hardhat task:status` lists all tasks.");
}

/** Keys of confidential tasks. */
function keysOf({ dataDir }: Pick<DeveloperConfig, "dataDir">): TaskKeys {
  return new TaskKeys(join(dataDir, "keys"));
}

/** What a task is got with. */
interface WorkParts extends HoldParts {
  readonly store: CheckpointStore;
}

type GetTask = (parts: WorkParts, config: DeveloperConfig) => Promise<number>;

/** Opens chain and store, gets a task, and follows it until it has ended or the process is told to stop. */
async function work(config: DeveloperConfig, getTask: GetTask): Promise<void> {
  await withDirectory([config.dataDir], logger, shutdownSignal(), (signal) => follow(config, signal, getTask));
}

async function follow(config: DeveloperConfig, signal: AbortSignal, getTask: GetTask): Promise<void> {
  const session = await openSession({ ...config, journals: join(config.dataDir, "journals"), stop: signal });
  const { signer } = await session.queue(config.key);
  const access = await openAccess(session, signer);
  const store = new CheckpointStore({
    access,
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
    const keys = keysOf(config);
    await new KeyHost({ reader, store, access, keys, logger }).serve();
    const nodes = await reader.nodes(await reader.block());
    store.setPeers(nodes.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")));
    const taskId = await getTask({ session, store, access, logger, signal }, config);
    const results = join(config.dataDir, "results");
    const follower = new TaskFollower(session, store, config.key, results, logger, keys);
    let shown = -1;
    let told: string | undefined;
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
      const cause = await waitsFor(session, taskId);
      // Seconds that count are no news, another cause is.
      if (cause && cause.code !== told) logger.info({ task: taskId, cause }, `waits: ${causeText(cause)}`);
      told = cause?.code;
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

/** What the task waits for; undefined if nothing, or if that cannot be read now. */
async function waitsFor({ reader }: Session, taskId: number): Promise<Cause | undefined> {
  try {
    return await readTaskCause(reader, await reader.block(), taskId);
  } catch (error) {
    if (!(error instanceof ChainError && error.retryable)) throw error;
    return undefined;
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
