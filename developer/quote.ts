import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import { type SnapshotTask, snapshotTask, supplySnapshot } from "@verai/client/snapshot";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRoundWith } from "@verai/protocol/allocation/round-plan";
import { microToWei, weiToMicro } from "@verai/protocol/money/ver";

/** What a task would cost if it were allocated now. Money in wei. */
export interface Quote {
  /** Units that would be leased, and those that nothing serves at this price. */
  readonly leasedUnits: number;
  readonly openUnits: number;
  /** What the nodes would be paid, and the protocol's fee on top, rounded up. */
  readonly cost: bigint;
  readonly fee: bigint;
  /** What has to be put in escrow for all units, whatever they will cost; the rest of it comes back. */
  readonly escrow: bigint;
  /** What submitting costs, whatever comes of the task. */
  readonly submissionFee: bigint;
  /** Part of the escrow that pays for places in rounds; what is left of it comes back. */
  readonly roundDeposit: bigint;
  /** What the rounds' seeds cost it at most: per round, less what the fee of newly leased units is worth. */
  readonly seedPrice: bigint;
  readonly nodes: readonly { readonly nodeId: number; readonly units: number; readonly price: bigint }[];
  readonly classes: readonly {
    readonly name: string;
    /** Units leased in the class, and listed in it at all. */
    readonly units: number;
    readonly listed: number;
    /** Lowest ask in the class; undefined if nothing is listed. */
    readonly lowestAsk?: bigint;
  }[];
  /** Tasks that were allocated together with it. */
  readonly competitors: number;
}

/** A task that is only thought of. Prices in wei. */
export interface Wish {
  readonly units: number;
  readonly maxPrice: bigint;
  readonly classes: readonly { readonly classId: number; readonly surcharge: bigint }[];
}

/** An id that no task has yet: ids are given out upwards from 1. */
const NO_TASK = 2 ** 32 - 1;

/** Rounds that a new task pays in advance (`TaskRegistry.ROUNDS_IN_ADVANCE`). */
const ROUNDS_IN_ADVANCE = 8;

/** Any seed: it decides only between what costs the same. */
const SOME_SEED = `0x${"11".repeat(32)}`;

/**
 * Solves the allocation with this task as the next round would, and sends nothing.
 *
 * @param withQueue Together with the tasks that wait before it, as many as a round takes.
 * @throws Refusal if the result could not be certified (which would be a defect).
 */
export async function quoteTask(reader: Reader, at: BlockReference, wish: Wish, withQueue: boolean): Promise<Quote> {
  const own: SnapshotTask = {
    id: NO_TASK,
    units: wish.units,
    maxPrice: weiToMicro(wish.maxPrice),
    classes: wish.classes.map(({ classId, surcharge }) => ({ classId, surcharge: weiToMicro(surcharge) })),
  };
  const { feeBps, roundMaxTasks, seedPrice } = await reader.parameters(at);
  const before = withQueue ? await waiting(reader, at, roundMaxTasks - 1) : [];
  const tasks = [...before, own];
  const wanted = [...new Set(tasks.flatMap(({ classes }) => classes.map(({ classId }) => classId)))];
  const supply = await supplySnapshot(reader, at, wanted);
  const round = { roundId: 0, seed: SOME_SEED, tasks, classes: supply };
  const plan = planRoundWith(round, [lpSolver, networkSimplex]);
  if (plan.kind === "refusal") throw new Error(`The allocation cannot be computed: ${plan.why}`);

  const rows = plan.rows.filter(({ taskId }) => taskId === NO_TASK);
  const cost = rows.reduce((sum, { price, units }) => sum + microToWei(price) * BigInt(units), 0n);
  const leasedUnits = rows.reduce((sum, { units }) => sum + units, 0);
  const deposit = await reader.depositFor(at, wish.units, wish.maxPrice);
  return {
    leasedUnits,
    openUnits: wish.units - leasedUnits,
    cost,
    fee: feeOf(cost, feeBps),
    escrow: deposit.escrow,
    submissionFee: deposit.fee,
    roundDeposit: microToWei(ROUNDS_IN_ADVANCE * seedPrice),
    seedPrice: microToWei(seedPrice),
    nodes: rows.map(({ nodeId, units, price }) => ({ nodeId, units, price: microToWei(price) })),
    classes: wish.classes.map(({ classId }) => {
      const found = supply.find(({ id }) => id === classId);
      const granted = new Set(found?.nodes.map(({ id }) => id));
      const lowest = found?.nodes[0];
      return {
        name: found?.name ?? String(classId),
        units: rows.filter(({ nodeId }) => granted.has(nodeId)).reduce((sum, { units }) => sum + units, 0),
        listed: found?.nodes.reduce((sum, { units }) => sum + units, 0) ?? 0,
        ...(lowest && { lowestAsk: microToWei(lowest.tick * (found?.tickSize ?? 0)) }),
      };
    }),
    competitors: before.length,
  };
}

/** The first tasks of the queue, with all their open units. */
async function waiting(reader: Reader, at: BlockReference, most: number): Promise<SnapshotTask[]> {
  const ids = await reader.queue(at, most);
  const tasks = await Promise.all(
    ids.map(async (id) => snapshotTask(reader, at, id, (await reader.task(at, id))?.openUnits ?? 0)),
  );
  return tasks.filter(({ units }) => units > 0);
}

/** The protocol's fee on an amount, rounded up as TaskRegistry and LeaseRegistry do. */
function feeOf(amount: bigint, feeBps: number): bigint {
  return (amount * BigInt(feeBps) + 9_999n) / 10_000n;
}
