import type { Environment } from "../session/environment.ts";

import { FINAL_LEASE_STATUSES } from "@verai/client/enums";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import type { ReadingArguments } from "../session/options.ts";

interface Arguments extends ReadingArguments {
  readonly task: number;
  readonly node: number;
  readonly live: boolean;
}

/** Lists leases. */
export default async function leases(args: Arguments, environment: Environment): Promise<void> {
  await read(args, environment, async ({ session, output }) => {
    const { reader } = session;
    const block = await reader.block();
    const found = (await reader.leases(block)).filter(
      ({ taskId, nodeId, status }) =>
        (args.task === 0 || taskId === args.task) &&
        (args.node === 0 || nodeId === args.node) &&
        (!args.live || !FINAL_LEASE_STATUSES.includes(status)),
    );
    const checkpoints = await reader.checkpoints(
      block,
      found.map(({ id }) => id),
    );
    output.table(
      ["lease", "status", "task", "node", "units", "price, VER", "fence", "progress", "due"],
      found.map(({ id, status, taskId, nodeId, start, count, price, fence, due }) => [
        id,
        status,
        taskId,
        nodeId,
        `${String(start)}–${String(start + count - 1)}`,
        formatVer(microToWei(price)),
        fence,
        `${String(Math.floor((checkpoints.get(id)?.progress ?? 0) / (count * 100)))} %`,
        status !== "active" ? "" : due > block.timestamp ? `in ${formatDuration(due - block.timestamp)}` : "overdue",
      ]),
    );
    return { leases: found.map((lease) => ({ ...lease, checkpoint: checkpoints.get(lease.id) ?? null })) };
  });
}
