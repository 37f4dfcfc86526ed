import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { openAccess } from "@verai/client/open-access";
import { openingOf } from "@verai/developer/seal-task";
import { shutdownSignal } from "@verai/process/program";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { followLogs } from "./follow-logs.ts";
import { keysOf } from "./keys.ts";
import { parseTask } from "./parse.ts";
import { LOOK_MS, withStore } from "./store.ts";

const STALL_MS = 20_000;

interface Arguments extends WritingArguments {
  readonly task: number;
  readonly unit: number;
  readonly follow: boolean;
  readonly store: string;
}

/** Shows the logs that the newest checkpoint of each lease carries or, with `--follow`, what units write while they run. */
export default async function logs(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async ({ session, output, account, dataDir }) => {
    const { reader } = session;
    const block = await reader.block();
    const task = await parseTask(reader, block, args.task);
    const access = await openAccess(session, (await account()).signer);
    if (args.follow) {
      const follow = async (store: CheckpointStore) => {
        const signal = shutdownSignal();
        return {
          task: task.id,
          bytes: await followLogs({ reader, store, access, output, signal }, task.id, args.unit),
        };
      };
      return withStore(reader, args.store, follow, LOOK_MS, undefined, access);
    }
    const leases = (await reader.leases(block)).filter(
      ({ taskId, start, count }) =>
        taskId === task.id && (args.unit < 0 || (start <= args.unit && args.unit < start + count)),
    );
    const checkpoints = await reader.checkpoints(
      block,
      leases.map(({ id }) => id),
    );
    if (checkpoints.size === 0)
      throw new CommandError(
        "NOT_YET",
        leases.some(({ status }) => status === "active")
          ? `Task ${String(task.id)} has no checkpoint yet, and so no logs.`
          : `Task ${String(task.id)} has no checkpoint, and so no logs: it is not running, and logs come with checkpoints.`,
      );
    const scratch = await mkdtemp(join(tmpdir(), "drmp-logs-"));
    const found: { lease: number; unit: number; at: number; text: string }[] = [];
    try {
      const opening = await openingOf(keysOf({ dataDir }), task.spec.digest);
      const fetchLogs = async (store: CheckpointStore) => {
        for (const [lease, checkpoint] of checkpoints) {
          const target = join(scratch, String(lease));
          await store.fetchTo(fromChainCid(checkpoint).toString(), target, {
            maxBytes: checkpoint.size,
            stallTimeout: STALL_MS,
            ...opening,
          });
          const folder = join(target, "logs");
          for (const name of await readdir(folder).catch(() => [])) {
            const unit = Number(/^unit-(\d+)\.log$/.exec(name)?.[1] ?? -1);
            if (unit < 0 || (args.unit >= 0 && unit !== args.unit)) continue;
            found.push({ lease, unit, at: checkpoint.at, text: await readFile(join(folder, name), "utf8") });
          }
        }
      };
      await withStore(reader, args.store, fetchLogs, LOOK_MS, undefined, access);
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
