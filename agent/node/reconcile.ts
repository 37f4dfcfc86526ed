import { readIdleCause } from "@verai/client/causes";
import type { Node } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import { type Cause, causeText } from "@verai/protocol/allocation/explain/cause";
import type { ChainLease } from "../lease/lease-plan.ts";
import { type AgentContext, attempt, send } from "../context.ts";
import type { Drains } from "./drains.ts";
import { freeUnits, planNode } from "./registration.ts";

/** What an agent is doing, for `/health` and logs. */
export interface AgentState {
  readonly nodeId: number;
  readonly leases: readonly { readonly id: number; readonly units: number; readonly progress: number }[];
  readonly idle: string | undefined;
  /** The same in parts, for programs. */
  readonly cause: Cause | undefined;
  readonly peers: { readonly connected: number; readonly known: number };
}

/** Brings what the chain says of the node in line with the agent. */
export async function reconcileNode(
  context: AgentContext,
  node: Node,
  block: BlockReference,
  drains: Drains,
): Promise<void> {
  const { session, store, logger, disk } = context;
  const { nodes, supply } = session.contracts;
  const { stakePerUnit } = await session.reader.parameters(block);
  const free = freeUnits(node, BigInt(stakePerUnit) * 10n ** 12n);
  const endpoint = store.endpoint();
  const frozen = await supply.frozen({ blockTag: block.number });
  const wanted = { endpoint, unfit: disk.full ?? context.owner?.why, drained: drains.isOwners(node) };
  for (const step of planNode(node, wanted, free, block.timestamp, frozen)) {
    logger.info({ why: step.why }, step.kind);
    await attempt(context, step.kind, async () => {
      if (step.kind === "drain") drains.begin();
      const prepare = () => {
        if (step.kind === "drain") return nodes.drain.populateTransaction(node.id);
        if (step.kind === "resume") return nodes.resume.populateTransaction(node.id);
        if (step.kind === "sync") return supply.sync.populateTransaction([node.id]);
        const { powerThreshold, powerMax } = node;
        const energySource = numberOf(ENERGY_SOURCES, node.energySource);
        return nodes.setProfile.populateTransaction(node.id, { energySource, powerThreshold, powerMax, endpoint });
      };
      await send(context, step.kind, prepare, step.kind === "drain");
    });
  }
}

/** What the agent is doing at this block and, if nothing, why. */
export async function describe(
  context: AgentContext,
  node: Node,
  leases: readonly ChainLease[],
  block: BlockReference,
): Promise<AgentState> {
  const { session, store } = context;
  const active = leases.filter(({ status }) => status === "active");
  const peers = store.peers();
  const cause =
    told("disk", context.disk.full) ??
    told("owner", context.owner?.why) ??
    (await readIdleCause(session.reader, block, node));
  return {
    nodeId: node.id,
    leases: active.map(({ id, count, checkpoint }) => ({ id, units: count, progress: checkpoint.progress })),
    idle: cause && causeText(cause),
    cause,
    peers: { connected: peers.filter(({ connected }) => connected).length, known: peers.length },
  };
}

/** What this machine itself says, with its remedy. */
function told(code: string, what: string | undefined): Cause | undefined {
  return what === undefined ? undefined : { code, what, value: "", bound: "", remedy: "" };
}
