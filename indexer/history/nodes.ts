import { ENERGY_METHODS, ENERGY_SOURCES, enumName } from "@verai/client/enums";
import { reportsOf } from "@verai/client/report";
import type { Row } from "../database/tables.ts";
import type { Arguments } from "./events.ts";
import { big, type Context, network, node, nodeDay, num, type Reducer, str, struct, yes } from "./context.ts";

function setTerms(row: Row<"nodes">, args: Arguments): void {
  const terms = struct(args, "terms");
  row.classId = num(terms, "classId");
  row.capacity = num(terms, "capacity");
  row.ask = big(terms, "ask");
}

/** Counts what was taken from a node for good. */
function slash(context: Context): void {
  const nodeId = num(context.args, "nodeId");
  const amount = big(context.args, "amount");
  node(context, nodeId).slashed += amount;
  nodeDay(context, nodeId).slashed += amount;
  network(context, (period) => {
    period.slashed += amount;
  });
}

/** Reducers of what happens to nodes. */
export const nodeReducers: Readonly<Record<string, Reducer>> = {
  NodeRegistered(context) {
    const { args, event } = context;
    const row = node(context, num(args, "nodeId"));
    row.owner = str(args, "owner");
    row.operator = str(args, "operator");
    row.status = "active";
    row.eligible = true;
    row.registeredBlock = event.block;
    row.registeredAt = event.time;
    setTerms(row, args);
    network(context, (period) => {
      period.nodesJoined += 1;
    });
  },
  TermsSet(context) {
    setTerms(node(context, num(context.args, "nodeId")), context.args);
  },
  ProfileSet(context) {
    const row = node(context, num(context.args, "nodeId"));
    const profile = struct(context.args, "profile");
    row.energySource = enumName(ENERGY_SOURCES, num(profile, "energySource"));
    row.powerThreshold = num(profile, "powerThreshold");
    row.powerMax = num(profile, "powerMax");
    // PostgreSQL takes no NUL in a text.
    row.endpoint = str(profile, "endpoint").replaceAll("\0", "\ufffd");
  },
  OperatorSet(context) {
    node(context, num(context.args, "nodeId")).operator = str(context.args, "operator");
  },
  NodeDraining(context) {
    node(context, num(context.args, "nodeId")).status = "draining";
  },
  NodeResumed(context) {
    node(context, num(context.args, "nodeId")).status = "active";
  },
  NodeUnbonding(context) {
    node(context, num(context.args, "nodeId")).status = "unbonding";
    network(context, (period) => {
      period.nodesLeft += 1;
    });
  },
  NodeWithdrawn(context) {
    node(context, num(context.args, "nodeId")).status = "withdrawn";
  },
  NodeEligibilitySet(context) {
    node(context, num(context.args, "nodeId")).eligible = yes(context.args, "eligible");
  },
  StakeLocked(context) {
    node(context, num(context.args, "nodeId")).stake += big(context.args, "amount");
  },
  StakeReleased(context) {
    node(context, num(context.args, "nodeId")).stake -= big(context.args, "amount");
  },
  FeeHeld(context) {
    // What giving a lease back costs is taken from the stake at once; where it goes is decided when the task has ended.
    node(context, num(context.args, "nodeId")).stake -= big(context.args, "amount");
  },
  StakePaid(context) {
    // A node's part of what its audits cost: paid, not lost.
    node(context, num(context.args, "nodeId")).stake -= big(context.args, "amount");
  },
  StakeSlashed(context) {
    node(context, num(context.args, "nodeId")).stake -= big(context.args, "amount");
    slash(context);
  },
  AuditSlashed(context) {
    // The stake itself was taken before, as a fee that is held (`FeeHeld`).
    slash(context);
  },
  Reported(context) {
    const { args, event } = context;
    for (const { nodeId, load, latency, watts } of reportsOf(str(args, "reports"))) {
      const row = node(context, nodeId);
      row.reportedAt = event.time;
      row.load = load;
      row.latency = latency;
      row.watts = watts;
      const add = (sums: { reports: number }) => {
        sums.reports += 1;
      };
      add(row);
      add(nodeDay(context, nodeId));
      network(context, add);
    }
  },
  EnergyReported(context) {
    const { args } = context;
    const nodeId = num(args, "nodeId");
    const [joules, renewable, idle] = [num(args, "joules"), num(args, "renewableJoules"), num(args, "idleUnitSeconds")];
    const row = node(context, nodeId);
    row.method = enumName(ENERGY_METHODS, num(args, "method"));
    const add = (sums: EnergySums) => {
      sums.joules += joules;
      sums.renewableJoules += renewable;
      sums.idleUnitSeconds += idle;
    };
    add(row);
    add(nodeDay(context, nodeId));
    network(context, add);
  },
  ReportRefused(context) {
    node(context, num(context.args, "nodeId")).refused += 1;
  },
  NodeThrottled(context) {
    node(context, num(context.args, "nodeId")).throttled = true;
  },
  NodeUnthrottled(context) {
    node(context, num(context.args, "nodeId")).throttled = false;
  },
};

interface EnergySums {
  joules: number;
  renewableJoules: number;
  idleUnitSeconds: number;
}
