import { AUDIT_STATUSES, enumName } from "@verai/client/enums";
import type { Row } from "../database/tables.ts";
import { type Context, num, type Reducer, stamp, struct } from "./context.ts";

/** Questions from this number on are rounds of a panel; those before it are a single verifier's (`IAudits.VerifierDrawn`). */
const FIRST_PANEL = 256;

/** The audit of the segment that the event names, to change. */
function audit({ changes, event, args }: Context): Row<"audits"> {
  const [leaseId, sequence] = [num(args, "leaseId"), num(args, "sequence")];
  return stamp(changes.row("audits", { leaseId, sequence, verifiers: "[]", panel: "[]" }, leaseId, sequence), event);
}

/** Reducers of what happens to audits. */
export const auditReducers: Readonly<Record<string, Reducer>> = {
  AuditOpened(context) {
    const { args, changes, event } = context;
    const row = audit(context);
    const lease = changes.peek("leases", row.leaseId);
    const segment = struct(args, "segment");
    const [before, end] = [num(struct(segment, "before"), "at"), num(struct(segment, "end"), "at")];
    Object.assign(row, {
      ...{ taskId: lease?.taskId ?? 0, nodeId: lease?.nodeId ?? 0, epochId: num(args, "epochId") },
      // The first segment of a lease has no checkpoint before it: it begins with the lease.
      ...{ fromTime: before === 0 ? (lease?.grantedAt ?? end) : before, toTime: end },
      ...{ status: "verifying", openedAt: event.time },
    });
  },
  VerifierDrawn(context) {
    const row = audit(context);
    const isPanel = num(context.args, "question") >= FIRST_PANEL;
    const column = isPanel ? "panel" : "verifiers";
    const known = JSON.parse(row[column]) as number[];
    row[column] = JSON.stringify([...known, num(context.args, "nodeId")]);
    if (!isPanel) row.status = "verifying";
  },
  AnswerCommitted(context) {
    const row = audit(context);
    // A panel's members commit as well; its status stays.
    if (row.status === "verifying") row.status = "opening";
  },
  TraceOpened(context) {
    audit(context).status = "revealing";
  },
  PanelDrawn(context) {
    audit(context).status = "voting";
  },
  AuditEnded(context) {
    const row = audit(context);
    row.status = enumName(AUDIT_STATUSES, num(context.args, "status"));
    row.endedAt = context.event.time;
  },
};
