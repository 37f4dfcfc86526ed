import { z } from "zod";

import { END_REASONS } from "@verai/client/enums";
import {
  bool,
  int,
  json,
  maybeInt,
  maybeText,
  type RowOf,
  type StoredOf,
  type Table,
  table,
  text,
  wei,
} from "./columns.ts";

/** Block and time of the last change. */
const changed = {
  block: int("block of the last change"),
  time: int("chain time of the last change, seconds"),
};

const tasks = table(
  "tasks",
  "Tasks, as submitted and as they stand",
  {
    id: int("id"),
    owner: text("the developer's address, lower case"),
    specDigest: text("sha2-256 digest of the spec's CID"),
    units: int("units of work"),
    maxPrice: wei("maximum price of a unit, wei"),
    escrow: wei("locked for it when it was submitted, wei"),
    status: text("open, closing or ended"),
    waits: maybeText("why no round takes it, if it is parked: nothingOpen, deadlineNear, depositTooLow or noSupply"),
    openUnits: int("units that wait for a round"),
    leasedUnits: int("units that are leased, or wait for a batch or a decision"),
    paidUnits: int("units that are paid"),
    refundedUnits: int("units that were refunded"),
    paid: wei("paid to nodes so far, wei"),
    fees: wei("fees taken from its escrow so far, wei"),
    refunded: wei("given back to the developer so far, wei"),
    leases: int("leases that it has had"),
    failures: int("leases that ended because their node failed"),
    moves: int("leases that were told to move"),
    joules: int("energy that reports booked for it, joules"),
    renewableJoules: int("the renewable part of it, joules"),
    baselineJoules: wei("what a data centre would have used for the units paid, joules"),
    submittedBlock: int("block of its submission"),
    submittedAt: int("time of its submission, seconds"),
    endedAt: maybeInt("time of its end, seconds"),
    ...changed,
  },
  ["id"],
  [
    ["owner", "id"],
    ["owner", "status", "id"],
    ["status", "id"],
    ["specDigest", "id"],
  ],
);

const leases = table(
  "leases",
  "Leases: which node runs which units of a task, from when to when, and how it ended",
  {
    id: int("id"),
    taskId: int("its task"),
    nodeId: int("its node"),
    classId: int("class of its node"),
    start: int("first unit"),
    count: int("units"),
    price: wei("price of a unit, wei"),
    fence: int("fence"),
    parent: maybeInt("lease that ran the range before"),
    roundId: maybeInt("round that granted it"),
    batchId: maybeInt("batch of reassignments that granted it"),
    status: text("active, moving, delivered, disputed, paid, released, expired or rejected"),
    reason: maybeText(`why it ended: paid, or ${END_REASONS.slice(1).join(", ")}`),
    due: maybeInt("when its next checkpoint is due, or its node's grace ends, seconds"),
    movingUnits: maybeInt("units that leave its node"),
    moveCause: maybeText("why they leave: load or power"),
    progress: int("work done, basis points of a unit, summed over its units"),
    checkpoints: int("number of its checkpoints"),
    resultDigest: maybeText("sha2-256 digest of the result's CID"),
    resultCodec: maybeInt("multicodec of the result's CID"),
    resultSize: maybeInt("size of the result, bytes"),
    paid: wei("paid to its node, wei"),
    fee: wei("fee on what was paid, wei"),
    charged: wei("fee for having been given back, wei"),
    joules: int("energy that reports booked for it, joules"),
    renewableJoules: int("the renewable part of it, joules"),
    grantedBlock: int("block of its grant"),
    grantedAt: int("time of its grant, seconds"),
    deliveredAt: maybeInt("time of its delivery, seconds"),
    endedAt: maybeInt("time of its end, seconds"),
    ...changed,
  },
  ["id"],
  [
    ["taskId", "id"],
    ["nodeId", "id"],
    ["nodeId", "status", "id"],
    ["roundId", "id"],
    ["status", "id"],
    ["resultDigest", "id"],
  ],
);

const checkpoints = table(
  "checkpoints",
  "Checkpoints that were recorded, each with the nodes that signed that they hold it",
  {
    leaseId: int("its lease"),
    sequence: int("number, 1 for the lease's first"),
    digest: text("sha2-256 digest of the CID"),
    codec: int("multicodec of the CID"),
    progress: int("work done, basis points of a unit, summed over the lease's units"),
    size: int("size of all blocks, bytes"),
    holders: json("ids of the nodes that signed that they hold it", z.array(z.number().int())),
    ...changed,
  },
  ["leaseId", "sequence"],
  [["digest", "leaseId"]],
);

const audits = table(
  "audits",
  "Audits: segments of work that were drawn to be run again, by whom, and what came of it",
  {
    leaseId: int("lease whose node posted the segment"),
    sequence: int("number of the checkpoint that ends the segment"),
    taskId: int("its task"),
    nodeId: int("the lease's node"),
    epochId: int("epoch of audits that drew it"),
    fromTime: int("when the segment begins, seconds"),
    toTime: int("time of the checkpoint that ends it, seconds"),
    status: text(
      "verifying, opening, revealing or voting; then passed, fraud, mismatch, unavailable, refused, undecided or unverified",
    ),
    verifiers: json("ids of the nodes that were drawn to verify it, one after another", z.array(z.number().int())),
    panel: json("ids of the members of its panel; empty if there was none", z.array(z.number().int())),
    openedAt: int("time at which the audit began, seconds"),
    endedAt: maybeInt("time of its end, seconds"),
    ...changed,
  },
  ["leaseId", "sequence"],
  [["taskId", "leaseId", "sequence"]],
);

const nodes = table(
  "nodes",
  "Nodes: terms, standing, work, money and energy since they joined",
  {
    id: int("id"),
    owner: text("owner's address, lower case"),
    operator: text("address of its agent's key, lower case"),
    classId: int("its class"),
    capacity: int("units that it can hold at once"),
    ask: wei("what it wants for a unit, wei"),
    status: text("active, draining, unbonding or withdrawn"),
    eligible: bool("whether new work may be given to it, as far as its reports go"),
    throttled: bool("whether its power keeps it out of new work"),
    energySource: text("where it says its electricity comes from"),
    powerThreshold: int("average power above which it is throttled, watts; 0: never"),
    powerMax: int("maximum power that it can draw, watts"),
    endpoint: text("where peers reach it, in its own words"),
    stake: wei("its stake, wei"),
    earned: wei("paid for its work, wei"),
    earnedMicro: int("the same in whole micro-VER, to order by"),
    slashed: wei("slashed from its stake, wei"),
    charged: wei("fees for leases that it gave back, wei"),
    leases: int("leases that it has had"),
    leasedUnits: int("units that it runs"),
    deliveredLeases: int("leases that it delivered"),
    paidUnits: int("units that were paid"),
    failures: int("leases that ended because it failed"),
    returns: int("leases that it gave back"),
    moves: int("leases that were moved away from it"),
    reports: int("reports taken"),
    refused: int("reports refused"),
    reportedAt: maybeInt("time of its last report, seconds"),
    load: int("load in its last report, basis points"),
    latency: int("latency in its last report, milliseconds"),
    watts: int("average power in its last report, watts, rounded up"),
    method: text("how the energy of its last report was determined"),
    joules: int("energy in its reports, joules"),
    renewableJoules: int("the renewable part of it, joules"),
    idleUnitSeconds: int("unit-seconds of work done while its owner left the machine idle"),
    registeredBlock: int("block of its registration"),
    registeredAt: int("time of its registration, seconds"),
    ...changed,
  },
  ["id"],
  [
    ["owner", "id"],
    ["operator", "id"],
    ["classId", "id"],
    ["classId", "status", "id"],
    ["status", "id"],
    ["earnedMicro", "id"],
    ["paidUnits", "id"],
    ["deliveredLeases", "id"],
    ["renewableJoules", "id"],
    ["idleUnitSeconds", "id"],
  ],
);

const nodeDays = table(
  "nodeDays",
  "A node's earnings, spending, work and energy of a day (UTC)",
  {
    nodeId: int("the node"),
    start: int("when the day begins, seconds"),
    earned: wei("paid for its work, wei"),
    slashed: wei("slashed from its stake, wei"),
    charged: wei("fees for leases that it gave back, wei"),
    grantedUnits: int("units leased to it"),
    paidUnits: int("units that were paid"),
    failures: int("leases that ended because it failed"),
    reports: int("reports taken"),
    joules: int("energy in its reports, joules"),
    renewableJoules: int("the renewable part of it, joules"),
    idleUnitSeconds: int("unit-seconds of work done while its owner left the machine idle"),
    ...changed,
  },
  ["nodeId", "start"],
);

const rounds = table(
  "rounds",
  "Rounds of allocation",
  {
    id: int("id"),
    status: text("seeding, settling, settled or aborted"),
    opener: text("who opened it, lower case"),
    keeper: maybeText("who settled it, lower case"),
    requestId: text("number of the request for its seed"),
    seed: maybeText("its seed"),
    demands: json("tasks in queue order, each with its units", z.array(z.tuple([z.number().int(), z.number().int()]))),
    classes: json("classes that its tasks accept", z.array(z.number().int())),
    tasks: int("number of its tasks"),
    leases: int("leases granted"),
    units: int("units leased"),
    unitsOpen: int("units of its tasks that stay open"),
    openedBlock: int("block in which it was opened"),
    openedAt: int("time at which it was opened, seconds"),
    endedAt: maybeInt("time at which it was settled or aborted, seconds"),
    ...changed,
  },
  ["id"],
  [["status", "id"], ["keeper", "id"], ["requestId"]],
);

const roundClasses = table(
  "roundClasses",
  "Clearing prices of settled rounds",
  {
    roundId: int("the round"),
    classId: int("the class"),
    clearing: wei("clearing price of a unit, wei"),
    units: int("units leased in the class"),
    ...changed,
  },
  ["roundId", "classId"],
  [["classId", "roundId"]],
);

const batches = table(
  "batches",
  "Batches of reassignments",
  {
    id: int("id"),
    status: text("seeding, drawing, done or aborted"),
    opener: text("who opened it, lower case"),
    requestId: text("number of the request for its seed"),
    seed: maybeText("its seed"),
    leases: int("leases whose ranges it draws for"),
    drawn: int("leases that it granted"),
    openedBlock: int("block in which it was opened"),
    openedAt: int("time at which it was opened, seconds"),
    endedAt: maybeInt("time at which it was done or aborted, seconds"),
    ...changed,
  },
  ["id"],
  [["requestId"]],
);

const classes = table(
  "classes",
  "Classes of nodes",
  {
    id: int("id"),
    name: text("hardware and region, such as gpu-80g/eu"),
    tick: wei("price tick, wei"),
    clearing: wei("clearing price of its last round, wei; 0 before the first"),
    ...changed,
  },
  ["id"],
);

const classPeriods = table(
  "classPeriods",
  "Clearing prices of a class in an hour or a day (UTC)",
  {
    classId: int("the class"),
    period: text("hour or day"),
    start: int("when it begins, seconds"),
    rounds: int("rounds settled with the class"),
    units: int("units leased in them"),
    last: wei("last clearing price, wei"),
    low: wei("lowest clearing price, wei"),
    high: wei("highest clearing price, wei"),
    ...changed,
  },
  ["classId", "period", "start"],
);

const networkPeriods = table(
  "networkPeriods",
  "The network in an hour or a day (UTC)",
  {
    period: text("hour or day"),
    start: int("when it begins, seconds"),
    tasks: int("tasks submitted"),
    units: int("units submitted"),
    leases: int("leases granted"),
    grantedUnits: int("units of them"),
    paidUnits: int("units paid"),
    refundedUnits: int("units refunded"),
    paid: wei("paid to nodes, wei"),
    fees: wei("fees taken, wei"),
    bounties: wei("bounties paid to keepers, wei"),
    slashed: wei("slashed from stakes, wei"),
    failures: int("leases that ended because their node failed"),
    moves: int("leases told to move"),
    rounds: int("rounds settled"),
    batches: int("batches drawn"),
    checkpoints: int("checkpoints recorded"),
    reports: int("reports taken"),
    joules: int("energy in reports, joules"),
    renewableJoules: int("the renewable part of it, joules"),
    idleUnitSeconds: int("unit-seconds of work done on machines that their owners left idle"),
    leaseJoules: int("energy booked for leases, joules"),
    baselineJoules: wei("what a data centre would have used for the units paid, joules"),
    nodesJoined: int("nodes registered"),
    nodesLeft: int("nodes that left the market"),
    ...changed,
  },
  ["period", "start"],
);

const keepers = table(
  "keepers",
  "Who opened, settled and expired, and what they were paid for it",
  {
    address: text("address, lower case"),
    roundsOpened: int("rounds opened"),
    roundsSettled: int("rounds settled"),
    batchesOpened: int("batches opened"),
    expired: int("leases ended because their node failed or the task was past its deadline"),
    bounties: wei("bounties paid, wei"),
    bountiesMicro: int("the same in whole micro-VER, to order by"),
    ...changed,
  },
  ["address"],
  [["bountiesMicro", "address"]],
);

const events = table(
  "events",
  "What happened: the contracts' events that people look at",
  {
    block: int("block"),
    logIndex: int("place of its log in the block"),
    time: int("chain time, seconds"),
    name: text("name of the event, as in the contracts"),
    taskId: maybeInt("the task that it is about"),
    leaseId: maybeInt("the lease that it is about"),
    nodeId: maybeInt("the node that it is about"),
    account: maybeText("an address that it names, lower case"),
    transaction: text("hash of the transaction"),
    data: json("its arguments; whole numbers of more than 48 bits as text", z.record(z.string(), z.unknown())),
  },
  ["block", "logIndex"],
  [
    ["taskId", "block", "logIndex"],
    ["leaseId", "block", "logIndex"],
    ["nodeId", "block", "logIndex"],
    ["account", "block", "logIndex"],
    ["name", "block", "logIndex"],
  ],
);

/** All tables of history. */
export const TABLES = {
  tasks,
  leases,
  checkpoints,
  audits,
  nodes,
  nodeDays,
  rounds,
  roundClasses,
  batches,
  classes,
  classPeriods,
  networkPeriods,
  keepers,
  events,
} as const;

export type TableName = keyof typeof TABLES;

/** A table by its name, whichever it is. */
export function tableOf(name: TableName): Table {
  return TABLES[name];
}

/** A row of a table, as the reducers change it. */
export type Row<T extends TableName> = RowOf<(typeof TABLES)[T]["columns"]>;

/** Tables whose rows change: what a row was before is noted, so that a reorganisation can be undone. */
export const MUTABLE = (Object.keys(TABLES) as TableName[]).filter((name) => name !== "events");

/** Tables of the follower itself. */
export interface FollowerTables {
  readonly identity: { readonly id: number; readonly name: string };
  readonly positions: { readonly number: number; readonly hash: string; readonly timestamp: number };
  readonly journal: {
    readonly position: number;
    readonly relation: string;
    readonly key: string;
    /** The row before, as JSON; null if there was none. */
    readonly before: string | null;
  };
}

/** The database, as the query library knows it. */
export type Database = { [T in TableName]: StoredOf<(typeof TABLES)[T]["columns"]> } & FollowerTables;
