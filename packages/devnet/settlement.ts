import { hexlify } from "ethers";

import type { Reader } from "@verai/client/readers";
import { roundSnapshot } from "@verai/client/snapshot";
import { lpSolver } from "@verai/protocol/allocation/lp-solver";
import { planRound } from "@verai/protocol/allocation/round-plan";

/** The bytes that settle the open round. @throws Error if it has no seed yet, or no plan is certified. */
export async function settlement(reader: Reader): Promise<string> {
  const snapshot = await roundSnapshot(reader);
  const plan = snapshot && planRound(snapshot, lpSolver);
  if (plan?.kind !== "plan") throw new Error(plan?.why ?? "no round waits to be settled");
  return hexlify(plan.post);
}
