import { microToWei, weiToMicro } from "../money/ver.ts";
import type { RoundClass, RoundTask } from "./model.ts";
import { networkSimplex } from "./network-simplex.ts";
import { planRound } from "./round-plan.ts";
import { RefusalError } from "./refusal.ts";

/** A task that is only thought of. Prices in wei. */
export interface Wish {
  readonly units: number;
  /** Maximum price of a unit. */
  readonly maxPrice: bigint;
  /** Classes that serve it, ascending; a surcharge steers and is never paid. */
  readonly classes: readonly { readonly classId: number; readonly surcharge: bigint }[];
}

/** What the next round would do with a wish. Money in wei. */
export interface QuotedAllocation {
  /** Units that would be leased, and those that nothing serves at this price. */
  readonly leasedUnits: number;
  readonly openUnits: number;
  /** What the nodes would be paid; the protocol's fee comes on top. */
  readonly cost: bigint;
  readonly nodes: readonly { readonly nodeId: number; readonly units: number; readonly price: bigint }[];
  readonly classes: readonly {
    readonly name: string;
    /** Units leased in the class, and listed in it at all. */
    readonly units: number;
    readonly listed: number;
    /** Lowest ask in the class; undefined if nothing is listed. */
    readonly lowestAsk?: bigint;
  }[];
}

/** An id that no task has yet: ids are given out upwards from 1. */
const NO_TASK = 2 ** 32 - 1;

/** Any seed: it decides only between what costs the same. */
const SOME_SEED = `0x${"11".repeat(32)}`;

/**
 * Solves the allocation with a wish as the next round would. Pure; the result is certified optimal.
 *
 * @param before Tasks that wait before it and are allocated together with it.
 * @param supply What is listed, of every class that one of the tasks accepts.
 * @throws Refusal if a task or class is not valid, or the result could not be certified (which would be a defect);
 * MoneyError if a price is not a whole number of micro-VER.
 */
export function quoteAllocation(
  wish: Wish,
  before: readonly RoundTask[],
  supply: readonly RoundClass[],
): QuotedAllocation {
  const own: RoundTask = {
    id: NO_TASK,
    units: wish.units,
    maxPrice: weiToMicro(wish.maxPrice),
    classes: wish.classes.map(({ classId, surcharge }) => ({ classId, surcharge: weiToMicro(surcharge) })),
  };
  const plan = planRound({ roundId: 0, seed: SOME_SEED, tasks: [...before, own], classes: supply }, networkSimplex);
  if (plan.kind === "refusal") throw new RefusalError(plan.code, `The allocation cannot be computed: ${plan.why}`);
  const rows = plan.rows.filter(({ taskId }) => taskId === NO_TASK);
  const leasedUnits = rows.reduce((sum, { units }) => sum + units, 0);
  return {
    leasedUnits,
    openUnits: wish.units - leasedUnits,
    cost: rows.reduce((sum, { price, units }) => sum + microToWei(price) * BigInt(units), 0n),
    nodes: rows.map(({ nodeId, units, price }) => ({ nodeId, units, price: microToWei(price) })),
    classes: wish.classes.map(({ classId }) => {
      const found = supply.find(({ id }) => id === classId);
      const listed = new Set(found?.nodes.map(({ id }) => id));
      const ticks = found?.nodes.map(({ tick }) => tick) ?? [];
      return {
        name: found?.name ?? String(classId),
        units: rows.filter(({ nodeId }) => listed.has(nodeId)).reduce((sum, { units }) => sum + units, 0),
        listed: found?.nodes.reduce((sum, { units }) => sum + units, 0) ?? 0,
        ...(ticks.length > 0 && { lowestAsk: microToWei(Math.min(...ticks) * (found?.tickSize ?? 0)) }),
      };
    }),
  };
}

/** The protocol's fee on an amount, rounded up as the contracts do. */
export function feeOn(amount: bigint, feeBps: number): bigint {
  return (amount * BigInt(feeBps) + 9_999n) / 10_000n;
}
