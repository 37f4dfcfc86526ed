import { useQuery } from "@tanstack/react-query";

import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import { type Config, useConfig } from "../config.ts";

const readers = new WeakMap<Config, Promise<Reader>>();

/** The reader that keepers and agents read the chain with, fetched when a page wants it. */
export async function readerOf(config: Config): Promise<Reader> {
  let reader = readers.get(config);
  if (!reader) {
    reader = import("./open-reader.ts").then(({ openReader }) => openReader(config));
    readers.set(config, reader);
    reader.catch(() => readers.delete(config));
  }
  return reader;
}

/** Reads something of the chain at its newest block, and again from time to time. */
export function useReader<T>(
  key: readonly unknown[],
  read: (reader: Reader, block: BlockReference) => Promise<T>,
  { enabled = true, everyMs = 15_000 }: { enabled?: boolean; everyMs?: number | false } = {},
) {
  const config = useConfig();
  return useQuery({
    queryKey: ["chain", "read", ...key],
    enabled,
    refetchInterval: everyMs,
    queryFn: async () => {
      const reader = await readerOf(config);
      const block = await reader.block();
      return { block: block.number, value: await read(reader, block) };
    },
  });
}

/** Reads something of the chain that no longer changes, once. */
export function useSettled<T>(key: readonly unknown[], read: (reader: Reader) => Promise<T>, enabled = true) {
  const config = useConfig();
  return useQuery({
    queryKey: ["chain", "settled", ...key],
    enabled,
    staleTime: Infinity,
    retry: 0,
    queryFn: async () => read(await readerOf(config)),
  });
}
