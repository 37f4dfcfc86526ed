import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession } from "@verai/client/session";
import { addressesOf, openMarket } from "@verai/devnet/market";

describe("a session", () => {
  it("opens a key once, however often it is asked for", async () => {
    const market = await openMarket();
    const folder = await mkdtemp(join(tmpdir(), "drmp-session-"));
    const deployment = join(folder, "deployed_addresses.json");
    await writeFile(deployment, JSON.stringify(await addressesOf(market)));
    const session = await openSession({
      network: { rpcUrl: market.url, chainId: LOCAL_CHAIN_ID, deployment },
      fees: { maxFeePerGas: "100", stuckAfter: 30 },
      journals: join(folder, "journals"),
    });
    try {
      const { privateKey, address } = Wallet.createRandom();
      const keyFile = join(folder, "key");
      const key = { keyFile };
      const early = await session.queue(key).catch((error: unknown) => error);
      expect(early).to.have.property("code", "KEY_MISSING");
      // What failed is tried again.
      await writeFile(keyFile, privateKey, { mode: 0o600 });
      const [first, second] = await Promise.all([session.queue(key), session.queue(key)]);
      expect(first.signer.address).to.equal(address);
      await rm(keyFile);
      const third = await session.queue(key);
      expect(second.queue).to.equal(first.queue);
      expect(third.queue).to.equal(first.queue);
      const other = await session.queue({ keyFile }).catch((error: unknown) => error);
      expect(other).to.have.property("code", "KEY_MISSING");
    } finally {
      session.close();
      await market.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
