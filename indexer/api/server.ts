import { PageError } from "@verai/process/endpoint";
import { closeServer, listen } from "@verai/system/http/listen";
import { createGuardedServer, type HttpLimits, refuse, sendJson } from "@verai/system/http/server";
import type { OpenDatabase } from "../database/open.ts";
import type { Standing } from "../indexer.ts";
import type { Live } from "./live.ts";
import { openApi } from "./openapi.ts";
import { checked, type Route, routeOf } from "./routes.ts";
import type { AsOf } from "./schema.ts";

/** What bounds the API's port. A reader of live updates is one long answer, which ends after an hour and is asked for again. */
const LIMITS: HttpLimits = {
  maxConnections: 1_024,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  idleMs: 30_000,
  stallMs: 30_000,
  answerMs: 3_600_000,
  pipelined: 8,
  perSecond: 100,
  burst: 400,
};

/** Answers that are made at once; others wait for them or, if these are too many, are told to come back. */
const AT_ONCE = 64;

/** What the API serves. */
export interface ApiOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly database: OpenDatabase;
  readonly standing: () => Standing;
  readonly live: Live;
  /** Told of errors that are ours. */
  readonly onError: (error: unknown) => void;
  /** Told of every answer. */
  readonly onAnswer?: (path: string, status: number, seconds: number) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** Serves the pages, live updates, `/ready` and `/openapi.json` to anybody's browser. */
export async function serveApi(options: ApiOptions): Promise<{ url: string; close: () => Promise<void> }> {
  const { host, port, live, onError, onAnswer } = options;
  const description = openApi();
  let open = 0;
  const server = createGuardedServer(
    { ...LIMITS, ...options.limits },
    async ({ path, query, response }) => {
      if (path === "/ready") {
        const standing = options.standing();
        return sendJson(response, standing.atHead ? 200 : 503, standingOf(standing));
      }
      if (path === "/openapi.json") return sendJson(response, 200, description);
      if (path === "/v1/status") return sendJson(response, 200, standingOf(options.standing()));
      if (path === "/v1/live") {
        const isOne = live.add(response, standingOf(options.standing()));
        return isOne
          ? undefined
          : refuse(response, 503, "there are too many readers of live updates: ask the lists instead");
      }
      const found = routeOf(path);
      if (!found) {
        return sendJson(response, 404, { error: "There is no such page; /openapi.json describes all of them." });
      }
      if (open >= AT_ONCE) {
        response.setHeader("retry-after", "1");
        return sendJson(response, 503, { error: "Too many answers are being made: ask again in a second." });
      }
      const started = performance.now();
      open += 1;
      const { status, body } = await answer(options, found.route, found.params, query).finally(() => {
        open -= 1;
      });
      onAnswer?.(found.route.path, status, (performance.now() - started) / 1000);
      sendJson(response, status, body);
    },
    onError,
  );
  // Any page may read what anybody may read; also what is refused has to be readable there.
  server.prependListener("request", (_request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
  });
  const url = await listen(server, { host, port }, onError);
  return {
    url,
    close: () => {
      live.close();
      return closeServer(server);
    },
  };
}

/** Makes an answer of one state of the database, and checks it before it is sent. */
export async function answer(
  { database, standing, onError }: Pick<ApiOptions, "database" | "standing" | "onError">,
  route: Route,
  params: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Promise<{ status: number; body: object }> {
  try {
    const given = checked(route.params, params);
    const asked = checked(route.query, single(query));
    const body = await database.reader
      .transaction()
      .setIsolationLevel("repeatable read")
      .execute(async (db) => {
        const position = await db
          .selectFrom("positions")
          .selectAll()
          .orderBy("number", "desc")
          .limit(1)
          .executeTakeFirst();
        if (!position) throw new PageError(404, "History has no block yet: ask again when /ready answers with 200.");
        const { head } = standing();
        const asOf: AsOf = {
          block: position.number,
          hash: position.hash,
          time: position.timestamp,
          head: Math.max(head?.number ?? 0, position.number),
          atHead: standing().atHead && head?.number === position.number,
        };
        return { asOf, ...(await route.read(db, given, asked)) };
      });
    return { status: 200, body: route.answer.parse(body) };
  } catch (error) {
    if (error instanceof PageError) return { status: error.status, body: { error: error.message } };
    onError(error);
    return { status: 500, body: { error: "The answer could not be made; the indexer's log says why." } };
  }
}

/** A query's values. @throws PageError for one that is given twice. */
function single(query: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of query) {
    if (!/^[a-z]{1,40}$/i.test(name))
      throw new PageError(400, "A parameter has a name of letters: look at /openapi.json.");
    if (Object.hasOwn(values, name)) throw new PageError(400, `"${name.slice(0, 40)}" is given twice: give it once.`);
    values[name] = value;
  }
  return values;
}

/** The indexer's standing as people and probes read it. */
export function standingOf({ head, position, atHead }: Standing): object {
  return {
    atHead,
    block: position?.number ?? null,
    hash: position?.hash ?? null,
    time: position?.timestamp ?? null,
    head: head?.number ?? null,
    behind: head && position ? Math.max(0, head.number - position.number) : null,
  };
}
