import { ADMISSIONS, enumName } from "@verai/client/enums";
import type { Row } from "../database/tables.ts";
import { big, network, num, type Reducer, str, task } from "./context.ts";

/** The four kinds of units always add up to all of them. */
function count(row: Row<"tasks">): void {
  row.openUnits = row.units - row.leasedUnits - row.paidUnits - row.refundedUnits;
}

/** Reducers of what happens to tasks. */
export const taskReducers: Readonly<Record<string, Reducer>> = {
  TaskSubmitted(context) {
    const { args, event } = context;
    const row = task(context, num(args, "taskId"));
    const units = num(args, "units");
    Object.assign(row, {
      owner: str(args, "owner"),
      specDigest: str(args, "specDigest"),
      units,
      maxPrice: big(args, "maxPrice"),
      escrow: big(args, "escrow"),
      status: "open",
      submittedBlock: event.block,
      submittedAt: event.time,
    });
    count(row);
    network(context, (period) => {
      period.tasks += 1;
      period.units += units;
    });
  },
  PriceRaised(context) {
    const row = task(context, num(context.args, "taskId"));
    row.maxPrice = big(context.args, "to");
    row.escrow += big(context.args, "deposit");
  },
  TaskQueued(context) {
    task(context, num(context.args, "taskId")).waits = null;
  },
  TaskParked(context) {
    task(context, num(context.args, "taskId")).waits = enumName(ADMISSIONS, num(context.args, "why"));
  },
  TaskClosing(context) {
    task(context, num(context.args, "taskId")).status = "closing";
  },
  UnitsLeased(context) {
    const row = task(context, num(context.args, "taskId"));
    row.leasedUnits += num(context.args, "units");
    row.waits = null;
    count(row);
  },
  UnitsReopened(context) {
    const row = task(context, num(context.args, "taskId"));
    row.leasedUnits -= num(context.args, "count");
    count(row);
  },
  RangeGivenUp(context) {
    // Its refund follows, which finds the units open.
    const row = task(context, num(context.args, "taskId"));
    row.leasedUnits -= num(context.args, "count");
    count(row);
  },
  UnitsRefunded(context) {
    const row = task(context, num(context.args, "taskId"));
    const units = num(context.args, "units");
    row.refundedUnits += units;
    row.refunded += big(context.args, "amount");
    count(row);
    network(context, (period) => {
      period.refundedUnits += units;
    });
  },
  UnitsPaid(context) {
    const row = task(context, num(context.args, "taskId"));
    const units = num(context.args, "units");
    row.leasedUnits -= units;
    row.paidUnits += units;
    count(row);
    network(context, (period) => {
      period.paidUnits += units;
    });
  },
  TaskEnded(context) {
    const row = task(context, num(context.args, "taskId"));
    row.status = "ended";
    row.waits = null;
    row.endedAt = context.event.time;
    row.refunded += big(context.args, "refund");
  },
  FeeCollected(context) {
    const amount = big(context.args, "amount");
    task(context, num(context.args, "taskId")).fees += amount;
    network(context, (period) => {
      period.fees += amount;
    });
  },
};
