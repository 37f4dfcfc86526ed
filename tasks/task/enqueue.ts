import type { Environment } from "../session/environment.ts";

import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";

/** Puts a parked task back into the queue. */
export default async function enqueue(
  args: WritingArguments & { readonly task: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { reader, contracts } = context.session;
    const task = await parseTask(reader, await reader.block(), args.task);
    if (!task.parked) {
      const where = task.inRound ? "in the open round" : task.queued ? "in the queue" : task.status;
      context.output.say(`Task ${String(task.id)} is not parked: it is ${where}.`);
      return { task: task.id, parked: false, queued: task.queued };
    }
    const { queue } = await context.account();
    await queue.submit({
      label: `put task ${String(task.id)} back into the queue`,
      prepare: () => contracts.tasks.enqueue.populateTransaction([task.id]),
    });
    const after = await parseTask(reader, await reader.block(), task.id);
    context.output.say(`Task ${String(task.id)} stands in the queue and joins the next round that has room.`);
    return { task: after.id, parked: after.parked, queued: after.queued };
  });
}
