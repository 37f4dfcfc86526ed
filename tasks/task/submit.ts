import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { ChainError } from "@verai/client/errors";
import { createLogger } from "@verai/process/logger";
import { LeaseIndex } from "@verai/client/lease-index";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { quoteTask } from "@verai/client/quote";
import { openAccess } from "@verai/client/open-access";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { auditChanceOf, auditsText } from "@verai/developer/audit-chance";
import { KeyHost } from "@verai/developer/key-host";
import { sealTask } from "@verai/developer/seal-task";
import { TaskFollower } from "@verai/developer/collect";
import { holdTask } from "@verai/developer/hold";
import { requireRunnable } from "@verai/developer/requirements";
import { submitTask } from "@verai/developer/submit";
import { parseSpec } from "@verai/executor/spec";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { type Context, write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { keysOf } from "./keys.ts";
import { parseRequest, type RequestOptions } from "./parse.ts";
import { LOCAL_PYTHON, withInputs } from "./program-spec.ts";
import { readRate, showQuote } from "./quote.ts";
import { readReceipt, showReceipt } from "./receipt.ts";
import { deliveredLeases, fetchResults } from "./results.ts";
import { LOOK_MS, withStore } from "./store.ts";
import { watchTask } from "./watch.ts";

/** When what was reached, for people who compare. */
class Clock {
  readonly marks: { readonly what: string; readonly seconds: number }[] = [];
  readonly #began = performance.now();

  mark(what: string): void {
    this.marks.push({ what, seconds: (performance.now() - this.#began) / 1000 });
  }
}

/** Pause between two looks for results, milliseconds. */
const FETCH_MS = 2_000;

/** Fetches, verifies and accepts results as they are delivered, for as long as the task is watched. */
async function fetchMeanwhile<T>(follower: TaskFollower, taskId: number, watching: Promise<T>): Promise<T> {
  const over = new AbortController();
  const fetching = (async () => {
    while (!over.signal.aborted) {
      await follower.cycle(taskId).catch((error: unknown) => {
        if (!(error instanceof ChainError && error.retryable)) throw error;
      });
      await delay(FETCH_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    // What keeps results from being accepted ends the command.
    return await Promise.race([watching, fetching.then(() => watching)]);
  } finally {
    over.abort();
    await fetching.catch(() => undefined);
  }
}

/** Options that commands which submit have in common. */
export interface SubmitArguments extends WritingArguments, RequestOptions {
  readonly store: string;
  readonly trainers: string;
  readonly submission: string;
  readonly detach: boolean;
  readonly keyHosts: string;
}

interface Arguments extends SubmitArguments {
  readonly spec: string;
  readonly input: string;
}

/** Submits a task and, unless detached, serves its spec and follows it. */
export default async function submit(args: Arguments, environment: Environment): Promise<void> {
  await submitAndFollow(args, environment, async () => {
    if (args.spec === "") throw new CommandError("OPTION_MISSING", "Name the task's spec: --spec spec.json");
    return withInputs(new Uint8Array(await readFile(args.spec)), args.input);
  });
}

/**
 * Submits a task, serves its spec and inputs, and follows it, unless detached.
 *
 * @param makeSpec Gives the spec; called once, before anything else.
 * @param out Directory that results are fetched to at the end; undefined leaves them where they are.
 */
export async function submitAndFollow(
  args: SubmitArguments,
  environment: Environment,
  makeSpec: (context: Context) => Promise<Uint8Array>,
  out?: string,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    const clock = new Clock();
    const spec = await makeSpec(context);
    clock.mark("packed");
    const parsed = parseSpec(spec);
    const block = await reader.block();
    const request = parseRequest(await reader.classes(block), args);
    const classes = request.classes.map(({ name }) => name);
    const trainers = args.trainers.split(",").filter((name) => name !== "");
    if (context.chainId === LOCAL_CHAIN_ID) trainers.push(LOCAL_PYTHON);
    const { auditChance, checkpointInterval } = request;
    requireRunnable(parsed, { classes, checkpointInterval, trainers, auditChance });
    const quote = await quoteTask(reader, block, request, true);
    showQuote(output, request.units, quote, await readRate(reader, block, request, quote));
    const { feeBps } = await reader.parameters(block);
    output.facts([["audits", auditsText(auditChanceOf(auditChance, parsed, feeBps), auditChance)]]);
    output.say();
    context.spends = quote.escrow + quote.submissionFee;

    const { key, signer } = await context.account();
    const access = await openAccess(session, signer);
    const say = (fields: object, message: string) => {
      // That it is submitted is said below, with what comes next.
      if (!("spec" in fields)) output.say(message);
    };
    const log = { info: say, warn: say };
    const index = new LeaseIndex(reader);
    let task: number | undefined;
    // Whichever node is leased the task needs its spec, and nobody else has it yet.
    const workers = async (): Promise<number[]> => {
      if (task === undefined) return [];
      await index.refresh();
      return index.all().flatMap(({ taskId, nodeId }) => (taskId === task ? [nodeId] : []));
    };
    const keys = keysOf(context);
    const serve = async (store: CheckpointStore) => {
      const keyHosts = args.keyHosts.split(",").filter((host) => host !== "");
      const sealed = await sealTask({ store, keys, keyHosts }, spec);
      await new KeyHost({ reader, store, access, keys, logger: log }).serve();
      const once = { directory: join(context.dataDir, "submissions"), name: args.submission };
      const { taskId, specCid } = await submitTask(session, key, store, sealed, request, log, once);
      task = taskId;
      clock.mark("submitted");
      const held = await holdTask({ session, store, access, logger: log }, taskId, sealed, request.replicas);
      clock.mark("held by other nodes");
      output.say(`Task ${String(taskId)} is submitted; its spec is ${specCid}.`);
      const submitted = { task: taskId, spec: specCid, escrow: quote.escrow, quotedCost: quote.cost, held: held.nodes };
      if (args.detach) return submitted;
      output.say(
        "Serving spec and inputs, and following the task; Ctrl-C ends both. `npx hardhat task:watch` follows it again.",
      );
      if (out === undefined) return { ...submitted, ...(await watchTask(context, taskId)) };
      const logger = createLogger("run", "error", "stderr");
      const follower = new TaskFollower(session, store, key, out, logger, keys);
      const ended = await fetchMeanwhile(follower, taskId, watchTask(context, taskId));
      clock.mark("trained, fetched and paid");
      output.facts(clock.marks.map(({ what, seconds }) => [what, `after ${seconds.toFixed(0)} s`]));
      const opening = { keys, spec: toChainCid(specCid).digest };
      const delivered = await deliveredLeases(reader, await reader.block(), taskId);
      const now = await reader.block();
      const over = await reader.task(now, taskId);
      const receipt = over && (await readReceipt(session, now, over));
      if (receipt) showReceipt(output, receipt);
      return {
        ...submitted,
        ...ended,
        receipt,
        clock: clock.marks,
        results: await fetchResults(output, store, taskId, delivered, out, opening),
      };
    };
    return withStore(reader, args.store, serve, LOOK_MS, workers, access);
  });
}
