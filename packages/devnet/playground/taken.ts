import { setTimeout as delay } from "node:timers/promises";

import { DEVNET_NODES } from "./accounts.ts";
import { DevnetError } from "./errors.ts";
import { holderOf } from "./port-holder.ts";
import { isFree, type PortPlan } from "./ports.ts";

/** Pause between two looks, milliseconds. */
const LOOK_MS = 250;

/**
 * Looks whether the devnet's ports are free.
 *
 * @param timeoutMs Time that those who hold them get to end.
 * @throws DevnetError `PORT_TAKEN` naming the port, what it is for, who holds it, and the remedy.
 */
export async function refuseTaken(ports: PortPlan, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  const uses: [string, number][] = [
    ["the chain", ports.chain],
    ["the devnet's list of services", ports.control],
    ["the keeper's /health", ports.keeper],
    ["the keeper's collection of reports", ports.reports],
    ...DEVNET_NODES.flatMap(({ name }, place): [string, number][] => {
      const { service, peers, checkpoints, door } = ports.node(place);
      return [
        [`the /health of node ${name}`, service],
        [`the peers of node ${name}`, peers],
        [`the checkpoints of node ${name}`, checkpoints],
        ...(place === 0 ? [[`the door of node ${name}`, door] as [string, number]] : []),
      ];
    }),
  ];
  for (const [what, port] of uses) {
    let free = await isFree(port);
    while (!free && performance.now() < end) {
      await delay(LOOK_MS);
      free = await isFree(port);
    }
    if (free) continue;
    const holder = await holderOf(port);
    const who = holder ? `process ${String(holder.pid)} (${holder.command})` : "another program";
    throw new DevnetError(
      "PORT_TAKEN",
      `Port ${String(port)}, which is for ${what}, is held by ${who}: end it, or start the devnet on other ports, such as \`scripts/drmp devnet --ports 9545\`.`,
      { details: { port, ...(holder && { pid: holder.pid }) } },
    );
  }
}
