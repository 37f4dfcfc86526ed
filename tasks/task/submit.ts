import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Environment } from "../session/environment.ts";

import { LeaseIndex } from "@verai/client/lease-index";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { quoteTask } from "@verai/client/quote";
import { openAccess } from "@verai/client/open-access";
import { holdTask } from "@verai/developer/hold";
import { requireRunnable } from "@verai/developer/requirements";
import { submitTask } from "@verai/developer/submit";
import { parseSpec } from "@verai/executor/spec";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseRequest, type RequestOptions } from "./parse.ts";
import { withInputs } from "./program-spec.ts";
import { showQuote } from "./quote.ts";
import { deliveredLeases, fetchResults } from "./results.ts";
import { LOOK_MS, withStore } from "./store.ts";
import { watchTask } from "./watch.ts";

/** Options that commands which submit have in common. */
export interface SubmitArguments extends WritingArguments, RequestOptions {
  readonly store: string;
  readonly trainers: string;
  readonly submission: string;
  readonly detach: boolean;
}

interface Arguments extends SubmitArguments {
  readonly spec: string;
  readonly input: string;
}

/** Submits a task and, unless detached, serves its spec and follows it. */
export default async function submit(args: Arguments, environment: Environment): Promise<void> {
  await submitAndFollow(args, environment, async () => {
    if (args.spec === "") throw new Error("Name the task's spec: --spec spec.json");
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
  makeSpec: () => Promise<Uint8Array>,
  out?: string,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    const spec = await makeSpec();
    const parsed = parseSpec(spec);
    const block = await reader.block();
    const request = parseRequest(await reader.classes(block), args);
    const classes = request.classes.map(({ name }) => name);
    const trainers = args.trainers.split(",").filter((name) => name !== "");
    requireRunnable(parsed, { classes, checkpointInterval: request.checkpointInterval, trainers });
    const quote = await quoteTask(reader, block, request, true);
    showQuote(output, request.units, quote);
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
    const serve = async (store: CheckpointStore) => {
      const once = { directory: join(context.dataDir, "submissions"), name: args.submission };
      const { taskId, specCid } = await submitTask(session, key, store, spec, request, log, once);
      task = taskId;
      const held = await holdTask({ session, store, access, logger: log }, taskId, spec, request.replicas);
      output.say(`Task ${String(taskId)} is submitted; its spec is ${specCid}.`);
      const submitted = { task: taskId, spec: specCid, escrow: quote.escrow, quotedCost: quote.cost, held: held.nodes };
      if (args.detach) return submitted;
      output.say(
        "Serving the spec and following the task; Ctrl-C ends both. `npx hardhat task:watch` follows it again, but serves nothing.",
      );
      const ended = await watchTask(context, taskId);
      if (out === undefined) return { ...submitted, ...ended };
      const delivered = await deliveredLeases(reader, await reader.block(), taskId);
      return { ...submitted, ...ended, results: await fetchResults(output, store, taskId, delivered, out) };
    };
    return withStore(reader, args.store, serve, LOOK_MS, workers, access);
  });
}
