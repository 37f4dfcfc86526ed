import { PRICE_UNIT } from "@verai/protocol/money/units";
import { readIdleCause } from "@verai/client/causes";
import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import { type Cause, causeText } from "@verai/protocol/allocation/explain/cause";
import type { ChainLease } from "../lease/lease-plan.ts";
import { monotonicMs } from "@verai/system/clock";
import { type AgentContext, attempt, send } from "../context.ts";
import type { Drains } from "./drains.ts";
import type { Look } from "./own-leases.ts";
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
export async function reconcileNode(context: AgentContext, look: Look, drains: Drains): Promise<void> {
  const { session, store, logger, disk } = context;
  const { block, node, frozen, parameters } = look;
  const { nodes, supply } = session.contracts;
  const { stakePerUnit } = parameters;
  const free = freeUnits(node, BigInt(stakePerUnit) * PRICE_UNIT);
  const endpoint = store.endpoint();
  const wanted = { endpoint, ineligible: disk.full ?? context.owner?.why, drained: drains.isOwners(node) };
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

/** Milliseconds for which the reason why a node has no work counts, unless something of the node changes. */
const IDLE_CAUSE_MS = 60_000;

/** Why a node has no work, as it was last read: queue and classes are not looked at in each cycle. */
export class IdleCauses {
  #known: { readonly key: string; readonly at: number; readonly cause: Cause | undefined } | undefined;

  /** The cause; read again when the node's own record, or its standing with the chain, is another. */
  async of(context: Pick<AgentContext, "session">, { block, node }: Look): Promise<Cause | undefined> {
    if (node.leased > 0) return undefined;
    const { status, leased, listing, eligible, cooldownUntil, askTick, classId, capacity, stake } = node;
    const facts = [
      status,
      leased,
      listing?.units,
      eligible,
      cooldownUntil > block.timestamp,
      askTick,
      classId,
      capacity,
      stake,
    ];
    const key = facts.join();
    const now = monotonicMs();
    if (this.#known?.key === key && now - this.#known.at < IDLE_CAUSE_MS) return this.#known.cause;
    const cause = await readIdleCause(context.session.reader, block, node);
    this.#known = { key, at: now, cause };
    return cause;
  }
}

/** What the agent is doing at this block and, if nothing, why. */
export async function describe(
  context: AgentContext,
  look: Look,
  leases: readonly ChainLease[],
  causes: IdleCauses,
): Promise<AgentState> {
  const { store } = context;
  const { node } = look;
  const active = leases.filter(({ status }) => status === "active");
  const peers = store.peers();
  const cause =
    told("disk", context.disk.full) ?? told("owner", context.owner?.why) ?? (await causes.of(context, look));
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
