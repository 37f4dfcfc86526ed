import { hexlify } from "ethers";

import { roundSnapshot } from "@verai/client/snapshot";
import type { openClient, openMarket } from "@verai/devnet/market";
import { networkSimplex } from "@verai/protocol/allocation/network-simplex";
import { planRoundWith } from "@verai/protocol/allocation/round-plan";

const MILLI = 10n ** 15n;

/** Leases so many units of class 0 in a round, the cheapest first, at 0.005 VER at most, with audits or without. */
export async function leaseUnits(
  market: Awaited<ReturnType<typeof openMarket>>,
  { reader }: Pick<Awaited<ReturnType<typeof openClient>>, "reader">,
  units: number,
  auditChance = 0,
): Promise<void> {
  await market.addTask({ units, maxPrice: 5n * MILLI, classIds: [0], interval: 60, auditChance });
  await market.pass(40);
  await (await market.contracts.rounds.open()).wait();
  await market.fulfil(7n);
  const snapshot = await roundSnapshot(reader);
  if (!snapshot) throw new Error("no round");
  const plan = planRoundWith(snapshot, [networkSimplex]);
  if (plan.kind === "refusal") throw new Error(plan.why);
  await (await market.contracts.rounds.settle(snapshot.roundId, hexlify(plan.post))).wait();
}
