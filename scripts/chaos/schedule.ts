import { Random } from "@verai/executor/trainers/digits/random";

/** What can be done to the network. */
export type FaultKind =
  /** An agent ends at once (SIGKILL), and is started again later. */
  | "kill agent"
  /** An agent stands still (SIGSTOP) for a while. */
  | "stall agent"
  /** An agent is told to leave (SIGTERM) and comes back later. */
  | "drain agent"
  /** An agent cannot reach the chain for a while. */
  | "cut agent off"
  /** What an agent sends reaches the chain, but the answers are lost for a while. */
  | "lose answers"
  /** A block on an agent's disk is overwritten. */
  | "damage block"
  /** A keeper ends at once, and is started again later. */
  | "kill keeper"
  | "stall keeper"
  /** A keeper cannot reach the chain for a while. */
  | "cut keeper off"
  /** The oracle answers nothing for a while. */
  | "silence oracle"
  /** The chain's clock leaps forward. */
  | "leap";

/** A fault of the schedule. */
export interface PlannedFault {
  /** Step at whose beginning it happens, from 0 on. */
  readonly step: number;
  readonly kind: FaultKind;
  /** Index of the agent or the keeper that it hits, where it hits one. */
  readonly agent?: number;
  readonly keeper?: number;
  /** Steps after which it is over; 0 for what happens at once. */
  readonly lasts: number;
  /** For a leap: seconds. For a damaged block: which of the agent's blocks, as a share of 2^32. */
  readonly amount: number;
}

/** How often each kind comes, relative to the others. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  "kill agent": 5,
  "stall agent": 3,
  "drain agent": 2,
  "cut agent off": 3,
  "lose answers": 2,
  "damage block": 4,
  "kill keeper": 2,
  "stall keeper": 1,
  "cut keeper off": 2,
  "silence oracle": 1,
  leap: 3,
};

/** Agents that are out of order at the same time: some have to be left to take over. */
const MOST_AGENTS_DOWN = 2;

/** Keepers of the network. They may all be out of order at once. */
export const KEEPERS = 2;

/** Steps that a fault lasts at most. */
const LONGEST = 4;

/**
 * The faults of a run, the same for the same seed. One a step, but never more than two agents out of order at once, nor
 * anything twice while it is out of order. Pure; O(steps).
 */
export function planFaults(seed: number, steps: number, agents: number): PlannedFault[] {
  const random = Random.seeded(seed);
  const below = (bound: number) => Math.floor(random.fraction() * bound);
  const kinds = (Object.entries(WEIGHTS) as [FaultKind, number][]).flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind),
  );
  /** Until which step each thing is out of order. */
  const down = new Map<string, number>();
  const isDown = (what: string, step: number) => (down.get(what) ?? 0) > step;
  const faults: PlannedFault[] = [];
  for (let step = 0; step < steps; step++) {
    // All numbers are drawn whatever comes of them, so that a change of one rule moves as little as possible.
    const kind = kinds[below(kinds.length)] ?? "leap";
    const agent = below(agents);
    const lasts = 1 + below(LONGEST);
    const amount = random.word();
    const keeper = amount % KEEPERS;
    const hitsAgent = /agent|answers|block/.test(kind);
    const hitsKeeper = kind.includes("keeper");
    const hits = hitsAgent ? `agent ${String(agent)}` : hitsKeeper ? `keeper ${String(keeper)}` : kind;
    if (kind === "leap") {
      faults.push({ step, kind, lasts: 0, amount: 1 + (amount % 4) });
    } else if (kind === "damage block") {
      faults.push({ step, kind, agent, lasts: 0, amount });
    } else if (!isDown(hits, step)) {
      const others = [...down].filter(([what, until]) => what.startsWith("agent") && until > step).length;
      if (hitsAgent && others >= MOST_AGENTS_DOWN) continue;
      down.set(hits, step + lasts);
      faults.push({ step, kind, lasts, amount, ...(hitsAgent && { agent }), ...(hitsKeeper && { keeper }) });
    }
  }
  return faults;
}
