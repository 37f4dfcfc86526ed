/** Who takes part in the demo: machines, tasks and the accounts of Hardhat's well-known mnemonic that they use. */

/** A contributor's machine. */
export interface ParticipantNode {
  readonly name: string;
  readonly class: string;
  readonly capacity: number;
  /** VER for a unit. */
  readonly ask: string;
  readonly energySource: "grid" | "solar" | "wind" | "hydro" | "geothermal";
  readonly ownerAccount: number;
  readonly operatorAccount: number;
  /** Maximum watts that it can draw; 200 where left out. */
  readonly powerMax?: number;
}

/** A developer's task. */
export interface ParticipantTask {
  readonly name: string;
  readonly account: number;
  readonly units: number;
  /** VER; maximum price of a unit. */
  readonly maxPrice: string;
  /** Class → surcharge in VER. */
  readonly classes: Readonly<Record<string, string>>;
  readonly hidden: readonly number[];
  readonly learningRates: readonly number[];
  /** Seconds between two checkpoints; six where left out. */
  readonly interval?: number;
  /** Ten where left out. */
  readonly epochs?: number;
  /** Chance of audits that it asks for, basis points; left out: none. */
  readonly auditChance?: number;
}

export const ACCOUNTS = { oracle: 4, keeper: 5 } as const;

/**
 * Five machines in three classes. Asks and capacities are chosen so that serving the tasks one after the other, each as
 * cheaply as it can, would leave a unit open: only the joint optimum serves all.
 */
export const NODES: readonly ParticipantNode[] = [
  {
    name: "ada",
    class: "cpu/eu",
    capacity: 4,
    ask: "0.010",
    energySource: "wind",
    ownerAccount: 10,
    operatorAccount: 6,
  },
  {
    name: "bob",
    class: "cpu/eu",
    capacity: 3,
    ask: "0.014",
    energySource: "grid",
    ownerAccount: 11,
    operatorAccount: 7,
  },
  {
    name: "cleo",
    class: "cpu/us",
    capacity: 4,
    ask: "0.008",
    energySource: "solar",
    powerMax: 1000,
    ownerAccount: 12,
    operatorAccount: 8,
  },
  {
    name: "dan",
    class: "cpu/us",
    capacity: 3,
    ask: "0.012",
    energySource: "grid",
    ownerAccount: 13,
    operatorAccount: 9,
  },
  {
    name: "eve",
    class: "gpu-24g/eu",
    capacity: 2,
    ask: "0.020",
    energySource: "hydro",
    ownerAccount: 14,
    operatorAccount: 15,
  },
];

/**
 * Two machines that join when the first round is settled. They ask too much for it, but have room for the work of those
 * that fail.
 */
export const SPARES: readonly ParticipantNode[] = [
  {
    name: "fay",
    class: "cpu/eu",
    capacity: 4,
    ask: "0.019",
    energySource: "hydro",
    ownerAccount: 20,
    operatorAccount: 18,
  },
  {
    name: "gus",
    class: "cpu/us",
    capacity: 8,
    ask: "0.021",
    energySource: "grid",
    ownerAccount: 21,
    operatorAccount: 19,
  },
];

/**
 * Four machines of a class of their own that come for the audited task. The first is the cheapest, so that it gets the task; its trainer
 * skips steps. The others verify.
 */
export const CHEAT: ParticipantNode = {
  name: "mallory",
  class: "gpu-80g/eu",
  capacity: 1,
  ask: "0.010",
  energySource: "grid",
  ownerAccount: 22,
  operatorAccount: 23,
};
export const VERIFIERS: readonly ParticipantNode[] = [
  {
    name: "hal",
    class: "gpu-80g/eu",
    capacity: 1,
    ask: "0.020",
    energySource: "wind",
    ownerAccount: 24,
    operatorAccount: 25,
  },
  {
    name: "ivy",
    class: "gpu-80g/eu",
    capacity: 1,
    ask: "0.020",
    energySource: "solar",
    ownerAccount: 26,
    operatorAccount: 27,
  },
  {
    name: "joy",
    class: "gpu-80g/eu",
    capacity: 1,
    ask: "0.020",
    energySource: "hydro",
    ownerAccount: 29,
    operatorAccount: 30,
  },
];

/** A task of one unit that asks for audits: every segment of a new node is drawn where the demo's terms hold. */
export const AUDITED: ParticipantTask = {
  name: "audited",
  account: 28,
  units: 1,
  maxPrice: "0.030",
  classes: { "gpu-80g/eu": "0" },
  hidden: [64],
  learningRates: [0.05],
  epochs: 3,
  interval: 12,
  auditChance: 100,
};

/** Two hyper-parameter searches: a unit trains one network, with one hidden size and one learning rate. */
export const TASKS: readonly ParticipantTask[] = [
  {
    name: "search A",
    account: 16,
    units: 8,
    maxPrice: "0.024",
    classes: { "cpu/eu": "0", "cpu/us": "0.003" },
    hidden: [24, 32],
    learningRates: [0.02, 0.05, 0.1, 0.2],
  },
  {
    name: "search B",
    account: 17,
    units: 7,
    maxPrice: "0.025",
    classes: { "cpu/us": "0", "gpu-24g/eu": "0" },
    hidden: [48],
    learningRates: [0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2],
  },
];
