import { setTimeout as delay } from "node:timers/promises";

import type { Session } from "@verai/client/session";
import { TASKS } from "@verai/devnet/participants";
import type { Output } from "@verai/devnet/output";

/** Shows what happens on the chain until the developers are done. */
export async function follow(session: Session, output: Output, finished: Promise<unknown>): Promise<void> {
  const { reader } = session;
  let done = false;
  let round = "";
  const end = finished.finally(() => {
    done = true;
  });
  end.catch(() => undefined);
  while (!done) {
    const block = await reader.block();
    const current = await reader.round(block);
    const now = `round ${String(current.id)} ${current.status}`;
    if (current.id > 0 && now !== round) {
      const units = current.demands.reduce((sum, each) => sum + each.units, 0);
      const settled = `: ${String(current.leases)} leases granted, ${String(current.unitsOpen)} units left open`;
      output.say(`${now}${current.status === "settled" ? settled : ` (${String(units)} units)`}`);
      round = now;
    }
    const [tasks, leases] = await Promise.all([reader.tasks(block), reader.leases(block)]);
    const checkpoints = await reader.checkpoints(
      block,
      leases.map(({ id }) => id),
    );
    for (const task of tasks) {
      const own = leases.filter(({ taskId }) => taskId === task.id);
      // What a lease that failed had done counts until its successors have done more.
      const live = own.filter(({ status }) => !["expired", "released", "rejected"].includes(status));
      const progress = live.reduce(
        (sum, lease) => sum + (lease.result ? lease.count * 10_000 : (checkpoints.get(lease.id)?.progress ?? 0)),
        0,
      );
      const posted = own.reduce((sum, { id }) => sum + (checkpoints.get(id)?.sequence ?? 0), 0);
      const note = `${String(posted)} checkpoints, ${String(task.paidUnits)}/${String(task.units)} units paid`;
      output.progress(TASKS[task.id - 1] ? `task ${String(task.id)}` : "task", progress / task.units / 10_000, note);
    }
    await Promise.race([delay(700), end]);
  }
  await end;
}
