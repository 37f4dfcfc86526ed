/** A check, or one part of it. */
export interface Step {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Cores that it keeps busy while it runs; the rest of its time it waits. */
  readonly load: number;
  /** Whether it computes what nothing waits for, at low priority: in what the others leave of the cores, at whatever time. */
  readonly fills?: boolean;
  /** The step without whose success this one makes no sense. */
  readonly needs?: string;
  /** What of the repository it has to itself; steps that name the same never run at once. */
  readonly holds?: string;
}

/** What runs, and what has ended. */
export interface State {
  readonly running: ReadonlySet<string>;
  /** Whether each step that has ended passed. */
  readonly ended: ReadonlyMap<string, boolean>;
}

/** Lanes by which times are summed up, and of which each has the cores to itself: what fills is last in turn for them. */
export type Lane = "filling" | "waiting";

export function laneOf({ fills }: Step): Lane {
  return fills === true ? "filling" : "waiting";
}

/**
 * Steps to start now: in their order, in each lane as many as the cores carry. Steps that wait leave much of the cores, at moments that
 * nobody can foretell; steps that fill take it, whose low priority keeps them from making the others late. No more than that: agents that
 * wait for each other cost by the minute. In each lane at least one runs as long as any is left that can. Pure; O(steps²).
 */
export function toStart(steps: readonly Step[], { running, ended }: State, cores: number): Step[] {
  const chosen: Step[] = [];
  const held = new Set(steps.filter(({ name }) => running.has(name)).map(({ holds }) => holds));
  const loads: Record<Lane, number> = { filling: 0, waiting: 0 };
  for (const step of steps) if (running.has(step.name)) loads[laneOf(step)] += step.load;
  for (const step of steps) {
    if (running.has(step.name) || ended.has(step.name)) continue;
    if (step.holds !== undefined && held.has(step.holds)) continue;
    if (step.needs !== undefined && ended.get(step.needs) !== true) continue;
    const lane = laneOf(step);
    // Loads are sums of decimal fractions.
    if (loads[lane] > 0 && loads[lane] + step.load > cores + 1e-9) continue;
    chosen.push(step);
    held.add(step.holds);
    loads[lane] += step.load;
  }
  return chosen;
}

/** Steps that will not run, because what they need has failed or does not run. */
export function notRun(steps: readonly Step[], ended: ReadonlyMap<string, boolean>): Step[] {
  return steps.filter(({ name }) => !ended.has(name));
}
