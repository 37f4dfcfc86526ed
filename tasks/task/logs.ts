import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Environment } from "../session/environment.ts";

import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";
import { withStore } from "./store.ts";

const STALL_MS = 20_000;

interface Arguments extends ReadingArguments {
  readonly task: number;
  readonly unit: number;
  readonly store: string;
}

/** Shows the logs that the newest checkpoint of each lease carries. */
export default async function logs(args: Arguments, environment: Environment): Promise<void> {
  await read(args, environment, async ({ session, output }) => {
    const { reader } = session;
    const block = await reader.block();
    const task = await parseTask(reader, block, args.task);
    const leases = (await reader.leases(block)).filter(
      ({ taskId, start, count }) =>
        taskId === task.id && (args.unit < 0 || (start <= args.unit && args.unit < start + count)),
    );
    const checkpoints = await reader.checkpoints(
      block,
      leases.map(({ id }) => id),
    );
    if (checkpoints.size === 0)
      throw new Error(
        leases.some(({ status }) => status === "active")
          ? `Task ${String(task.id)} has no checkpoint yet, and so no logs.`
          : `Task ${String(task.id)} has no checkpoint, and so no logs: it is not running, and logs come with checkpoints.`,
      );
    const scratch = await mkdtemp(join(tmpdir(), "drmp-logs-"));
    const found: { lease: number; unit: number; at: number; text: string }[] = [];
    try {
      await withStore(reader, args.store, async (store) => {
        for (const [lease, checkpoint] of checkpoints) {
          const target = join(scratch, String(lease));
          await store.fetchTo(fromChainCid(checkpoint).toString(), target, {
            maxBytes: checkpoint.size,
            stallTimeout: STALL_MS,
          });
          const folder = join(target, "logs");
          for (const name of await readdir(folder).catch(() => [])) {
            const unit = Number(/^unit-(\d+)\.log$/.exec(name)?.[1] ?? -1);
            if (unit < 0 || (args.unit >= 0 && unit !== args.unit)) continue;
            found.push({ lease, unit, at: checkpoint.at, text: await readFile(join(folder, name), "utf8") });
          }
        }
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    for (const { lease, unit, at, text } of found) {
      output.say(`── lease ${String(lease)}, unit ${String(unit)}, as of ${new Date(at * 1000).toISOString()}`);
      output.say(text.trimEnd());
    }
    return { task: task.id, logs: found };
  });
}
