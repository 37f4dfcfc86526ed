import type { SnapshotClass } from "../chain/snapshot.ts";

/** What is needed to say why a task waits. Prices in micro-VER, times in seconds. */
export interface WaitingView {
  readonly status: "open" | "closing" | "ended" | "none";
  readonly openUnits: number;
  readonly leasedUnits: number;
  readonly inRound: boolean;
  /** Place in the queue from 0; undefined if it does not stand there. */
  readonly place: number | undefined;
  readonly maxPrice: number;
  readonly classes: readonly { readonly classId: number; readonly surcharge: number }[];
  readonly supply: readonly SnapshotClass[];
  readonly now: number;
  readonly deadline: number;
  /** Least time that must be left for a unit to be leased. */
  readonly minLeaseTime: number;
  readonly intakePaused: boolean;
  readonly round: "seeding" | "settling" | "none" | "settled" | "aborted";
  readonly roundMaxTasks: number;
}

/** Why a task has units that no node runs; undefined if it has none. Pure; O(listed nodes of its classes). */
export function whyWaiting(view: WaitingView): string | undefined {
  if (view.openUnits === 0 || view.status === "ended") return undefined;
  if (view.status === "closing") return "it is being closed: open units are refunded when the round is over";
  if (view.now + view.minLeaseTime > view.deadline) {
    return `its deadline is too near for a lease, which needs ${String(view.minLeaseTime)} s; cancel it to get the rest back`;
  }
  if (view.inRound) {
    return view.round === "seeding"
      ? "it is in the open round, which waits for its seed"
      : "it is in the open round, which a keeper is about to settle";
  }
  const offers = view.classes.map(({ classId, surcharge }) => {
    const found = view.supply.find(({ id }) => id === classId);
    const limit = view.maxPrice - surcharge;
    const prices = (found?.nodes ?? []).map(({ tick, units }) => ({ price: tick * (found?.tickSize ?? 0), units }));
    return {
      name: found?.name ?? String(classId),
      affordable: prices.filter(({ price }) => price <= limit).reduce((sum, { units }) => sum + units, 0),
      // What one more micro-VER would have to be added up to.
      missing: prices.length === 0 ? undefined : Math.min(...prices.map(({ price }) => price)) - limit,
    };
  });
  if (offers.every(({ missing }) => missing === undefined)) {
    return `no node of its classes (${offers.map(({ name }) => name).join(", ")}) has free units now`;
  }
  if (offers.every(({ affordable }) => affordable === 0)) {
    const nearest = offers.reduce((a, b) => ((a.missing ?? Infinity) <= (b.missing ?? Infinity) ? a : b));
    return `its maximum price is too low: the cheapest node that is free (${nearest.name}) needs ${micro(nearest.missing ?? 0)} VER more a unit`;
  }
  if (view.intakePaused) return "the guardian has paused new rounds";
  if (view.place !== undefined && view.place >= view.roundMaxTasks) {
    return `${String(view.place)} tasks stand before it in the queue; a round takes ${String(view.roundMaxTasks)}`;
  }
  return "it stands in the queue and joins the next round";
}

function micro(amount: number): string {
  return String(amount / 1e6);
}
