import { setTimeout as delay } from "node:timers/promises";

import { type DevnetState, findDevnet, isRunning } from "@verai/client/devnet";
import type { Order } from "./control.ts";
import { DevnetError } from "./errors.ts";

/** Time for an order to be answered, milliseconds. */
const ANSWER_MS = 10_000;

/** Time for a devnet to end after it was told to, milliseconds; then it is killed. */
const END_MS = 45_000;

/** The devnet that runs. @throws DevnetError `DEVNET_MISSING`. */
export function runningDevnet(folder: string): DevnetState {
  const found = findDevnet(folder);
  if (found) return found;
  throw new DevnetError("DEVNET_MISSING", "No devnet runs here: start one with `scripts/drmp devnet`.");
}

/** Gives an order about a service. @throws DevnetError with what the devnet says. */
export async function giveOrder(devnet: DevnetState, order: Order, service: string): Promise<void> {
  await post(devnet, `/${order}/${encodeURIComponent(service)}`);
}

/** Ends a devnet and waits until it is gone; one that does not end in time is killed, with all its processes. */
export async function endDevnet(devnet: DevnetState): Promise<void> {
  try {
    await post(devnet, "/stop");
  } catch {
    // One that does not answer may still hear a signal.
    signal(devnet.pid, "SIGTERM");
  }
  for (const end = performance.now() + END_MS; isRunning(devnet.pid); await delay(100)) {
    if (performance.now() > end) signal(devnet.pid, "SIGKILL");
  }
}

async function post({ control, token }: DevnetState, path: string): Promise<void> {
  const response = await fetch(`${control}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (response.ok) return;
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  throw new DevnetError(error.code, error.message);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
