import { useQuery } from "@tanstack/react-query";

import type { AsOf } from "../api/generated.ts";
import { useChainClient } from "./client.ts";

const EVERY_MS = 4_000;

/** The chain's newest block, read from the chain. */
export function useHead() {
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "head"],
    queryFn: async () => {
      const { number, timestamp } = await client.getBlock({ blockTag: "latest" });
      return { number: Number(number), time: Number(timestamp) };
    },
    refetchInterval: EVERY_MS,
  });
}

/** What the chain says about the block that the indexer names: `same`, or that it is another, or that it has none yet. */
export type Agreement = "same" | "other" | "unknown";

/** Asks the chain whether the indexer's block is one of its own. */
export function useAgreement(asOf: AsOf | undefined) {
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "agreement", asOf?.block, asOf?.hash],
    enabled: asOf !== undefined,
    staleTime: EVERY_MS * 15,
    queryFn: async (): Promise<Agreement> => {
      try {
        const { hash } = await client.getBlock({ blockNumber: BigInt(asOf?.block ?? 0) });
        return hash === asOf?.hash ? "same" : "other";
      } catch (error) {
        if (error instanceof Error && error.name === "BlockNotFoundError") return "unknown";
        throw error;
      }
    },
  });
}
