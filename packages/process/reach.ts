import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { Reach } from "@verai/checkpoint-store/dial-policy";

/**
 * Which of the addresses that the chain or peers tell may be dialled: on a public chain those of the Internet alone, since
 * anybody can register one; on the local chain, or with `DRMP_PRIVATE_ADDRESSES=1` for a network of one's own, any.
 */
export function reachOf(chainId: number, environment: NodeJS.ProcessEnv = process.env): Reach {
  return chainId === LOCAL_CHAIN_ID || environment.DRMP_PRIVATE_ADDRESSES === "1" ? "any" : "public";
}
