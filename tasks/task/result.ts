import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { openAccess } from "@verai/client/open-access";
import { auditsToWaitFor } from "@verai/developer/audits-over";
import { messageOf } from "@verai/process/program";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { keysOf } from "./keys.ts";
import { parseTask } from "./parse.ts";
import { deliveredLeases, fetchResults } from "./results.ts";
import { LOOK_MS, withStore } from "./store.ts";

interface Arguments extends WritingArguments {
  readonly task: number;
  readonly out: string;
  readonly accept: boolean;
  readonly store: string;
}

/** Fetches what was delivered, verifies it against its CIDs and, if asked to, accepts it. */
export default async function result(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    const task = await parseTask(reader, block, args.task);
    const delivered = await deliveredLeases(reader, block, task.id);
    if (delivered.length === 0) {
      throw new CommandError(
        "NOT_YET",
        `Task ${String(task.id)} has no results yet; \`npx hardhat task:status --task ${String(task.id)}\` says how it stands.`,
      );
    }
    const access = await openAccess(session, (await context.account()).signer);
    const opening = { keys: keysOf(context), spec: task.spec.digest };
    const fetch = (store: CheckpointStore) => fetchResults(output, store, task.id, delivered, args.out, opening);
    const fetched = await withStore(reader, args.store, fetch, LOOK_MS, undefined, access);
    const open = fetched.filter(({ status }) => status === "delivered").map(({ lease }) => lease);
    if (args.accept && open.length > 0) {
      if (task.auditChance > 0) {
        for (const lease of await reader.leasesById(block, open)) {
          // A warning: an endpoint that does not serve logs keeps nobody from accepting.
          const why = await auditsToWaitFor(session, block, lease).catch(
            (error: unknown) => `they could not be read (${messageOf(error)})`,
          );
          if (why === undefined) continue;
          output.say(
            `Lease ${String(lease.id)} is paid before its audits are known to be over, whatever they find: ${why}.`,
          );
        }
      }
      const { queue } = await context.account();
      await queue.submit({
        label: `accept the results of leases ${open.join(", ")}`,
        prepare: async () => {
          const now = await reader.leasesById(await reader.block(), open);
          const still = now.filter(({ status }) => status === "delivered").map(({ id }) => id);
          return still.length === 0 ? null : contracts.leases.accept.populateTransaction(still);
        },
      });
    } else if (open.length > 0) {
      output.say(`Leases ${open.join(", ")} wait for acceptance: add --accept, or dispute them within the window.`);
    }
    return { task: task.id, results: fetched, accepted: args.accept ? open : [] };
  });
}
