import { Random } from "@verai/executor/trainers/digits/random";
import type { PlannedFault } from "./schedule.ts";

/** What a machine's meters show in a step, whatever it really does. */
export interface Conditions {
  /** Share of the machine in use, from 0 to 1: what its /proc/stat shows. */
  readonly load: number;
  /** Milliseconds by which its network lengthens each round trip. */
  readonly latency: number;
  /** Watts: what its RAPL counter shows. */
  readonly watts: number;
}

/** Steps for which the conditions stay the same: longer than a report takes to be made, posted and acted upon. */
export const PHASE_STEPS = 6;

/** Watts above which a node here counts as drawing too much, and the maximum that it declares. */
export const POWER = { threshold: 150, max: 400 } as const;

/**
 * The conditions of every agent at every step, the same for the same seed: in each phase one agent is loaded far above the
 * band around the average and the others far below it, one draws more power than its threshold, and each has its latency. A
 * longer run begins as a shorter one. Pure; O(steps × agents).
 */
export function planConditions(seed: number, steps: number, agents: number): Conditions[][] {
  // A stream of its own, so that faults and conditions do not change with each other's rules.
  const random = Random.seeded((seed ^ 0x5eed_c0de) >>> 0);
  const below = (bound: number) => Math.floor(random.fraction() * bound);
  // The first agents ask least, so that they have work: they are chosen three times in four, and never twice running.
  const choose = (last: number) => {
    const chosen = below(4) < 3 ? below(Math.min(3, agents)) : below(agents);
    return chosen === last ? (chosen + 1) % agents : chosen;
  };
  let [hot, hungry] = [-1, -1];
  const phases = Array.from({ length: Math.ceil(steps / PHASE_STEPS) }, () => {
    hot = choose(hot);
    hungry = choose(hungry);
    return Array.from({ length: agents }, (_, agent): Conditions => ({
      load: ((agent === hot ? 88 : 2) + below(3)) / 100,
      watts: (agent === hungry ? 180 : 40) + 5 * below(5),
      latency: 10 * below(6),
    }));
  });
  return Array.from({ length: steps }, (_, step) => phases[Math.floor(step / PHASE_STEPS)] ?? []);
}

/** What the balancing rules make of loads and power: which agents are to give, to take, and to be relieved for power. */
export interface Roles {
  readonly give: readonly number[];
  readonly take: readonly number[];
  readonly throttled: readonly number[];
}

/**
 * Roles that follow from conditions by the rules of the chain and its keepers.
 *
 * @param margin Share beyond the average from which on an agent gives or takes: the band and the keepers' hysteresis.
 */
export function rolesOf(conditions: readonly Conditions[], margin: number): Roles {
  const average = conditions.reduce((sum, { load }) => sum + load, 0) / Math.max(1, conditions.length);
  const where = (is: (each: Conditions) => boolean) => conditions.flatMap((each, i) => (is(each) ? [i] : []));
  return {
    give: where(({ load }) => load > average + margin),
    take: where(({ load }) => load < average - margin),
    throttled: where(({ watts }) => watts > POWER.threshold),
  };
}

/**
 * All that a seed decides, a line a step: the faults, what the meters show, and which agents the keepers are to relieve and
 * to give work to. Two runs of one seed print the same lines, whatever machine they run on. Pure; O(steps × agents).
 */
export function recordOf(
  faults: readonly PlannedFault[],
  conditions: readonly Conditions[][],
  margin: number,
): string[] {
  const percent = (share: number) => String(Math.round(share * 100));
  return conditions.map((each, step) => {
    const { give, take, throttled } = rolesOf(each, margin);
    const now = faults
      .filter((fault) => fault.step === step)
      .map(({ kind, agent, keeper, lasts, amount }) => {
        const whom = agent ?? keeper;
        return `${kind}${whom === undefined ? "" : ` ${String(whom)}`} (${lasts > 0 ? `${String(lasts)} steps` : String(amount)})`;
      });
    return [
      `step ${String(step)}: ${now.join(", ") || "no fault"}`,
      `load ${each.map(({ load }) => percent(load)).join(" ")} %`,
      `latency ${each.map(({ latency }) => String(latency)).join(" ")} ms`,
      `power ${each.map(({ watts }) => String(watts)).join(" ")} W`,
      `give ${give.join(" ") || "-"}, take ${take.join(" ") || "-"}, throttled ${throttled.join(" ") || "-"}`,
    ].join("; ");
  });
}

/**
 * The minimum and the maximum that an agent's meters can have shown, on average, in a report that covers these steps.
 *
 * @param from First and `to` last step that it may cover; both are cut to the run.
 */
export function boundsOf(
  conditions: readonly Conditions[][],
  agent: number,
  from: number,
  to: number,
): { readonly load: readonly [number, number]; readonly watts: readonly [number, number] } {
  const last = conditions.length - 1;
  const clip = (step: number) => Math.min(last, Math.max(0, step));
  const shown = conditions.slice(clip(from), clip(to) + 1).flatMap((each) => each[agent] ?? []);
  const ends = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  return { load: ends(shown.map(({ load }) => load)), watts: ends(shown.map(({ watts }) => watts)) };
}
