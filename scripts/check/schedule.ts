/** A check, or one part of it. */
export interface Step {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Cores that it keeps busy while it runs on an idle machine; the rest of its time it waits. */
  readonly load: number;
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

/** Lanes by which times are summed up. */
export type Lane = "computing" | "waiting";

/** From this load on a step computes rather than waits. */
const COMPUTES = 0.9;

/** Loads that are started for each core: beside others a step waits for its turn now and then, and keeps less busy than alone. */
const LOADS_PER_CORE = 1.1;

export function laneOf({ load }: Step): Lane {
  return load >= COMPUTES ? "computing" : "waiting";
}

/**
 * Steps to start now: in their order, as many as the cores carry, so that what waits stands beside what computes, and no more: agents that
 * wait for each other cost by the minute. At least one runs as long as any is left that can. Pure; O(steps²).
 */
export function toStart(steps: readonly Step[], { running, ended }: State, cores: number): Step[] {
  const chosen: Step[] = [];
  let load = steps.reduce((sum, step) => sum + (running.has(step.name) ? step.load : 0), 0);
  const held = new Set(steps.filter(({ name }) => running.has(name)).map(({ holds }) => holds));
  for (const step of steps) {
    if (running.has(step.name) || ended.has(step.name)) continue;
    if (step.holds !== undefined && held.has(step.holds)) continue;
    if (step.needs !== undefined && ended.get(step.needs) !== true) continue;
    const idle = running.size + chosen.length === 0;
    // Loads are sums of decimal fractions.
    if (!idle && load + step.load > cores * LOADS_PER_CORE + 1e-9) continue;
    chosen.push(step);
    held.add(step.holds);
    load += step.load;
  }
  return chosen;
}

/** Steps that will not run, because what they need has failed or does not run. */
export function notRun(steps: readonly Step[], ended: ReadonlyMap<string, boolean>): Step[] {
  return steps.filter(({ name }) => !ended.has(name));
}
