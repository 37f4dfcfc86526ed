import { formatPrice } from "../../money/ver.ts";

/** The one thing that somebody waits for: what it is, what was found, what it has to be, and what can be done. */
export interface Cause {
  /** For programs, and to see whether the cause is still the same. */
  readonly code: string;
  readonly what: string;
  /** What was found; empty where the words say it all. */
  readonly value: string;
  /** What it would have to be; empty where there is nothing to compare with. */
  readonly bound: string;
  readonly remedy: string;
}

/** A cause as one line for people. */
export function causeText({ what, value, bound, remedy }: Cause): string {
  const found = [value, bound].filter((part) => part !== "").join("; ");
  return `${what}${found === "" ? "" : ` (${found})`}${remedy === "" ? "" : `: ${remedy}`}`;
}

/** Nodes of the classes that a task accepts, by what keeps them from taking a unit now. */
export interface NodeCounts {
  /** In the market at all. */
  readonly total: number;
  /** All their units are leased. */
  readonly busy: number;
  readonly draining: number;
  readonly coolingDown: number;
  readonly throttled: number;
  /** Kept out by load, latency or missed reports. */
  readonly ineligible: number;
}

/** What a class that a task accepts offers now. Prices in micro-VER. */
export interface ClassOffer {
  readonly name: string;
  readonly surcharge: number;
  /** Lowest ask among free units; undefined if there are none. */
  readonly lowestAsk?: number;
}

/** What is needed to say why a task waits. Prices in micro-VER, times in seconds. */
export interface TaskView {
  readonly taskId: number;
  readonly status: "open" | "closing" | "ended" | "none";
  readonly openUnits: number;
  readonly submittedAt: number;
  readonly inRound: boolean;
  /** Whether it has left the queue because no round could serve it when its turn came. */
  readonly parked: boolean;
  /** What is left to pay for its places in rounds, rounded down, and what a round of its own would cost. */
  readonly roundDeposit: number;
  readonly seedPrice: number;
  /** Place in the queue from 0; undefined if it is not in it. */
  readonly place: number | undefined;
  readonly maxPrice: number;
  readonly offers: readonly ClassOffer[];
  readonly nodes: NodeCounts;
  readonly now: number;
  readonly deadline: number;
  /** Time that must be left for a unit to be leased. */
  readonly minLeaseTime: number;
  readonly intakePaused: boolean;
  readonly round: { readonly status: string; readonly openedAt: number; readonly closedAt: number };
  /** Status of the batch of reassignments, which goes before a round. */
  readonly batch: string;
  readonly roundInterval: number;
  readonly seedTimeout: number;
  readonly settleTimeout: number;
  readonly roundMaxTasks: number;
}

/** Seconds beyond its time after which a round that nobody opens is called missing. */
const KEEPER_SECONDS = 120;

/** Why a task has units that no node runs; undefined if it has none. Pure; O(classes). */
export function taskCause(view: TaskView): Cause | undefined {
  const { taskId, now } = view;
  if (view.openUnits === 0 || view.status === "ended" || view.status === "none") return undefined;
  const cancel = `cancel it with \`npx hardhat task:cancel --task ${String(taskId)}\``;
  if (view.status === "closing") {
    return cause("closing", "it is being closed: open units are refunded when the round is over", "", "", "");
  }
  if (now + view.minLeaseTime > view.deadline) {
    return cause(
      "deadline",
      "its deadline is too near for a lease",
      `${span(view.deadline - now)} left`,
      `a lease needs ${span(view.minLeaseTime)}`,
      `${cancel} to get the rest back, and submit it with a later deadline`,
    );
  }
  if (view.inRound) return inRound(view);
  if (view.intakePaused) {
    return cause(
      "paused",
      "the guardian has paused new rounds",
      "",
      "",
      "wait until the guardian resumes; leases that run go on",
    );
  }
  return deposit(view) ?? nobodyFree(view, cancel) ?? tooCheap(view) ?? parked(view) ?? queued(view);
}

function deposit({ taskId, roundDeposit, seedPrice }: TaskView): Cause | undefined {
  if (roundDeposit >= seedPrice) return undefined;
  return cause(
    "deposit",
    "what is left of its round deposit does not pay for the seed of a round",
    `${formatPrice(roundDeposit)} VER`,
    `at least ${formatPrice(seedPrice)} VER`,
    `add to it with \`npx hardhat task:fund --task ${String(taskId)} --amount ${formatPrice(8 * seedPrice)}\`; what is left comes back`,
  );
}

function parked({ taskId, parked }: TaskView): Cause | undefined {
  if (!parked) return undefined;
  return cause(
    "parked",
    "it left the queue when nothing could serve it, and something can now",
    "parked",
    "in the queue",
    `put it back with \`npx hardhat task:enqueue --task ${String(taskId)}\`, or wait until a keeper does`,
  );
}

function inRound({ round, now, seedTimeout, settleTimeout }: TaskView): Cause {
  const waited = now - round.openedAt;
  if (round.status === "seeding") {
    const late = waited > seedTimeout;
    return cause(
      "seed",
      "it is in the open round, which waits for its seed from the oracle",
      `for ${span(waited)}`,
      `at most ${span(seedTimeout)}`,
      late
        ? "end the round with `npx hardhat round:abort`; the task keeps its place"
        : "wait; after that anyone may end the round, and the task keeps its place",
    );
  }
  const bound = seedTimeout + settleTimeout;
  return cause(
    "settle",
    "it is in the open round, which a keeper is about to settle",
    `for ${span(waited)}`,
    `at most ${span(bound)}`,
    waited > bound ? "end the round with `npx hardhat round:abort`; the task keeps its place" : "wait",
  );
}

function nobodyFree({ offers, nodes }: TaskView, cancel: string): Cause | undefined {
  if (offers.some(({ lowestAsk }) => lowestAsk !== undefined)) return undefined;
  const names = offers.map(({ name }) => name).join(", ");
  const more = `wait, or ${cancel} and submit it with more classes`;
  if (nodes.total === 0)
    return cause("noNode", `no node of its classes (${names}) is in the market`, "0 nodes", "at least 1", more);
  const reasons = [
    [nodes.busy, "busy"],
    [nodes.throttled, "throttled for their power"],
    [nodes.ineligible, "kept out by their load, latency or missing reports"],
    [nodes.coolingDown, "cooling down"],
    [nodes.draining, "draining"],
  ] as const;
  const told = reasons.filter(([count]) => count > 0).map(([count, why]) => `${String(count)} ${why}`);
  const of = `${told.join(", ") || "0 listed"}, of ${String(nodes.total)}`;
  return cause(
    nodes.busy === nodes.total ? "busy" : "notFree",
    `no node of its classes (${names}) has free units now`,
    of,
    "at least 1 free unit",
    more,
  );
}

function tooCheap({ offers, maxPrice, taskId }: TaskView): Cause | undefined {
  const needs = offers.flatMap(({ name, surcharge, lowestAsk }) =>
    lowestAsk === undefined ? [] : [{ name, needed: lowestAsk + surcharge }],
  );
  const nearest = needs.reduce<(typeof needs)[number] | undefined>(
    (a, b) => (a && a.needed <= b.needed ? a : b),
    undefined,
  );
  if (!nearest || nearest.needed <= maxPrice) return undefined;
  return cause(
    "price",
    `its maximum price is too low: the cheapest node that is free (${nearest.name}) needs ${formatPrice(nearest.needed - maxPrice)} VER more a unit`,
    `${formatPrice(maxPrice)} VER`,
    `at least ${formatPrice(nearest.needed)} VER`,
    `raise it with \`npx hardhat task:raise-price --task ${String(taskId)} --max-price ${formatPrice(nearest.needed)}\`, or wait for a cheaper node`,
  );
}

function queued({ place, roundMaxTasks, round, batch, roundInterval, seedTimeout, submittedAt, now }: TaskView): Cause {
  if (place !== undefined && place >= roundMaxTasks) {
    return cause(
      "queue",
      `${String(place)} tasks stand before it in the queue`,
      `place ${String(place + 1)}`,
      `a round takes at most ${String(roundMaxTasks)}`,
      "wait for the next rounds",
    );
  }
  if (round.status === "seeding" || round.status === "settling") {
    return cause(
      "round",
      "another round is open, and it joins the next one",
      `for ${span(now - round.openedAt)}`,
      `at most ${span(seedTimeout)} for the seed`,
      "wait",
    );
  }
  if (batch === "seeding" || batch === "drawing") {
    return cause(
      "batch",
      "units of failed nodes are drawn for first, and it joins the round after that",
      batch === "seeding" ? "waiting for the oracle" : "drawing",
      `at most ${span(seedTimeout)} for the seed`,
      "wait",
    );
  }
  const due = Math.max(round.closedAt + roundInterval, submittedAt);
  if (now > due + KEEPER_SECONDS) {
    return cause(
      "keepers",
      "it stands in the queue, and no keeper opens a round",
      `due ${span(now - due)} ago`,
      `every ${span(roundInterval)}`,
      "run a keeper, or open the round yourself with `npx hardhat round:open`",
    );
  }
  const left = Math.max(0, due - now);
  return cause(
    "next",
    "it stands in the queue and joins the next round",
    left === 0 ? "due now" : `due in ${span(left)}`,
    `every ${span(roundInterval)}`,
    "wait",
  );
}

/** A task that waits, as a node sees it. Prices in micro-VER. */
export interface WaitingTask {
  readonly maxPrice: number;
  readonly classes: readonly { readonly classId: number; readonly surcharge: number }[];
}

/** What is needed to say why a node has nothing to do. Prices in micro-VER, times in seconds. */
export interface IdleView {
  readonly nodeId: number;
  readonly status: "none" | "active" | "draining" | "unbonding" | "withdrawn";
  readonly leased: number;
  readonly listedUnits: number;
  readonly cooldownUntil: number;
  /** Units that its stake covers, and those of them that are bound by undecided deliveries. */
  readonly covered: number;
  readonly undecided: number;
  /** Whether its reports let it take new work. */
  readonly eligible: boolean;
  /** Its last report and the bounds; only looked at where it is not fit. Basis points, milliseconds. */
  readonly report?: {
    readonly throttled: boolean;
    readonly silentFor: number;
    readonly reportTimeout: number;
    readonly load: number;
    readonly loadLimit: number;
    readonly latency: number;
    readonly latencyLimit: number;
    readonly watts: number;
    readonly powerThreshold: number;
  };
  readonly ask: number;
  readonly classId: number;
  readonly className: string;
  readonly intakePaused: boolean;
  readonly now: number;
  readonly queueLength: number;
  /** The waiting tasks; undefined if not all of them were read, so that nothing is concluded from those that were. */
  readonly waiting?: readonly WaitingTask[];
}

/** Why a node has nothing to do; undefined if it has. Pure; O(waiting tasks × classes). */
export function idleCause(view: IdleView): Cause | undefined {
  const { nodeId, covered, undecided, now } = view;
  const node = `--node ${String(nodeId)}`;
  if (view.leased > 0) return undefined;
  if (view.status !== "active") {
    return cause(
      view.status,
      `the node is ${view.status}`,
      view.status,
      "active",
      view.status === "draining"
        ? `resume it with \`npx hardhat node:resume ${node}\` to take leases again`
        : "register another node",
    );
  }
  if (now < view.cooldownUntil) {
    return cause(
      "coolingDown",
      "cooling down after a failed lease",
      `for another ${span(view.cooldownUntil - now)}`,
      "0 s",
      "wait",
    );
  }
  if (covered < 1) {
    return cause(
      "stake",
      "the stake does not cover a single unit",
      "0 units",
      "at least 1",
      `add stake with \`npx hardhat node:stake ${node} --amount …\``,
    );
  }
  if (undecided >= covered) {
    return cause(
      "stakeBound",
      `the stake is bound by ${String(undecided)} delivered units until they are paid`,
      `${String(undecided)} of ${String(covered)} units`,
      `fewer than ${String(covered)}`,
      `wait, or add stake with \`npx hardhat node:stake ${node} --amount …\``,
    );
  }
  if (!view.eligible) return ineligible(view);
  if (view.intakePaused)
    return cause("paused", "the guardian has paused new rounds", "", "", "wait until the guardian resumes");
  if (view.listedUnits === 0) {
    return cause(
      "notListed",
      "the listing is behind",
      "0 units",
      "at least 1",
      "wait: it is synced as soon as no round is open",
    );
  }
  if (view.queueLength === 0) return cause("noTask", "no task is waiting", "", "", "");
  return (
    noTaskFits(view) ??
    cause(
      "round",
      "waiting for a round that reaches this node's price",
      `${formatPrice(view.ask)} VER`,
      "",
      "wait, or lower the ask with `npx hardhat node:update`",
    )
  );
}

function ineligible({ report, className }: IdleView): Cause {
  if (!report) {
    return cause(
      "ineligible",
      "its last report keeps it out of new work: its load or latency is too high, it is throttled, or it was silent",
      "",
      "",
      "look at the agent's log",
    );
  }
  const { throttled, silentFor, reportTimeout, load, loadLimit, latency, latencyLimit, watts, powerThreshold } = report;
  if (throttled) {
    return cause(
      "throttled",
      "its last report keeps it out of new work: it is throttled, because it drew more power than its threshold",
      `${String(watts)} W`,
      `at most ${String(powerThreshold)} W`,
      "lower its power, or raise the threshold with `npx hardhat node:update --power-threshold …`",
    );
  }
  if (silentFor > reportTimeout) {
    return cause(
      "silent",
      "it has not reported in time",
      `for ${span(silentFor)}`,
      `at most ${span(reportTimeout)}`,
      "start the agent, and see in its log whether reports go out",
    );
  }
  if (latency > latencyLimit) {
    return cause(
      "latency",
      `its last report keeps it out of new work: its latency is too high for class ${className}`,
      `${String(latency)} ms`,
      `at most ${String(latencyLimit)} ms`,
      "bring it nearer to its peers, or give its connection more room",
    );
  }
  return cause(
    "load",
    "its last report keeps it out of new work: its load is too far above the network's average",
    percent(load),
    `at most ${percent(loadLimit)}`,
    "end other programs on the machine, or lower the capacity",
  );
}

function noTaskFits({ waiting, classId, className, ask }: IdleView): Cause | undefined {
  if (!waiting || waiting.length === 0) return undefined;
  const limits = waiting.flatMap(({ maxPrice, classes }) =>
    classes.filter((one) => one.classId === classId).map(({ surcharge }) => maxPrice - surcharge),
  );
  if (limits.length === 0) {
    return cause(
      "class",
      `no waiting task accepts class ${className}`,
      `${String(waiting.length)} tasks wait`,
      "at least 1 that accepts it",
      "wait",
    );
  }
  const highest = Math.max(...limits);
  if (highest >= ask) return undefined;
  return cause(
    "ask",
    "its ask is above what every waiting task pays",
    `${formatPrice(ask)} VER`,
    `at most ${formatPrice(Math.max(0, highest))} VER`,
    "wait, or lower the ask with `npx hardhat node:update --ask …`",
  );
}

function cause(code: string, what: string, value: string, bound: string, remedy: string): Cause {
  return { code, what, value, bound, remedy };
}

/** Seconds as people read them, with the two largest units. */
function span(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${String(count)} ${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

function percent(basisPoints: number): string {
  return `${String(Math.round(basisPoints) / 100)} %`;
}
