import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { useConfig } from "../config.ts";
import { ask, IndexerError, type Answer, type PagePath } from "./client.ts";
import type { AsOf, Parameters } from "./generated.ts";

/** A page is asked for again after this time, milliseconds, also without a live update. */
const AGAIN_MS = 30_000;

/** Asks the indexer for a page, again whenever a live update says that something has changed. */
export function useIndexer<P extends PagePath>(
  page: P,
  parameters: Parameters[P],
  options: { enabled?: boolean } = {},
) {
  const { indexerUrl } = useConfig();
  return useQuery<Answer<P>, Error>({
    queryKey: ["indexer", page, parameters],
    queryFn: ({ signal }) => ask(indexerUrl, page, parameters, signal),
    refetchInterval: AGAIN_MS,
    placeholderData: keepPreviousData,
    ...options,
  });
}

/** Pages that are lists. */
export type ListPath = { [P in PagePath]: Parameters[P] extends { cursor?: string } ? P : never }[PagePath];

interface List<T> {
  readonly asOf: AsOf;
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Asks for a list page by page. */
export function useIndexerList<P extends ListPath>(
  page: P,
  parameters: Parameters[P],
  options: { enabled?: boolean } = {},
) {
  const { indexerUrl } = useConfig();
  type Item = Answer<P> extends { items: readonly (infer T)[] } ? T : never;
  const query = useInfiniteQuery({
    queryKey: ["indexer", "list", page, parameters],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const asked = { ...parameters, ...(pageParam !== undefined && { cursor: pageParam }) };
      return (await ask(indexerUrl, page, asked, signal)) as unknown as List<Item>;
    },
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: AGAIN_MS,
    ...options,
  });
  return { ...query, items: query.data?.pages.flatMap(({ items }) => items), asOf: query.data?.pages[0]?.asOf };
}

/** Whether asking once more may help. */
export function mayHelp(count: number, error: Error): boolean {
  return count < 2 && !(error instanceof IndexerError && error.status >= 400 && error.status < 500);
}
