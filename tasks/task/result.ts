import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Environment } from "../session/environment.ts";

import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseTask } from "./parse.ts";
import { withStore } from "./store.ts";

/** Time without any progress after which a result counts as not to be had now, milliseconds. */
const STALL_MS = 30_000;

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
    const delivered = (await reader.leases(block)).filter(
      ({ taskId, status, result: made }) =>
        taskId === task.id && made && ["delivered", "disputed", "paid"].includes(status),
    );
    if (delivered.length === 0) {
      throw new Error(
        `Task ${String(task.id)} has no results yet; \`npx hardhat task:status --task ${String(task.id)}\` says how it stands.`,
      );
    }
    const fetched = await withStore(reader, args.store, async (store) => {
      const found: { lease: number; cid: string; path: string; size: number; status: string }[] = [];
      for (const { id, result: made, status } of delivered) {
        if (!made) continue;
        const cid = fromChainCid(made).toString();
        const path = resolve(join(args.out, `task-${String(task.id)}`, `lease-${String(id)}`));
        await mkdir(join(path, ".."), { recursive: true });
        // What is there is of an earlier run, and is fetched from the local store again.
        await rm(path, { recursive: true, force: true });
        const { size } = await store.fetchTo(cid, path, {
          maxBytes: made.size,
          stallTimeout: STALL_MS,
          pin: `result-${String(id)}`,
        });
        output.say(`lease ${String(id)}  ${cid}  ${String(size)} bytes, verified  ${path}`);
        found.push({ lease: id, cid, path, size, status });
      }
      return found;
    });
    const open = fetched.filter(({ status }) => status === "delivered").map(({ lease }) => lease);
    if (args.accept && open.length > 0) {
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
