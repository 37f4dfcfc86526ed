import { Random } from "@verai/executor/trainers/digits/random";

/** Seconds of the chain's clock that a step passes. */
export const STEP_SECONDS = 300;
/** Steps of a day. */
export const DAY = 86_400 / STEP_SECONDS;

/** How large a soak is. */
export interface SoakSize {
  readonly steps: number;
  /** Nodes of actors. */
  readonly nodes: number;
  /** Tasks of actors. */
  readonly tasks: number;
  /** Real agents, in a class of their own; and steps between two tasks for them. */
  readonly agents: number;
  readonly agentTaskEvery: number;
}

/** A month of two hundred nodes and five thousand tasks, or so many days of it. */
export function sizeOf(days: number): SoakSize {
  const tasks = Math.max(1, Math.round((5_000 * days) / 30));
  return { steps: Math.round(days * DAY), nodes: 200, tasks, agents: 4, agentTaskEvery: DAY / 2 };
}

/** Two days less three hours of twenty nodes. */
export const QUICK: SoakSize = { steps: 540, nodes: 20, tasks: 150, agents: 3, agentTaskEvery: 96 };

/** Classes of a local chain that actors use: real agents have `AGENT_CLASS` to themselves. */
const ACTOR_CLASSES = [0, 2, 3] as const;
export const AGENT_CLASS = { id: 1, name: "cpu/us" } as const;

/** How a node of an actor leaves the network. */
export type Leaving =
  /** It drains, hands its work in, and comes back. */
  | "drains"
  /** It is gone in the middle of its work. */
  | "vanishes"
  /** Its owner takes the stake back and registers a new one. */
  | "exits";

/** From `from` until before `until` a node is away. */
export interface Absence {
  readonly from: number;
  readonly until: number;
  readonly how: Leaving;
}

/** A node that an actor plays. */
export interface PlannedNode {
  readonly classId: number;
  readonly capacity: number;
  /** Ticks of its class. */
  readonly ask: number;
  /** Step in which it first registers. */
  readonly comes: number;
  readonly absences: readonly Absence[];
}

/** What a developer's actor thinks of a result. */
export type Verdict =
  /** It is accepted at once. */
  | "accepts"
  /** Nobody looks: it is paid when the window for disputes is over. */
  | "waits"
  /** It is disputed, and the arbiter rules for the node, or against it. */
  | "disputesWrongly"
  | "disputesRightly";

/** A task of a developer's actor. */
export interface PlannedTask {
  readonly step: number;
  readonly developer: number;
  readonly units: number;
  /** Ticks of the class's nodes. */
  readonly maxPrice: number;
  readonly classIds: readonly number[];
  /** Seconds between checkpoints. */
  readonly interval: number;
  /** Steps that a unit's work takes; the units of a lease run side by side. */
  readonly work: number;
  readonly verdict: Verdict;
}

/** What is done to the network. */
export type FaultKind =
  | "kill agent"
  | "stall agent"
  | "cut agent off"
  | "lose answers"
  | "damage block"
  | "kill keeper"
  | "cut keeper off"
  | "silence oracle"
  | "silence confirmation"
  | "low funds"
  | "gas times 100"
  | "reorganise"
  | "pause intake"
  | "govern"
  | "upgrade agents"
  | "migrate";

/** A fault of the schedule. */
export interface SoakFault {
  readonly step: number;
  readonly kind: FaultKind;
  /** Steps after which it is over; 0: it happens at once. */
  readonly lasts: number;
  /** Agent or keeper that it hits, where it hits one. */
  readonly target?: number;
  /** Number that decides the rest: which block, how deep. */
  readonly amount: number;
}

/** All that a seed decides. */
export interface SoakPlan {
  readonly seed: number;
  readonly size: SoakSize;
  readonly nodes: readonly PlannedNode[];
  readonly tasks: readonly PlannedTask[];
  readonly faults: readonly SoakFault[];
}

/** Real keepers of every kind. The first is never killed: what it takes must stay flat. */
export const KEEPERS = 2;
/** Developers' actors. */
export const DEVELOPERS = 8;

/** What a fault of a kind looks like. */
interface Kind {
  readonly kind: FaultKind;
  /** Steps that it lasts at least, and by how many more at most. */
  readonly lasts: readonly [number, number];
  /** Times in a month. */
  readonly often: number;
  readonly hits?: "agent" | "keeper";
}

/**
 * Kinds of which one lasts at a time in each group: each would hide the others of its group. A rule for alerts has to have time to
 * fire: its minutes are seconds here, see `alerts.ts`.
 */
const GROUPS: readonly (readonly Kind[])[] = [
  [
    { kind: "silence oracle", lasts: [160, 20], often: 3 },
    { kind: "silence confirmation", lasts: [130, 15], often: 3 },
    { kind: "gas times 100", lasts: [30, 20], often: 4 },
  ],
  [
    { kind: "low funds", lasts: [215, 20], often: 2, hits: "keeper" },
    { kind: "kill keeper", lasts: [30, 15], often: 6, hits: "keeper" },
    { kind: "cut keeper off", lasts: [40, 15], often: 6, hits: "keeper" },
  ],
  [
    { kind: "kill agent", lasts: [30, 40], often: 8, hits: "agent" },
    { kind: "stall agent", lasts: [30, 20], often: 5, hits: "agent" },
    { kind: "cut agent off", lasts: [40, 30], often: 6, hits: "agent" },
    { kind: "lose answers", lasts: [10, 20], often: 5, hits: "agent" },
    { kind: "damage block", lasts: [0, 0], often: 8, hits: "agent" },
  ],
  [{ kind: "reorganise", lasts: [0, 0], often: 12 }],
  [{ kind: "pause intake", lasts: [12, 24], often: 3 }],
];

/** Parts of a run: at its beginning everybody arrives, late in it the network moves, at its end work comes to its end. */
const PARTS = { begin: 0.05, upgrade: 0.55, migrate: 0.86, end: 0.97 } as const;
/** Steps between two faults of a group. */
const GAP = 12;

/** Random numbers of a stream of their own, so that parts of a plan do not change with each other's rules. */
function stream(
  seed: number,
  name: number,
): { readonly below: (bound: number) => number; readonly word: () => number } {
  const random = Random.seeded((seed ^ Math.imul(name, 0x9e37_79b9)) >>> 0);
  return { below: (bound) => Math.floor(random.fraction() * bound), word: () => random.word() };
}

/** Everything that a soak of this size does, the same for the same seed. Pure; O(nodes + tasks + faults²). */
export function planSoak(seed: number, size: SoakSize): SoakPlan {
  return {
    ...{ seed, size },
    nodes: planNodes(seed, size),
    tasks: planTasks(seed, size),
    faults: planFaults(seed, size),
  };
}

function planNodes(seed: number, { nodes, steps }: SoakSize): PlannedNode[] {
  const { below } = stream(seed, 1);
  return Array.from({ length: nodes }, (_, i): PlannedNode => {
    const classId = ACTOR_CLASSES[i % ACTOR_CLASSES.length] ?? 0;
    const capacity = 1 + below(8);
    const ask = 5 + below(40);
    // Three quarters are there from the beginning, the others come one by one.
    const comes = i % 4 === 3 ? below(Math.floor(steps / 2)) : 0;
    const absences: Absence[] = [];
    // Away every three days or so, for some hours; a third of the time in the middle of its work.
    const rarely = Math.min(6 * DAY, Math.floor(steps / 2));
    for (let from = comes + 12 + below(rarely); from < steps * PARTS.migrate; from += below(rarely)) {
      const how = (["drains", "drains", "vanishes", "drains", "exits", "vanishes"] as const)[below(6)] ?? "drains";
      const until = from + 24 + below(96);
      absences.push({ from, until, how });
      from = until + 12;
    }
    absences.sort((a, b) => a.from - b.from);
    return { classId, capacity, ask, comes, absences: absences.filter(apart) };
  });
}

/** Whether an absence begins after the one before has ended. */
function apart({ from }: Absence, i: number, all: readonly Absence[]): boolean {
  return all.slice(0, i).every(({ until }) => until + 6 < from);
}

function planTasks(seed: number, { tasks, steps }: SoakSize): PlannedTask[] {
  const { below } = stream(seed, 2);
  const verdicts: readonly Verdict[] = [
    ...Array.from({ length: 16 }, () => "accepts" as const),
    "waits",
    "waits",
    "disputesWrongly",
    "disputesRightly",
  ];
  const last = Math.floor(steps * 0.92);
  const planned = Array.from({ length: tasks }, (_, i): PlannedTask => {
    const first = below(ACTOR_CLASSES.length);
    const classIds = ACTOR_CLASSES.filter((_id, k) => k === first || below(3) === 0);
    // Spread over the run, with a crowd at noon.
    const at = Math.floor(((i + below(1_000) / 1_000) / tasks) * last);
    const step = below(3) === 0 ? Math.min(last - 1, Math.floor(at / DAY) * DAY + DAY / 2) : at;
    return {
      step: Math.max(4, step),
      developer: below(DEVELOPERS),
      units: 1 + below(below(4) === 0 ? 8 : 3),
      // Some offer less than anybody asks, and raise their price or go.
      maxPrice: below(12) === 0 ? 3 : 50 + below(40),
      classIds,
      interval: 3_600 * (1 + below(4)),
      work: 12 + below(below(5) === 0 ? 288 : 96),
      verdict: verdicts[below(verdicts.length)] ?? "accepts",
    };
  });
  return planned.sort((a, b) => a.step - b.step);
}

/**
 * The faults of a run: each kind at least once, as often as in a month by the run's length, those of a group one after the other
 * with what is left of the time between them at random.
 */
function planFaults(seed: number, { steps, agents }: SoakSize): SoakFault[] {
  const at = (share: number): number => Math.floor(steps * share);
  const { word } = stream(seed, 3);
  const faults: SoakFault[] = [
    // Governance asks for a change early, so that its delay is over in time.
    { step: at(PARTS.begin), kind: "govern", lasts: 0, amount: word() },
    { step: at(PARTS.upgrade), kind: "upgrade agents", lasts: 0, amount: word() },
    { step: at(PARTS.migrate), kind: "migrate", lasts: 0, amount: word() },
  ];
  for (const [g, group] of GROUPS.entries()) {
    const random = stream(seed, 10 + g);
    const wanted = group.flatMap((kind) =>
      Array.from({ length: Math.max(1, Math.round((kind.often * steps) / (30 * DAY))) }, () => kind),
    );
    const drawn = shuffle(wanted, random.below).map(({ kind, lasts: [least, more], hits }) => ({
      kind,
      lasts: least + random.below(more + 1),
      amount: random.word(),
      target: hits === "agent" ? random.below(agents) : kind === "cut keeper off" ? random.below(KEEPERS) : 1,
      isTargeted: hits !== undefined,
    }));
    // While the network moves nothing else is out of order.
    const [from, until] = [at(PARTS.begin), at(PARTS.migrate) - GAP];
    const slack = until - from - drawn.reduce((sum, { lasts }) => sum + lasts + GAP, 0);
    if (slack < 0)
      throw new RangeError(`${String(steps)} steps are too few for every fault: take ${String(steps - slack)}`);
    const pauses = drawn.map(() => random.below(slack + 1)).sort((a, b) => a - b);
    let busy = 0;
    for (const [i, { kind, lasts, amount, target, isTargeted }] of drawn.entries()) {
      faults.push({ step: from + (pauses[i] ?? 0) + busy, kind, lasts, amount, ...(isTargeted && { target }) });
      busy += lasts + GAP;
    }
  }
  return faults.sort((a, b) => a.step - b.step || a.kind.localeCompare(b.kind));
}

/** In random order (Fisher and Yates). */
function shuffle<T>(items: readonly T[], below: (bound: number) => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

/** Whether the plan has a task submitted for real agents in a step, but for what is out of order then. Pure. */
export function hasAgentTask({ steps, agentTaskEvery }: SoakSize, step: number): boolean {
  return step % agentTaskEvery === 5 && step < steps * 0.92;
}

/** Of planned tasks for real agents, how many must be submitted: a developer may still wait for the one before. */
const LEAST_SUBMITTED = 0.75;

/**
 * Tasks for real agents that a run has to submit at least: most of those planned while intake is open and before the network moves, and the one
 * at the second deployment. Pure; O(steps × faults).
 */
export function leastAgentTasks({ size, faults }: Pick<SoakPlan, "size" | "faults">): number {
  const moves = faults.find(({ kind }) => kind === "migrate")?.step ?? size.steps;
  const pauses = faults.filter(({ kind }) => kind === "pause intake");
  let planned = 0;
  for (let at = 0; at < moves; at++) {
    const isPaused = pauses.some(({ step, lasts }) => step <= at && at < step + lasts);
    if (hasAgentTask(size, at) && !isPaused) planned += 1;
  }
  return Math.ceil(planned * LEAST_SUBMITTED) + 1;
}

/** Whether a kind hits an agent. */
export function isOfAgent(kind: FaultKind): boolean {
  return /agent|answers|block/.test(kind) && kind !== "upgrade agents";
}

/** All that a plan has in it, in lines for people: two runs of one seed print the same. Pure. */
export function linesOf({ seed, size, nodes, tasks, faults }: SoakPlan): string[] {
  const units = tasks.reduce((sum, each) => sum + each.units, 0);
  const away = nodes.flatMap(({ absences }) => absences);
  const count = (how: Leaving): string => `${String(away.filter((each) => each.how === how).length)} ${how}`;
  return [
    `seed ${String(seed)}: ${String(size.steps)} steps of ${String(STEP_SECONDS)} s, ${(size.steps / DAY).toFixed(1)} days`,
    `${String(nodes.length)} nodes, away ${String(away.length)} times: ${[count("drains"), count("vanishes"), count("exits")].join(", ")}`,
    `${String(tasks.length)} tasks of ${String(units)} units; ${String(size.agents)} real agents, for which there is a task every ${String(size.agentTaskEvery)} steps`,
    ...faults.map(({ step, kind, lasts, target, amount }) => {
      const whom = target === undefined ? "" : ` ${String(target)}`;
      return `step ${String(step)}: ${kind}${whom}${lasts > 0 ? ` for ${String(lasts)} steps` : ` (${String(amount)})`}`;
    }),
  ];
}
