import type { OpenDatabase } from "@verai/indexer/database/open";
import { answer } from "@verai/indexer/api/server";
import { routeOf } from "@verai/indexer/api/routes";
import type { Standing } from "@verai/indexer/indexer";

/** What one query took. */
export interface Took {
  readonly path: string;
  readonly ms: number;
}

/** Asks each request some times. @throws Error if one is not answered. */
export async function askAll(
  database: OpenDatabase,
  standing: () => Standing,
  requests: readonly string[],
  times: number,
): Promise<Took[]> {
  const took: Took[] = [];
  for (let i = 0; i < times; i++) {
    for (const request of requests) {
      const { pathname, searchParams } = new URL(request, "http://localhost");
      const found = routeOf(pathname);
      if (!found) throw new Error(`There is no page ${pathname}.`);
      const started = performance.now();
      let failure: unknown;
      const options = { database, standing, onError: (error: unknown) => (failure = error) };
      const { status, body } = await answer(options, found.route, found.params, searchParams);
      JSON.stringify(body);
      took.push({ path: request, ms: performance.now() - started });
      if (status === 500 || status === 400) throw new Error(`${request}: ${JSON.stringify(body)}`, { cause: failure });
    }
  }
  return took;
}
