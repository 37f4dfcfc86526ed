import type { Environment } from "../session/environment.ts";

import { readIdleCause } from "@verai/client/causes";
import type { Pin } from "@verai/client/pin";
import { answer } from "@verai/client/readers";
import { causeText } from "@verai/protocol/allocation/explain/cause";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { type Context, read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import type { ReadingArguments } from "../session/options.ts";
import { earningsOf } from "./earnings.ts";
import { givenNode } from "./given.ts";

/** Shows one node, or all of them. */
export default async function status(
  args: ReadingArguments & { readonly node: number },
  environment: Environment,
): Promise<void> {
  await read(args, environment, async (context) => {
    const pin = await context.session.reader.pin();
    return args.node > 0 ? one(context, pin, args.node) : all(context, pin);
  });
}

async function all({ session, screen }: Context, pin: Pin): Promise<object> {
  const [nodes, classes] = await Promise.all([session.reader.nodes(pin), session.reader.classes(pin)]);
  const rows = nodes.map((node) => {
    const found = classes.find(({ id }) => id === node.classId);
    const { id, status: state, capacity, leased, listing, owner } = node;
    const ask = formatVer(microToWei(node.askTick * (found?.tickSize ?? 0)));
    return { id, status: state, class: found?.name, ask, capacity, leased, listed: listing?.units ?? 0, owner };
  });
  screen.table(
    ["node", "status", "class", "ask, VER", "capacity", "leased", "listed", "owner"],
    rows.map((row) => Object.values(row)),
  );
  return { nodes: rows };
}

async function one({ session, screen }: Context, pin: Pin, nodeId: number): Promise<object> {
  const { reader, contracts } = session;
  const node = await givenNode(reader, pin, nodeId);
  const [classes, leases, claimable, cause] = await Promise.all([
    reader.classes(pin),
    reader.leases(pin),
    answer(contracts.vault.claimable(node.owner)),
    readIdleCause(reader, pin, node),
  ]);
  const found = classes.find(({ id }) => id === node.classId);
  const own = leases.filter((lease) => lease.nodeId === nodeId);
  const earnings = earningsOf(own);
  const ask = microToWei(node.askTick * (found?.tickSize ?? 0));
  const idle = cause && causeText(cause);
  const running = own.filter((lease) => lease.status === "active");
  screen.facts([
    ["node", node.id],
    ["status", node.status],
    ["idle", idle === undefined ? undefined : `yes: ${idle}`],
    ["class", found?.name],
    ["ask", `${formatVer(ask)} VER a unit`],
    ["units", `${String(node.leased)} leased, ${String(node.listing?.units ?? 0)} listed, of ${String(node.capacity)}`],
    ["stake", `${formatVer(node.stake)} VER`],
    ["earned", `${formatVer(earnings.paid)} VER paid, ${formatVer(earnings.delivered)} VER delivered`],
    ["running for", `${formatVer(earnings.running)} VER`],
    ["owner", node.owner],
    ["owner can claim", `${formatVer(claimable)} VER`],
    ["operator", node.operator],
    ["energy", `${node.energySource}, throttled above ${String(node.powerThreshold)} W`],
    ["endpoint", node.endpoint],
  ]);
  if (running.length > 0) {
    screen.say();
    screen.table(
      ["lease", "task", "units", "price, VER", "checkpoint due in"],
      running.map(({ id, taskId, start, count, price, due }) => [
        id,
        taskId,
        `${String(start)}–${String(start + count - 1)}`,
        formatVer(microToWei(price)),
        due > pin.timestamp ? formatDuration(due - pin.timestamp) : "overdue",
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
  };
}
