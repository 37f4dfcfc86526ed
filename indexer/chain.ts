import { toQuantity } from "ethers";

import { explain } from "@verai/client/error-messages";
import { RpcUnavailableError } from "@verai/client/errors";
import type { RpcProvider } from "@verai/client/provider";
import type { Chain } from "./indexer.ts";

/** A provider as the indexer asks it: blocks without their transactions. */
export function chainOf(provider: RpcProvider): Chain {
  return {
    chainId: provider.chainId,
    send: (method, params) => provider.send(method, params),
    blockAt: async (number) => {
      const tag = number === "latest" ? number : toQuantity(number);
      let found: unknown;
      try {
        found = await provider.send("eth_getBlockByNumber", [tag, false]);
      } catch (error) {
        throw explain(error);
      }
      if (found === null) return undefined;
      const { number: at, hash, timestamp } = found as { number: string; hash: string; timestamp: string };
      const block = { number: Number(at), hash, timestamp: Number(timestamp) };
      if (typeof number === "number" && block.number !== number) {
        throw new RpcUnavailableError(
          "server",
          `The RPC endpoint answered with block ${String(block.number)} for ${String(number)}; use another endpoint if it goes on.`,
        );
      }
      return block;
    },
  };
}
