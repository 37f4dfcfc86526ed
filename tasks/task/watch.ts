import { setTimeout as delay } from "node:timers/promises";

import { SingleBar } from "cli-progress";
import type { Environment } from "../session/environment.ts";

import { readTaskCause } from "@verai/client/causes";
import { RpcUnavailableError } from "@verai/client/errors";
import { LeaseIndex } from "@verai/client/lease-index";
import { type TaskProgress, taskProgress } from "@verai/developer/progress";
import { type Cause, causeText } from "@verai/protocol/allocation/explain/cause";
import { shutdownSignal } from "@verai/process/program";
import { type Context, read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";
import { toJson } from "../session/output.ts";
import { parseTask } from "./parse.ts";

/** Pause between two looks, milliseconds: a block of BASE. */
const INTERVAL_MS = 2000;

/** Follows a task. */
export default async function watch(
  args: ReadingArguments & { readonly task: number },
  environment: Environment,
): Promise<void> {
  await read(args, environment, async (context) => {
    const { reader } = context.session;
    await parseTask(reader, await reader.block(), args.task);
    return watchTask(context, args.task);
  });
}

/** Shows a task's progress until it has ended, or SIGINT or SIGTERM. An endpoint that fails is asked again. */
export async function watchTask({ session, output }: Context, taskId: number): Promise<object> {
  const index = new LeaseIndex(session.reader);
  const signal = shutdownSignal();
  const bar = process.stderr.isTTY && !output.json ? newBar() : undefined;
  let last = "";
  let seen: TaskProgress | undefined;
  let cause: Cause | undefined;
  let told = "";
  while (!signal.aborted) {
    try {
      seen = await taskProgress(session.reader, index, taskId);
      cause = await readTaskCause(session.reader, await session.reader.block(), taskId);
    } catch (error) {
      if (!(error instanceof RpcUnavailableError)) throw error;
      output.say(error.message);
    }
    if (seen) {
      const state = stateOf(seen);
      const words = `${String(state.percent)} %, ${String(state.open)} open, ${String(state.leased)} leased, ${String(state.paid)} paid`;
      if (words !== last) {
        if (bar) bar.update(state.percent, { words: cause ? `${words}; waits: ${causeText(cause)}` : words });
        else if (output.json) process.stderr.write(`${toJson(state)}\n`);
        else output.say(words);
      }
      last = words;
      // Seconds that count are no news, another cause is.
      if (cause && cause.code !== told) {
        if (bar) bar.update(state.percent, { words: `${words}; waits: ${causeText(cause)}` });
        else if (output.json) process.stderr.write(`${toJson({ task: taskId, cause })}\n`);
        else output.say(`waits: ${causeText(cause)}`);
      }
      told = cause?.code ?? "";
      if (seen.task.status === "ended") break;
    }
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  bar?.stop();
  if (seen?.task.status === "ended") output.say(`Task ${String(taskId)} has ended.`);
  return seen ? { ...stateOf(seen), ...(cause && { cause }) } : { task: taskId };
}

function newBar(): SingleBar {
  const bar = new SingleBar({ format: "{bar} {words}", stream: process.stderr, hideCursor: true, barsize: 28 });
  bar.start(100, 0, { words: "" });
  return bar;
}

function stateOf({ task, share }: TaskProgress) {
  const { id, status, openUnits: open, leasedUnits: leased, paidUnits: paid, refundedUnits: refunded } = task;
  return { task: id, status, percent: Math.floor(share * 100), open, leased, paid, refunded };
}
