import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { formatEther, isAddress } from "ethers";

import { readTaskCause } from "@verai/client/causes";
import { devnetAt } from "@verai/client/devnet";
import type { Node, Task } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag } from "@verai/client/readers";
import { readReportStates } from "@verai/client/telemetry";
import { causeText } from "@verai/protocol/allocation/explain/cause";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { type Context, namedNetwork, read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import type { Environment } from "../session/environment.ts";
import type { ReadingArguments } from "../session/options.ts";
import { judgeKeepers, judgeOracle, type Judgement } from "./status-judgement.ts";

/** Rows of a table that people are shown; JSON has all. */
const ROWS = 20;

/** Time for the devnet to say how its services do, milliseconds. */
const SERVICES_MS = 5_000;

/** Addresses in parameter files that nobody has filled in are no addresses. */
interface ParametersFile {
  readonly Drmp?: { readonly treasury?: unknown };
}

/** A service of the devnet, and how it does. */
interface ServiceRow {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly healthy: boolean;
  readonly why: string;
}

/** Shows the network at a glance; of a public chain what the chain alone tells. */
export default async function status(args: ReadingArguments, environment: Environment): Promise<void> {
  const { name } = await namedNetwork(environment);
  await read(args, environment, async (context) => {
    const block = await context.session.reader.block();
    const services = await devnetServices(context.rpcUrl);
    const treasury = await treasuryOf(environment, name);
    return { network: name, ...(await chainStatus(context, block, name, treasury, services)) };
  });
}

async function chainStatus(
  context: Context,
  block: BlockReference,
  name: string,
  treasury: string | undefined,
  services: readonly ServiceRow[],
): Promise<object> {
  const { session, output, chainId } = context;
  const { reader, contracts } = session;
  const at = blockTag(block);
  const [nodes, tasks, classes, reportStates, round, batch, parameters, queue, funds, paused] = await Promise.all([
    reader.nodes(block),
    reader.tasks(block),
    reader.classes(block),
    readReportStates(reader, block),
    reader.round(block),
    reader.batch(block),
    reader.parameters(block),
    reader.queue(block),
    readFunds(context, block, treasury),
    answer(contracts.parameters.intakePaused(at)),
  ]);
  const [first] = queue;
  const cause = first === undefined ? undefined : await readTaskCause(reader, block, first);
  const oracle = judgeOracle({ now: block.timestamp, timeout: parameters.seedTimeout, requests: [round, batch] });
  const keepers = judgeKeepers({
    now: block.timestamp,
    timeout: parameters.settleTimeout,
    round,
    batch,
    cause: cause?.code,
  });
  const nodeRows = nodes.map((node) => {
    const { load = 0, sequence = 0 } = reportStates[node.id - 1] ?? {};
    return nodeRow(node, classes.find(({ id }) => id === node.classId)?.name, sequence === 0 ? undefined : load / 100);
  });
  const taskRows = tasks.map(taskRow);
  const active = nodes.filter(({ status: state }) => state === "active");
  const sum = (list: readonly Node[], of: (node: Node) => number) => list.reduce((total, node) => total + of(node), 0);
  const capacity = sum(active, (node) => node.capacity);
  const leased = sum(active, (node) => node.leased);
  const open = tasks.filter(({ status: state }) => state === "open" || state === "closing");

  output.facts([
    ["network", `${name}, chain ${String(chainId)}`],
    ["block", `${String(block.number)}, ${new Date(block.timestamp * 1000).toISOString()}`],
    ["contracts", `${String(Object.keys(contracts).length)}, nodes at ${await contracts.nodes.getAddress()}`],
    ["intake", paused ? "paused by the guardian" : "open"],
    ["oracle", shown(oracle)],
    ["keepers", shown(keepers)],
    [
      "nodes",
      `${String(active.length)} active of ${String(nodes.length)}; ${String(leased)} of ${String(capacity)} units leased`,
    ],
    ["tasks", `${String(open.length)} open of ${String(tasks.length)}, ${String(queue.length)} in the queue`],
    ["first in queue", cause && `task ${String(first)}: ${causeText(cause)}`],
    [
      "round",
      round.id === 0 ? "none yet" : `${String(round.id)}, ${round.status}, opened ${ago(block, round.openedAt)}`,
    ],
    ["reassignments", batch.id === 0 ? undefined : `batch ${String(batch.id)}, ${batch.status}`],
    ["treasury", funds.treasury === undefined ? undefined : `${formatVer(funds.treasury)} VER`],
    ["bounty pool", `${formatVer(funds.bountyPool)} VER`],
    ["in escrow", `${formatVer(funds.escrow)} VER`],
    ["staked", `${formatVer(funds.stake)} VER`],
    [
      "VRF subscription",
      funds.subscription === undefined
        ? "unknown: the deployment names no coordinator"
        : `${formatEther(funds.subscription)} ETH`,
    ],
  ]);
  if (services.length > 0) {
    output.say();
    output.table(
      ["service", "health", "address"],
      services.map((one) => [one.name, one.healthy ? "good" : one.why, one.address]),
    );
  }
  if (nodes.length > 0) {
    output.say();
    output.table(
      ["node", "status", "class", "ask, VER", "units", "load, %", "owner"],
      nodeRows.slice(0, ROWS).map((row, i) => {
        const node = nodes[i];
        const size = classes.find(({ id }) => id === node?.classId)?.tickSize ?? 0;
        const ask = formatVer(microToWei((node?.askTick ?? 0) * size));
        return [
          row.id,
          row.status,
          row.class,
          ask,
          `${String(row.leased)}/${String(row.capacity)}`,
          row.load,
          row.owner,
        ];
      }),
    );
    if (nodes.length > ROWS) output.say(`… and ${String(nodes.length - ROWS)} more: drmp node status`);
  }
  if (tasks.length > 0) {
    output.say();
    const newest = taskRows.slice(-ROWS).reverse();
    output.table(
      ["task", "status", "units", "open", "leased", "paid"],
      newest.map(({ id, status: state, units, open: left, leased: running, paid }) => [
        id,
        state,
        units,
        left,
        running,
        paid,
      ]),
    );
    if (tasks.length > ROWS) output.say(`… and ${String(tasks.length - ROWS)} older ones: drmp task status`);
  }
  return {
    chainId,
    block: block.number,
    timestamp: block.timestamp,
    intakePaused: paused,
    oracle,
    keepers,
    round: { id: round.id, status: round.status, openedAt: round.openedAt },
    batch: { id: batch.id, status: batch.status },
    nodes: nodeRows,
    tasks: taskRows,
    queue,
    cause: cause ?? null,
    funds,
    services,
  };
}

function nodeRow(
  { id, status: state, capacity, leased, owner }: Node,
  name: string | undefined,
  load: number | undefined,
) {
  return { id, status: state, class: name ?? "", capacity, leased, load, owner };
}

function taskRow({ id, status: state, parked, units, openUnits, leasedUnits, paidUnits }: Task) {
  const now = state === "open" && parked ? "parked" : state;
  return { id, status: now, units, open: openUnits, leased: leasedUnits, paid: paidUnits };
}

/** Money: of the contracts' ledgers, of the treasury, and of what pays the oracle. Wei. */
async function readFunds({ session }: Context, block: BlockReference, treasury: string | undefined) {
  const { vault, token, seeds, coordinator } = session.contracts;
  const at = blockTag(block);
  const [totals, config] = await Promise.all([answer(vault.totals(at)), answer(seeds.config(at))]);
  const { escrow, stake, claimable, bountyPool } = totals;
  const subscription = coordinator && (await answer(coordinator.getSubscription(config.subscriptionId, at)));
  return {
    escrow,
    stake,
    claimable,
    bountyPool,
    treasury: treasury === undefined ? undefined : await answer(token.balanceOf(treasury, at)),
    subscription: subscription?.nativeBalance,
  };
}

/** Who the network's parameters file says holds the treasury; undefined if it does not say. */
async function treasuryOf(environment: Environment, network: string): Promise<string | undefined> {
  const file = join(environment.config.paths.root, "ignition", "parameters", `${network}.json`);
  const text = await readFile(file, "utf8").catch(() => "{}");
  const { treasury } = (JSON.parse(text) as ParametersFile).Drmp ?? {};
  return isAddress(treasury) ? treasury : undefined;
}

/** How the services of this machine's devnet do; none if this is another chain. */
async function devnetServices(rpcUrl: string): Promise<ServiceRow[]> {
  const devnet = devnetAt(rpcUrl);
  if (!devnet) return [];
  try {
    const response = await fetch(`${devnet.control}/services`, { signal: AbortSignal.timeout(SERVICES_MS) });
    const { services } = (await response.json()) as { services: ServiceRow[] };
    return services.map(({ name, kind, address, healthy, why }) => ({ name, kind, address, healthy, why }));
  } catch {
    const why = `the devnet (process ${String(devnet.pid)}) does not answer at ${devnet.control}`;
    return devnet.services.map(({ name, kind, address }) => ({ name, kind, address, healthy: false, why }));
  }
}

function ago(block: BlockReference, at: number): string {
  return `${formatDuration(block.timestamp - at)} ago`;
}

function shown({ healthy, why }: Judgement): string {
  return `${healthy ? "good" : "NOT WELL"}: ${why}`;
}
