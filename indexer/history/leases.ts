import { END_REASONS, enumName, MOVE_CAUSES } from "@verai/client/enums";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import type { Row } from "../database/tables.ts";
import {
  big,
  type Context,
  keeper,
  lease,
  list,
  network,
  node,
  nodeDay,
  num,
  type Reducer,
  stamp,
  str,
  task,
  yes,
} from "./context.ts";

/** Ends a lease. */
function end(context: Context, status: string, reason: string): Row<"leases"> {
  const row = lease(context, num(context.args, "leaseId"));
  // What was delivered is no longer counted among the units that the node runs.
  if (row.status === "active" || row.status === "moving") free(context, row);
  row.status = status;
  row.reason = reason;
  row.endedAt = context.event.time;
  row.due = null;
  return row;
}

function free(context: Context, row: Row<"leases">): void {
  const by = node(context, row.nodeId);
  by.leasedUnits -= row.count;
}

/** Pays a node for a lease's work. */
function pay(context: Context, row: Row<"leases">, amount: bigint): void {
  row.paid += amount;
  const by = node(context, row.nodeId);
  by.earned += amount;
  by.earnedMicro = Number(by.earned / PRICE_UNIT);
  nodeDay(context, row.nodeId).earned += amount;
  task(context, row.taskId).paid += amount;
  network(context, (period) => {
    period.paid += amount;
  });
}

/** A checkpoint was recorded, with a trace root or without. */
function posted(context: Context): void {
  const { args, event, changes } = context;
  const row = lease(context, num(args, "leaseId"));
  const sequence = num(args, "sequence");
  const progress = num(args, "progress");
  row.progress = progress;
  row.checkpoints = sequence;
  const checkpoint = changes.row("checkpoints", { leaseId: row.id, sequence }, row.id, sequence);
  Object.assign(stamp(checkpoint, event), {
    digest: str(args, "digest"),
    codec: num(args, "codec"),
    progress,
    size: num(args, "size"),
    holders: "[]",
  });
  network(context, (period) => {
    period.checkpoints += 1;
  });
}

/** Reducers of what happens to leases. */
export const leaseReducers: Readonly<Record<string, Reducer>> = {
  LeaseGranted(context) {
    const { args, event } = context;
    const [id, taskId, nodeId, count] = [
      num(args, "leaseId"),
      num(args, "taskId"),
      num(args, "nodeId"),
      num(args, "count"),
    ];
    const by = node(context, nodeId);
    const parent = num(args, "parent");
    Object.assign(lease(context, id), {
      taskId,
      nodeId,
      classId: by.classId,
      start: num(args, "start"),
      count,
      price: big(args, "priceMicroVer") * PRICE_UNIT,
      fence: num(args, "fence"),
      parent: parent === 0 ? null : parent,
      status: "active",
      grantedBlock: event.block,
      grantedAt: event.time,
      ...(context.settled.left > 0 && { roundId: context.settled.roundId }),
    });
    context.settled.left -= 1;
    by.leases += 1;
    by.leasedUnits += count;
    nodeDay(context, nodeId).grantedUnits += count;
    task(context, taskId).leases += 1;
    network(context, (period) => {
      period.leases += 1;
      period.grantedUnits += count;
    });
  },
  LeaseRenewed(context) {
    lease(context, num(context.args, "leaseId")).due = num(context.args, "due");
  },
  LeaseNotRenewed() {
    // Nothing changes but that it is told: the lease runs out when it is due.
  },
  CheckpointPosted: posted,
  CheckpointTraced: posted,
  CheckpointReplicated(context) {
    const { args, event, changes } = context;
    const [leaseId, sequence] = [num(args, "leaseId"), num(args, "sequence")];
    const row = stamp(changes.row("checkpoints", { leaseId, sequence }, leaseId, sequence), event);
    row.holders = JSON.stringify(list(args, "nodeIds"));
  },
  ResultDelivered(context) {
    const { args } = context;
    const row = lease(context, num(args, "leaseId"));
    free(context, row);
    row.status = "delivered";
    row.due = null;
    row.deliveredAt = context.event.time;
    row.resultDigest = str(args, "digest");
    row.resultCodec = num(args, "codec");
    row.resultSize = num(args, "size");
    node(context, row.nodeId).deliveredLeases += 1;
  },
  LeasePaid(context) {
    const row = end(context, "paid", "paid");
    row.fee += big(context.args, "fee");
    pay(context, row, big(context.args, "amount"));
    node(context, row.nodeId).paidUnits += row.count;
    nodeDay(context, row.nodeId).paidUnits += row.count;
  },
  WorkPaid(context) {
    pay(context, lease(context, num(context.args, "leaseId")), big(context.args, "amount"));
  },
  LeaseDisputed(context) {
    lease(context, num(context.args, "leaseId")).status = "disputed";
  },
  DisputeRuled(context) {
    if (!yes(context.args, "forNode")) end(context, "rejected", "rejected");
  },
  LeaseReleased(context) {
    const row = lease(context, num(context.args, "leaseId"));
    const isMove = row.status === "moving";
    end(context, "released", enumName(END_REASONS, num(context.args, "reason")));
    if (isMove) node(context, row.nodeId).moves += 1;
    else node(context, row.nodeId).returns += 1;
  },
  LeaseMoving(context) {
    const row = lease(context, num(context.args, "leaseId"));
    row.status = "moving";
    row.movingUnits = num(context.args, "units");
    row.due = num(context.args, "due");
    task(context, row.taskId).moves += 1;
    network(context, (period) => {
      period.moves += 1;
    });
  },
  Moved(context) {
    lease(context, num(context.args, "leaseId")).moveCause = enumName(MOVE_CAUSES, num(context.args, "cause"));
  },
  MoveDropped(context) {
    const row = lease(context, num(context.args, "leaseId"));
    row.movingUnits = null;
    if (row.status === "moving") row.status = "active";
  },
  LeaseExpired(context) {
    const { args } = context;
    const reason = enumName(END_REASONS, num(args, "reason"));
    const row = end(context, "expired", reason);
    keeper(context, str(args, "by")).expired += 1;
    if (reason === "deadlinePassed") return;
    node(context, row.nodeId).failures += 1;
    nodeDay(context, row.nodeId).failures += 1;
    task(context, row.taskId).failures += 1;
    network(context, (period) => {
      period.failures += 1;
    });
  },
  LeaseRevoked(context) {
    const { args } = context;
    const reason = enumName(END_REASONS, num(args, "reason"));
    const row = end(context, "rejected", reason);
    // What went on from others' wrong work is not its node's fault.
    if (reason === "revoked") return;
    node(context, row.nodeId).failures += 1;
    nodeDay(context, row.nodeId).failures += 1;
    task(context, row.taskId).failures += 1;
    network(context, (period) => {
      period.failures += 1;
    });
  },
  CheckpointsRolledBack(context) {
    const { args, changes } = context;
    const row = lease(context, num(args, "leaseId"));
    const sequence = num(args, "sequence");
    row.checkpoints = sequence;
    row.progress = changes.peek("checkpoints", row.id, sequence)?.progress ?? 0;
  },
  ReleaseCharged(context) {
    const row = lease(context, num(context.args, "leaseId"));
    const fee = big(context.args, "fee");
    row.charged += fee;
    node(context, row.nodeId).charged += fee;
    nodeDay(context, row.nodeId).charged += fee;
  },
  TaskEnergyRecorded(context) {
    const { args } = context;
    const [joules, renewable] = [num(args, "joules"), num(args, "renewableJoules")];
    for (const row of [lease(context, num(args, "leaseId")), task(context, num(args, "taskId"))]) {
      row.joules += joules;
      row.renewableJoules += renewable;
    }
    network(context, (period) => {
      period.leaseJoules += joules;
    });
  },
  LeaseCredited(context) {
    const joules = big(context.args, "baselineJoules");
    task(context, num(context.args, "taskId")).baselineJoules += joules;
    network(context, (period) => {
      period.baselineJoules += joules;
    });
  },
};
