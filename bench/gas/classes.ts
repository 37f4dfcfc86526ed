import { encodeBytes32String } from "ethers";

import type { openMarket } from "@verai/devnet/market";

/** Adds classes as governance does, after its delay. @returns The first one's id. */
export async function addClasses(market: Awaited<ReturnType<typeof openMarket>>, count: number): Promise<number> {
  const { manager, supply } = market.contracts;
  const { governance } = market.accounts;
  const added = Array.from({ length: count }, (_, k) => ({ name: encodeBytes32String(`class/${k}`), tickSize: 1000 }));
  const call = supply.interface.encodeFunctionData("addClasses", [added]);
  const first = (await supply.classes()).length;
  await manager.connect(governance).schedule(await supply.getAddress(), call, 0);
  const [, delay] = await manager.canCall(governance.address, await supply.getAddress(), call.slice(0, 10));
  await market.pass(Number(delay) + 1);
  await supply.connect(governance).addClasses(added);
  return first;
}
