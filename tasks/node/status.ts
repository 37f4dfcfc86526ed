import type { Environment } from "../session/environment.ts";

import { readIdleCause } from "@verai/client/causes";
import type { BlockReference } from "@verai/client/block-reference";
import { reliabilityOf } from "@verai/client/lease-ends";
import { answer, blockTag } from "@verai/client/readers";
import { causeText } from "@verai/protocol/allocation/explain/cause";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { type Context, read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import { readEnds } from "../session/lease-ends.ts";
import type { ReadingArguments } from "../session/options.ts";
import { parseNode } from "./parse.ts";
import type { Lease } from "@verai/client/entities";

/** Shows one node, or all of them. */
export default async function status(
  args: ReadingArguments & { readonly node: number },
  environment: Environment,
): Promise<void> {
  await read(args, environment, async (context) => {
    const block = await context.session.reader.block();
    return args.node > 0 ? one(context, block, args.node) : all(context, block);
  });
}

async function all({ session, output }: Context, block: BlockReference): Promise<object> {
  const [nodes, classes] = await Promise.all([session.reader.nodes(block), session.reader.classes(block)]);
  const rows = nodes.map((node) => {
    const found = classes.find(({ id }) => id === node.classId);
    const { id, status: state, capacity, leased, listing, owner } = node;
    const ask = formatVer(microToWei(node.askTick * (found?.tickSize ?? 0)));
    return { id, status: state, class: found?.name, ask, capacity, leased, listed: listing?.units ?? 0, owner };
  });
  output.table(
    ["node", "status", "class", "ask, VER", "capacity", "leased", "listed", "owner"],
    rows.map((row) => Object.values(row)),
  );
  return { nodes: rows };
}

async function one({ session, output }: Context, block: BlockReference, nodeId: number): Promise<object> {
  const { reader, contracts } = session;
  const node = await parseNode(reader, block, nodeId);
  const [classes, leases, claimable, cause, standing, enlisted] = await Promise.all([
    reader.classes(block),
    reader.leases(block),
    answer(contracts.vault.claimable(node.owner)),
    readIdleCause(reader, block, node),
    answer(contracts.audits.standingOf(nodeId, blockTag(block))),
    answer(contracts.auditEpochs.enlistmentOf(nodeId, blockTag(block))),
  ]);
  const audits = {
    passed: Number(standing.passed),
    proven: standing.provenAt !== 0n,
    verifies: enlisted.enlistedAt !== 0n,
  };
  const found = classes.find(({ id }) => id === node.classId);
  const own = leases.filter((lease) => lease.nodeId === nodeId);
  const earnings = earningsOf(own);
  const ask = microToWei(node.askTick * (found?.tickSize ?? 0));
  const idle = cause && causeText(cause);
  const running = own.filter((lease) => lease.status === "active");
  const ends = [...(await readEnds(session, block, { nodeId })).values()];
  const reliability = reliabilityOf(ends);
  output.facts([
    ["node", node.id],
    ["status", node.status],
    ["idle", idle === undefined ? undefined : `yes: ${idle}`],
    ["class", found?.name],
    ["ask", `${formatVer(ask)} VER a unit`],
    ["units", `${String(node.leased)} leased, ${String(node.listing?.units ?? 0)} listed, of ${String(node.capacity)}`],
    ["stake", `${formatVer(node.stake)} VER`],
    ["earned", `${formatVer(earnings.paid)} VER paid, ${formatVer(earnings.delivered)} VER delivered`],
    [
      "reliability",
      reliability.share === undefined
        ? undefined
        : `${String(Math.round(reliability.share * 100))} % of ${String(reliability.ended)} leases of the last week paid, ${String(reliability.failed)} failed, ${String(reliability.givenBack)} given back`,
    ],
    [
      "audits",
      `${audits.verifies ? "verifies others' work" : "verifies nothing"}; ${String(audits.passed)} of its own segments passed${audits.proven ? "" : ", so that it counts as new"}`,
    ],
    ["running for", `${formatVer(earnings.running)} VER`],
    ["owner", node.owner],
    ["owner can claim", `${formatVer(claimable)} VER`],
    ["operator", node.operator],
    ["energy", `${node.energySource}, throttled above ${String(node.powerThreshold)} W`],
    ["endpoint", node.endpoint],
  ]);
  if (running.length > 0) {
    output.say();
    output.table(
      ["lease", "task", "units", "price, VER", "checkpoint due in"],
      running.map(({ id, taskId, start, count, price, due }) => [
        id,
        taskId,
        `${String(start)}–${String(start + count - 1)}`,
        formatVer(microToWei(price)),
        due > block.timestamp ? formatDuration(due - block.timestamp) : "overdue",
      ]),
    );
  }
  return {
    ...node,
    class: found?.name,
    ask,
    earnings,
    claimable,
    idle: idle ?? null,
    cause: cause ?? null,
    leases: running.map(({ id }) => id),
    ends,
    reliability,
    audits,
  };
}

/** What a node has earned and what is on its way, wei. */
interface Earnings {
  readonly paid: bigint;
  /** Delivered, not yet accepted. */
  readonly delivered: bigint;
  /** Leased now. */
  readonly running: bigint;
}

/** Sums a node's leases. Pure; O(n). */
function earningsOf(leases: readonly Lease[]): Earnings {
  const sum = (...statuses: readonly string[]) =>
    leases
      .filter(({ status }) => statuses.includes(status))
      .reduce((total, { price, count }) => total + microToWei(price) * BigInt(count), 0n);
  return { paid: sum("paid"), delivered: sum("delivered", "disputed"), running: sum("active") };
}
