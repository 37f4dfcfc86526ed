import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Environment } from "../session/environment.ts";

import { LeaseIndex } from "@verai/client/lease-index";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { quoteTask } from "@verai/client/quote";
import { requireRunnable } from "@verai/developer/requirements";
import { submitTask } from "@verai/developer/submit";
import { parseSpec } from "@verai/executor/spec";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseRequest, type RequestOptions } from "./parse.ts";
import { showQuote } from "./quote.ts";
import { LOOK_MS, withStore } from "./store.ts";
import { watchTask } from "./watch.ts";

interface Arguments extends WritingArguments, RequestOptions {
  readonly spec: string;
  readonly store: string;
  readonly trainers: string;
  readonly submission: string;
  readonly detach: boolean;
}

/** Submits a task and, unless detached, serves its spec and follows it. */
export default async function submit(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    if (args.spec === "") throw new Error("Name the task's spec: --spec spec.json");
    const spec = new Uint8Array(await readFile(args.spec));
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

    const { key } = await context.account();
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
      output.say(`Task ${String(taskId)} is submitted; its spec is ${specCid}.`);
      const submitted = { task: taskId, spec: specCid, escrow: quote.escrow, quotedCost: quote.cost };
      if (args.detach) return submitted;
      output.say(
        "Serving the spec and following the task; Ctrl-C ends both. `npx hardhat task:watch` follows it again, but serves nothing.",
      );
      return { ...submitted, ...(await watchTask(context, taskId)) };
    };
    return withStore(reader, args.store, serve, LOOK_MS, workers);
  });
}
