// Written by `npm run docs:reference` from the indexer's OpenAPI; do not edit.

import { z } from "zod/mini";

/** As of which block an answer is. */
const asOf = z.object({
  /** history is complete up to this block */
  block: z.int().check(z.nonnegative()),
  /** its hash */
  hash: z.string(),
  /** its chain time, seconds */
  time: z.int().check(z.nonnegative()),
  /** the chain's newest block at the last look */
  head: z.int().check(z.nonnegative()),
  /** whether history is at the chain's newest block */
  atHead: z.boolean(),
});

/** As of which block an answer is. */
export type AsOf = z.output<typeof asOf>;

/** The network as it stands, and sums since its first block. */
const network = z.object({
  /** nodes in the market: active or draining */
  nodes: z.int(),
  /** active nodes that may be given new work, as far as their reports go */
  eligibleNodes: z.int(),
  /** nodes in the market that say that their electricity is renewable */
  renewableNodes: z.int(),
  /** units that nodes in the market can hold at once */
  capacity: z.int(),
  /** units that they run */
  leasedUnits: z.int(),
  /** tasks in the market */
  openTasks: z.int(),
  /** units of them that wait for a round */
  openUnits: z.int(),
  /** units of tasks in the market that are leased, or wait for a batch or a decision */
  leasedTaskUnits: z.int(),
  /** sums since the first block */
  total: z.object({
  /** tasks submitted */
  tasks: z.int(),
  /** units submitted */
  units: z.int(),
  /** leases granted */
  leases: z.int(),
  /** units of them */
  grantedUnits: z.int(),
  /** units paid */
  paidUnits: z.int(),
  /** units refunded */
  refundedUnits: z.int(),
  /** paid to nodes, wei */
  paid: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fees taken, wei */
  fees: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** bounties paid to keepers, wei */
  bounties: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** slashed from stakes, wei */
  slashed: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** leases that ended because their node failed */
  failures: z.int(),
  /** leases told to move */
  moves: z.int(),
  /** rounds settled */
  rounds: z.int(),
  /** batches drawn */
  batches: z.int(),
  /** checkpoints recorded */
  checkpoints: z.int(),
  /** reports taken */
  reports: z.int(),
  /** energy in reports, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** unit-seconds of work done on machines that their owners left idle */
  idleUnitSeconds: z.int(),
  /** energy booked for leases, joules */
  leaseJoules: z.int(),
  /** what a data centre would have used for the units paid, joules */
  baselineJoules: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** nodes registered */
  nodesJoined: z.int(),
  /** nodes that left the market */
  nodesLeft: z.int(),
}),
});

/** The network as it stands, and sums since its first block. */
export type Network = z.output<typeof network>;

/** The network by hour or day. */
const networkPeriod = z.object({
  /** hour or day */
  period: z.string(),
  /** when it begins, seconds */
  start: z.int(),
  /** tasks submitted */
  tasks: z.int(),
  /** units submitted */
  units: z.int(),
  /** leases granted */
  leases: z.int(),
  /** units of them */
  grantedUnits: z.int(),
  /** units paid */
  paidUnits: z.int(),
  /** units refunded */
  refundedUnits: z.int(),
  /** paid to nodes, wei */
  paid: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fees taken, wei */
  fees: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** bounties paid to keepers, wei */
  bounties: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** slashed from stakes, wei */
  slashed: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** leases that ended because their node failed */
  failures: z.int(),
  /** leases told to move */
  moves: z.int(),
  /** rounds settled */
  rounds: z.int(),
  /** batches drawn */
  batches: z.int(),
  /** checkpoints recorded */
  checkpoints: z.int(),
  /** reports taken */
  reports: z.int(),
  /** energy in reports, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** unit-seconds of work done on machines that their owners left idle */
  idleUnitSeconds: z.int(),
  /** energy booked for leases, joules */
  leaseJoules: z.int(),
  /** what a data centre would have used for the units paid, joules */
  baselineJoules: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** nodes registered */
  nodesJoined: z.int(),
  /** nodes that left the market */
  nodesLeft: z.int(),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** The network by hour or day. */
export type NetworkPeriod = z.output<typeof networkPeriod>;

/** Classes with the supply in them. */
const nodeClass = z.object({
  /** id */
  id: z.int(),
  /** hardware and region, such as gpu-80g/eu */
  name: z.string(),
  /** price tick, wei */
  tick: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** clearing price of its last round, wei; 0 before the first */
  clearing: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
  /** nodes in the market */
  nodes: z.int(),
  /** units that they can hold at once */
  capacity: z.int(),
  /** units that they run */
  leasedUnits: z.int(),
});

/** Classes with the supply in them. */
export type NodeClass = z.output<typeof nodeClass>;

/** Clearing prices of a class by hour or day. */
const classPeriod = z.object({
  /** the class */
  classId: z.int(),
  /** hour or day */
  period: z.string(),
  /** when it begins, seconds */
  start: z.int(),
  /** rounds settled with the class */
  rounds: z.int(),
  /** units leased in them */
  units: z.int(),
  /** last clearing price, wei */
  last: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** lowest clearing price, wei */
  low: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** highest clearing price, wei */
  high: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Clearing prices of a class by hour or day. */
export type ClassPeriod = z.output<typeof classPeriod>;

/** Clearing prices of a class by round. */
const roundClass = z.object({
  /** the round */
  roundId: z.int(),
  /** the class */
  classId: z.int(),
  /** clearing price of a unit, wei */
  clearing: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** units leased in the class */
  units: z.int(),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Clearing prices of a class by round. */
export type RoundClass = z.output<typeof roundClass>;

/** Rounds of allocation. */
const round = z.object({
  /** id */
  id: z.int(),
  /** seeding, settling, settled or aborted */
  status: z.string(),
  /** who opened it, lower case */
  opener: z.string(),
  /** who settled it, lower case */
  keeper: z.nullable(z.string()),
  /** number of the request for its seed */
  requestId: z.string(),
  /** its seed */
  seed: z.nullable(z.string()),
  /** tasks in queue order, each with its units */
  demands: z.array(z.tuple([z.int(), z.int()])),
  /** classes that its tasks accept */
  classes: z.array(z.int()),
  /** number of its tasks */
  tasks: z.int(),
  /** leases granted */
  leases: z.int(),
  /** units leased */
  units: z.int(),
  /** units of its tasks that stay open */
  unitsOpen: z.int(),
  /** block in which it was opened */
  openedBlock: z.int(),
  /** time at which it was opened, seconds */
  openedAt: z.int(),
  /** time at which it was settled or aborted, seconds */
  endedAt: z.nullable(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Rounds of allocation. */
export type Round = z.output<typeof round>;

/** Who got what in a round. */
const lease = z.object({
  /** id */
  id: z.int(),
  /** its task */
  taskId: z.int(),
  /** its node */
  nodeId: z.int(),
  /** class of its node */
  classId: z.int(),
  /** first unit */
  start: z.int(),
  /** units */
  count: z.int(),
  /** price of a unit, wei */
  price: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fence */
  fence: z.int(),
  /** lease that ran the range before */
  parent: z.nullable(z.int()),
  /** round that granted it */
  roundId: z.nullable(z.int()),
  /** batch of reassignments that granted it */
  batchId: z.nullable(z.int()),
  /** active, moving, delivered, disputed, paid, released, expired or rejected */
  status: z.string(),
  /** why it ended: paid, or givenBack, draining, ownerBack, specUnusable, programFailed, noHeadway, tooSlow, deadlinePassed, moved, overdue, silent, rejected, fraud, mismatch, unavailable, refused, revoked */
  reason: z.nullable(z.string()),
  /** when its next checkpoint is due, or its node's grace ends, seconds */
  due: z.nullable(z.int()),
  /** units that leave its node */
  movingUnits: z.nullable(z.int()),
  /** why they leave: load or power */
  moveCause: z.nullable(z.string()),
  /** work done, basis points of a unit, summed over its units */
  progress: z.int(),
  /** number of its checkpoints */
  checkpoints: z.int(),
  /** sha2-256 digest of the result's CID */
  resultDigest: z.nullable(z.string()),
  /** multicodec of the result's CID */
  resultCodec: z.nullable(z.int()),
  /** size of the result, bytes */
  resultSize: z.nullable(z.int()),
  /** paid to its node, wei */
  paid: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fee on what was paid, wei */
  fee: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fee for having been given back, wei */
  charged: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** energy that reports booked for it, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** block of its grant */
  grantedBlock: z.int(),
  /** time of its grant, seconds */
  grantedAt: z.int(),
  /** time of its delivery, seconds */
  deliveredAt: z.nullable(z.int()),
  /** time of its end, seconds */
  endedAt: z.nullable(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
  /** CID of the result */
  resultCid: z.nullable(z.string()),
});

/** Who got what in a round. */
export type Lease = z.output<typeof lease>;

/** Batches of reassignments. */
const batch = z.object({
  /** id */
  id: z.int(),
  /** seeding, drawing, done or aborted */
  status: z.string(),
  /** who opened it, lower case */
  opener: z.string(),
  /** number of the request for its seed */
  requestId: z.string(),
  /** its seed */
  seed: z.nullable(z.string()),
  /** leases whose ranges it draws for */
  leases: z.int(),
  /** leases that it granted */
  drawn: z.int(),
  /** block in which it was opened */
  openedBlock: z.int(),
  /** time at which it was opened, seconds */
  openedAt: z.int(),
  /** time at which it was done or aborted, seconds */
  endedAt: z.nullable(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Batches of reassignments. */
export type Batch = z.output<typeof batch>;

/** Tasks. */
const task = z.object({
  /** id */
  id: z.int(),
  /** the developer's address, lower case */
  owner: z.string(),
  /** sha2-256 digest of the spec's CID */
  specDigest: z.string(),
  /** units of work */
  units: z.int(),
  /** maximum price of a unit, wei */
  maxPrice: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** locked for it when it was submitted, wei */
  escrow: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** open, closing or ended */
  status: z.string(),
  /** why no round takes it, if it is parked: nothingOpen, deadlineNear, depositTooLow or noSupply */
  waits: z.nullable(z.string()),
  /** units that wait for a round */
  openUnits: z.int(),
  /** units that are leased, or wait for a batch or a decision */
  leasedUnits: z.int(),
  /** units that are paid */
  paidUnits: z.int(),
  /** units that were refunded */
  refundedUnits: z.int(),
  /** paid to nodes so far, wei */
  paid: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fees taken from its escrow so far, wei */
  fees: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** given back to the developer so far, wei */
  refunded: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** leases that it has had */
  leases: z.int(),
  /** leases that ended because their node failed */
  failures: z.int(),
  /** leases that were told to move */
  moves: z.int(),
  /** energy that reports booked for it, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** what a data centre would have used for the units paid, joules */
  baselineJoules: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** block of its submission */
  submittedBlock: z.int(),
  /** time of its submission, seconds */
  submittedAt: z.int(),
  /** time of its end, seconds */
  endedAt: z.nullable(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Tasks. */
export type Task = z.output<typeof task>;

/** What happened to a task. */
const event = z.object({
  /** block */
  block: z.int(),
  /** place of its log in the block */
  logIndex: z.int(),
  /** chain time, seconds */
  time: z.int(),
  /** name of the event, as in the contracts */
  name: z.string(),
  /** the task that it is about */
  taskId: z.nullable(z.int()),
  /** the lease that it is about */
  leaseId: z.nullable(z.int()),
  /** the node that it is about */
  nodeId: z.nullable(z.int()),
  /** an address that it names, lower case */
  account: z.nullable(z.string()),
  /** hash of the transaction */
  transaction: z.string(),
  /** its arguments; whole numbers of more than 48 bits as text */
  data: z.record(z.string(), z.unknown()),
});

/** What happened to a task. */
export type Event = z.output<typeof event>;

/** Audits of a task: segments drawn, by whom they were run again, how it ended. */
const audit = z.object({
  /** lease whose node posted the segment */
  leaseId: z.int(),
  /** number of the checkpoint that ends the segment */
  sequence: z.int(),
  /** its task */
  taskId: z.int(),
  /** the lease's node */
  nodeId: z.int(),
  /** epoch of audits that drew it */
  epochId: z.int(),
  /** when the segment begins, seconds */
  fromTime: z.int(),
  /** time of the checkpoint that ends it, seconds */
  toTime: z.int(),
  /** verifying, opening, revealing or voting; then passed, fraud, mismatch, unavailable, refused, undecided or unverified */
  status: z.string(),
  /** ids of the nodes that were drawn to verify it, one after another */
  verifiers: z.array(z.int()),
  /** ids of the members of its panel; empty if there was none */
  panel: z.array(z.int()),
  /** time at which the audit began, seconds */
  openedAt: z.int(),
  /** time of its end, seconds */
  endedAt: z.nullable(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Audits of a task: segments drawn, by whom they were run again, how it ended. */
export type Audit = z.output<typeof audit>;

/** Checkpoints of a lease. */
const checkpoint = z.object({
  /** its lease */
  leaseId: z.int(),
  /** number, 1 for the lease's first */
  sequence: z.int(),
  /** sha2-256 digest of the CID */
  digest: z.string(),
  /** multicodec of the CID */
  codec: z.int(),
  /** work done, basis points of a unit, summed over the lease's units */
  progress: z.int(),
  /** size of all blocks, bytes */
  size: z.int(),
  /** ids of the nodes that signed that they hold it */
  holders: z.array(z.int()),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
  /** its CID */
  cid: z.nullable(z.string()),
});

/** Checkpoints of a lease. */
export type Checkpoint = z.output<typeof checkpoint>;

/** Nodes. */
const node = z.object({
  /** id */
  id: z.int(),
  /** owner's address, lower case */
  owner: z.string(),
  /** address of its agent's key, lower case */
  operator: z.string(),
  /** its class */
  classId: z.int(),
  /** units that it can hold at once */
  capacity: z.int(),
  /** what it wants for a unit, wei */
  ask: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** active, draining, unbonding or withdrawn */
  status: z.string(),
  /** whether new work may be given to it, as far as its reports go */
  eligible: z.boolean(),
  /** whether its power keeps it out of new work */
  throttled: z.boolean(),
  /** where it says its electricity comes from */
  energySource: z.string(),
  /** average power above which it is throttled, watts; 0: never */
  powerThreshold: z.int(),
  /** maximum power that it can draw, watts */
  powerMax: z.int(),
  /** where peers reach it, in its own words */
  endpoint: z.string(),
  /** its stake, wei */
  stake: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** paid for its work, wei */
  earned: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** the same in whole micro-VER, to order by */
  earnedMicro: z.int(),
  /** slashed from its stake, wei */
  slashed: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fees for leases that it gave back, wei */
  charged: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** leases that it has had */
  leases: z.int(),
  /** units that it runs */
  leasedUnits: z.int(),
  /** leases that it delivered */
  deliveredLeases: z.int(),
  /** units that were paid */
  paidUnits: z.int(),
  /** leases that ended because it failed */
  failures: z.int(),
  /** leases that it gave back */
  returns: z.int(),
  /** leases that were moved away from it */
  moves: z.int(),
  /** reports taken */
  reports: z.int(),
  /** reports refused */
  refused: z.int(),
  /** time of its last report, seconds */
  reportedAt: z.nullable(z.int()),
  /** load in its last report, basis points */
  load: z.int(),
  /** latency in its last report, milliseconds */
  latency: z.int(),
  /** average power in its last report, watts, rounded up */
  watts: z.int(),
  /** how the energy of its last report was determined */
  method: z.string(),
  /** energy in its reports, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** unit-seconds of work done while its owner left the machine idle */
  idleUnitSeconds: z.int(),
  /** block of its registration */
  registeredBlock: z.int(),
  /** time of its registration, seconds */
  registeredAt: z.int(),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Nodes. */
export type Node = z.output<typeof node>;

/** Earnings, spending, work and energy of a node by day. */
const nodeDay = z.object({
  /** the node */
  nodeId: z.int(),
  /** when the day begins, seconds */
  start: z.int(),
  /** paid for its work, wei */
  earned: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** slashed from its stake, wei */
  slashed: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** fees for leases that it gave back, wei */
  charged: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** units leased to it */
  grantedUnits: z.int(),
  /** units that were paid */
  paidUnits: z.int(),
  /** leases that ended because it failed */
  failures: z.int(),
  /** reports taken */
  reports: z.int(),
  /** energy in its reports, joules */
  joules: z.int(),
  /** the renewable part of it, joules */
  renewableJoules: z.int(),
  /** unit-seconds of work done while its owner left the machine idle */
  idleUnitSeconds: z.int(),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Earnings, spending, work and energy of a node by day. */
export type NodeDay = z.output<typeof nodeDay>;

/** Keepers by their bounties, the first first. */
const keeper = z.object({
  /** address, lower case */
  address: z.string(),
  /** rounds opened */
  roundsOpened: z.int(),
  /** rounds settled */
  roundsSettled: z.int(),
  /** batches opened */
  batchesOpened: z.int(),
  /** leases ended because their node failed or the task was past its deadline */
  expired: z.int(),
  /** bounties paid, wei */
  bounties: z.string().check(z.regex(/^-?\d{1,78}$/)),
  /** the same in whole micro-VER, to order by */
  bountiesMicro: z.int(),
  /** block of the last change */
  block: z.int(),
  /** chain time of the last change, seconds */
  time: z.int(),
});

/** Keepers by their bounties, the first first. */
export type Keeper = z.output<typeof keeper>;

/** What an id, an address, a CID or a sha2-256 digest names. */
const hit = z.object({
  kind: z.enum(["task","lease","node","round","batch","keeper","checkpoint"]),
  id: z.string(),
  /** in what it was found */
  as: z.string(),
});

/** What an id, an address, a CID or a sha2-256 digest names. */
export type Hit = z.output<typeof hit>;

/** Schemas of the answers, by page. */
export const ANSWERS = {
  /** The network as it stands, and sums since its first block. */
  "/v1/network": z.object({ asOf, item: network }),
  /** The network by hour or day. */
  "/v1/network/history": z.object({ asOf, items: z.array(networkPeriod).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Classes with the supply in them. */
  "/v1/classes": z.object({ asOf, items: z.array(nodeClass).check(z.maxLength(10000)) }),
  /** Clearing prices of a class by hour or day. */
  "/v1/classes/{id}/history": z.object({ asOf, items: z.array(classPeriod).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Clearing prices of a class by round. */
  "/v1/classes/{id}/rounds": z.object({ asOf, items: z.array(roundClass).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Rounds of allocation. */
  "/v1/rounds": z.object({ asOf, items: z.array(round).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** A round with its clearing prices. */
  "/v1/rounds/{id}": z.object({ asOf, item: round, classes: z.array(roundClass).check(z.maxLength(10000)) }),
  /** Who got what in a round. */
  "/v1/rounds/{id}/leases": z.object({ asOf, items: z.array(lease).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Batches of reassignments. */
  "/v1/batches": z.object({ asOf, items: z.array(batch).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** A batch of reassignments. */
  "/v1/batches/{id}": z.object({ asOf, item: batch }),
  /** Tasks. */
  "/v1/tasks": z.object({ asOf, items: z.array(task).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** A task. */
  "/v1/tasks/{id}": z.object({ asOf, item: task }),
  /** Leases of a task: which node ran which units, and how it ended. */
  "/v1/tasks/{id}/leases": z.object({ asOf, items: z.array(lease).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** What happened to a task. */
  "/v1/tasks/{id}/events": z.object({ asOf, items: z.array(event).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Audits of a task: segments drawn, by whom they were run again, how it ended. */
  "/v1/tasks/{id}/audits": z.object({ asOf, items: z.array(audit).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Leases. */
  "/v1/leases": z.object({ asOf, items: z.array(lease).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** A lease. */
  "/v1/leases/{id}": z.object({ asOf, item: lease }),
  /** Checkpoints of a lease. */
  "/v1/leases/{id}/checkpoints": z.object({ asOf, items: z.array(checkpoint).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** What happened to a lease. */
  "/v1/leases/{id}/events": z.object({ asOf, items: z.array(event).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Nodes. */
  "/v1/nodes": z.object({ asOf, items: z.array(node).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** A node. */
  "/v1/nodes/{id}": z.object({ asOf, item: node }),
  /** Earnings, spending, work and energy of a node by day. */
  "/v1/nodes/{id}/days": z.object({ asOf, items: z.array(nodeDay).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Leases of a node. */
  "/v1/nodes/{id}/leases": z.object({ asOf, items: z.array(lease).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** What happened to a node. */
  "/v1/nodes/{id}/events": z.object({ asOf, items: z.array(event).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Nodes by what they have done since they joined, the first first. */
  "/v1/leaders": z.object({ asOf, items: z.array(node).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** Keepers by their bounties, the first first. */
  "/v1/keepers": z.object({ asOf, items: z.array(keeper).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** What happened, by kind or by an address that it names. */
  "/v1/events": z.object({ asOf, items: z.array(event).check(z.maxLength(200)), next: z.nullable(z.string()) }),
  /** What an id, an address, a CID or a sha2-256 digest names. */
  "/v1/search": z.object({ asOf, items: z.array(hit).check(z.maxLength(100)) }),
} as const;

/** What each page takes. */
export interface Parameters {
  "/v1/network": Record<string, never>;
  "/v1/network/history": { period?: "hour" | "day"; from?: number; to?: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/classes": Record<string, never>;
  "/v1/classes/{id}/history": { id: number; period?: "hour" | "day"; from?: number; to?: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/classes/{id}/rounds": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/rounds": { status?: "seeding" | "settling" | "settled" | "aborted"; keeper?: string; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/rounds/{id}": { id: number };
  "/v1/rounds/{id}/leases": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/batches": { order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/batches/{id}": { id: number };
  "/v1/tasks": { owner?: string; status?: "open" | "closing" | "ended"; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/tasks/{id}": { id: number };
  "/v1/tasks/{id}/leases": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/tasks/{id}/events": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/tasks/{id}/audits": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/leases": { node?: number; status?: "active" | "delivered" | "disputed" | "paid" | "released" | "expired" | "rejected" | "moving"; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/leases/{id}": { id: number };
  "/v1/leases/{id}/checkpoints": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/leases/{id}/events": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/nodes": { owner?: string; operator?: string; class?: number; status?: "active" | "draining" | "unbonding" | "withdrawn"; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/nodes/{id}": { id: number };
  "/v1/nodes/{id}/days": { id: number; from?: number; to?: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/nodes/{id}/leases": { id: number; status?: "active" | "delivered" | "disputed" | "paid" | "released" | "expired" | "rejected" | "moving"; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/nodes/{id}/events": { id: number; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/leaders": { by?: "earned" | "units" | "delivered" | "renewable" | "idle"; limit?: number; cursor?: string };
  "/v1/keepers": { limit?: number; cursor?: string };
  "/v1/events": { name?: "AuditEnded" | "AuditOpened" | "AuditSlashed" | "AuditsAskedFor" | "BatchAborted" | "BatchDrawn" | "BatchOpened" | "BountyShort" | "CheckpointsRolledBack" | "DisputeRuled" | "IntakePausedSet" | "LeaseDisputed" | "LeaseExpired" | "LeaseGranted" | "LeaseMoving" | "LeaseNotRenewed" | "LeasePaid" | "LeaseReleased" | "LeaseRevoked" | "MoveDropped" | "Moved" | "NodeDraining" | "NodeLapsed" | "NodeRegistered" | "NodeResumed" | "NodeSlashed" | "NodeThrottled" | "NodeUnbonding" | "NodeUnthrottled" | "NodeWithdrawn" | "OperatorSet" | "OwnerBarred" | "ParameterSet" | "PriceRaised" | "ProfileSet" | "RangeDrawn" | "RangeGivenUp" | "RangeOrphaned" | "RangeReturned" | "ReleaseCharged" | "ReleaseFeesDistributed" | "ResultDelivered" | "RoundAborted" | "RoundOpened" | "RoundSettled" | "StakeAdded" | "TaskAuditsEnded" | "TaskClosing" | "TaskEnded" | "TaskParked" | "TaskSubmitted" | "TermsSet" | "UnitsRefunded" | "UnitsReopened" | "VerifierDrawn" | "WorkPaid"; account?: string; order?: "desc" | "asc"; limit?: number; cursor?: string };
  "/v1/search": { q?: string };
}
