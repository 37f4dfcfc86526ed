import { z } from "zod";

import { PageError } from "@verai/process/endpoint";
import { NODE_STATUSES, ROUND_STATUSES, TASK_STATUSES, LEASE_STATUSES } from "@verai/client/enums";
import { TOLD_EVENTS } from "../history/apply.ts";
import { classNow, networkNow, readClasses, readNetwork } from "./overview.ts";
import { type Asked, readOne, readPage } from "./pages.ts";
import { address, asOf, id, one, order, page, paging, row, seconds } from "./schema.ts";
import { cidOf, search } from "./search.ts";

/** A page of the API: its schemas say what it takes and answers, its reader makes the answer but for the block. */
export interface Route {
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly answer: z.ZodObject;
  readonly read: (db: Asked, params: Values, query: Values) => Promise<Readonly<Record<string, unknown>>>;
}

/** Values that a schema has let through. */
export type Values = Readonly<Record<string, string | number | undefined>>;

const PERIOD = z.enum(["hour", "day"]).default("day").describe("Length of an entry; hours and days of UTC.");
const between = {
  from: seconds.optional().describe("First moment, seconds."),
  to: seconds.optional().describe("Last moment, seconds."),
};
const byId = z.strictObject({ id });
const nothing = z.strictObject({});

function status(words: readonly string[]) {
  return z.enum(words.filter((word) => word !== "none") as [string, ...string[]]).optional();
}

const cid = z.string().nullable();
const leaseRow = z.strictObject({ ...row("leases").shape, resultCid: cid.describe("CID of the result") });
const checkpointRow = z.strictObject({ ...row("checkpoints").shape, cid: cid.describe("its CID") });

type Item = Record<string, unknown>;
const withResult = (item: Item): Item => ({ ...item, resultCid: cidOf(item["resultDigest"], item["resultCodec"]) });
const withCid = (item: Item): Item => ({ ...item, cid: cidOf(item["digest"], item["codec"]) });

/** Defines a page. */
function route(
  path: string,
  summary: string,
  { params = nothing, query = nothing, answer }: { params?: z.ZodObject; query?: z.ZodObject; answer: z.ZodObject },
  read: Route["read"],
): Route {
  return { path, summary, params, query, answer, read };
}

/** A list of a table's rows by filters. `filters` gives columns their values from parameters and query. */
function list(
  path: string,
  summary: string,
  table: Parameters<typeof row>[0],
  options: {
    readonly params?: z.ZodObject;
    readonly query?: z.ZodRawShape;
    readonly item?: z.ZodObject;
    readonly orderBy?: (query: Values) => readonly string[];
    readonly filters: (params: Values, query: Values) => Readonly<Record<string, string | number | undefined>>;
    readonly between?: boolean;
    readonly show?: (item: Item) => Item;
    readonly fixedOrder?: "asc" | "desc";
  },
): Route {
  const {
    params = nothing,
    item = row(table),
    orderBy = () => ["id"],
    show = (each: Item) => each,
    fixedOrder,
  } = options;
  const shape = {
    ...options.query,
    ...(options.between === true && between),
    ...(fixedOrder === undefined && { order }),
  };
  const query = z.strictObject({ ...shape, ...paging });
  return route(path, summary, { params, query, answer: page(item) }, async (db, given, asked) => {
    const { items, next } = await readPage(db, {
      table,
      filters: options.filters(given, asked),
      orderBy: orderBy(asked),
      order: fixedOrder ?? (asked["order"] as "asc" | "desc"),
      limit: Number(asked["limit"]),
      cursor: asked["cursor"] as string | undefined,
      ...(options.between === true && { between: [maybe(asked["from"]), maybe(asked["to"])] as const }),
    });
    return { items: items.map(show), next };
  });
}

function maybe(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function single(
  path: string,
  summary: string,
  table: Parameters<typeof row>[0],
  item = row(table),
  show = (each: Item) => each,
): Route {
  return route(path, summary, { params: byId, answer: one(item) }, async (db, params) => ({
    item: show(await readOne(db, table, { id: Number(params["id"]) })),
  }));
}

const LEADERS: Readonly<Record<string, string>> = {
  earned: "earnedMicro",
  units: "paidUnits",
  delivered: "deliveredLeases",
  renewable: "renewableJoules",
  idle: "idleUnitSeconds",
};

const eventQuery = { orderBy: () => ["block", "logIndex"] };

/** All pages. */
export const ROUTES: readonly Route[] = [
  route(
    "/v1/network",
    "The network as it stands, and sums since its first block",
    { answer: one(networkNow) },
    async (db) => ({
      item: await readNetwork(db),
    }),
  ),
  list("/v1/network/history", "The network by hour or day", "networkPeriods", {
    query: { period: PERIOD },
    orderBy: () => ["start"],
    filters: (_, { period }) => ({ period }),
    between: true,
  }),
  route(
    "/v1/classes",
    "Classes with the supply in them",
    { answer: z.strictObject({ asOf, items: z.array(classNow) }) },
    async (db) => ({
      items: await readClasses(db),
    }),
  ),
  list("/v1/classes/{id}/history", "Clearing prices of a class by hour or day", "classPeriods", {
    params: byId,
    query: { period: PERIOD },
    orderBy: () => ["start"],
    filters: (params, { period }) => ({ classId: params["id"], period }),
    between: true,
  }),
  list("/v1/classes/{id}/rounds", "Clearing prices of a class by round", "roundClasses", {
    params: byId,
    orderBy: () => ["roundId"],
    filters: (params) => ({ classId: params["id"] }),
  }),
  list("/v1/rounds", "Rounds of allocation", "rounds", {
    query: { status: status(ROUND_STATUSES), keeper: address.optional() },
    filters: (_, query) => ({ status: query["status"], keeper: query["keeper"] }),
  }),
  route(
    "/v1/rounds/{id}",
    "A round with its clearing prices",
    { params: byId, answer: z.strictObject({ asOf, item: row("rounds"), classes: z.array(row("roundClasses")) }) },
    async (db, params) => {
      const roundId = Number(params["id"]);
      const item = await readOne(db, "rounds", { id: roundId });
      const query = { orderBy: ["classId"], order: "asc", limit: 256, cursor: undefined } as const;
      return { item, classes: (await readPage(db, { table: "roundClasses", filters: { roundId }, ...query })).items };
    },
  ),
  list("/v1/rounds/{id}/leases", "Who got what in a round", "leases", {
    params: byId,
    item: leaseRow,
    show: withResult,
    filters: (params) => ({ roundId: params["id"] }),
  }),
  list("/v1/batches", "Batches of reassignments", "batches", { filters: () => ({}) }),
  single("/v1/batches/{id}", "A batch of reassignments", "batches"),
  list("/v1/tasks", "Tasks", "tasks", {
    query: { owner: address.optional(), status: status(TASK_STATUSES) },
    filters: (_, query) => ({ owner: query["owner"], status: query["status"] }),
  }),
  single("/v1/tasks/{id}", "A task", "tasks"),
  list("/v1/tasks/{id}/leases", "Leases of a task: which node ran which units, and how it ended", "leases", {
    params: byId,
    item: leaseRow,
    show: withResult,
    filters: (params) => ({ taskId: params["id"] }),
  }),
  list("/v1/tasks/{id}/events", "What happened to a task", "events", {
    ...eventQuery,
    params: byId,
    filters: (params) => ({ taskId: params["id"] }),
  }),
  list(
    "/v1/tasks/{id}/audits",
    "Audits of a task: segments drawn, by whom they were run again, how it ended",
    "audits",
    {
      params: byId,
      orderBy: () => ["leaseId", "sequence"],
      filters: (params) => ({ taskId: params["id"] }),
    },
  ),
  list("/v1/leases", "Leases", "leases", {
    query: { node: id.optional(), status: status(LEASE_STATUSES) },
    item: leaseRow,
    show: withResult,
    filters: (_, query) => ({ nodeId: query["node"], status: query["status"] }),
  }),
  single("/v1/leases/{id}", "A lease", "leases", leaseRow, withResult),
  list("/v1/leases/{id}/checkpoints", "Checkpoints of a lease", "checkpoints", {
    params: byId,
    item: checkpointRow,
    show: withCid,
    orderBy: () => ["sequence"],
    filters: (params) => ({ leaseId: params["id"] }),
  }),
  list("/v1/leases/{id}/events", "What happened to a lease", "events", {
    ...eventQuery,
    params: byId,
    filters: (params) => ({ leaseId: params["id"] }),
  }),
  list("/v1/nodes", "Nodes", "nodes", {
    query: {
      owner: address.optional(),
      operator: address.optional(),
      class: id.optional(),
      status: status(NODE_STATUSES),
    },
    filters: (_, query) => ({
      owner: query["owner"],
      operator: query["operator"],
      classId: query["class"],
      status: query["status"],
    }),
  }),
  single("/v1/nodes/{id}", "A node", "nodes"),
  list("/v1/nodes/{id}/days", "Earnings, spending, work and energy of a node by day", "nodeDays", {
    params: byId,
    orderBy: () => ["start"],
    filters: (params) => ({ nodeId: params["id"] }),
    between: true,
  }),
  list("/v1/nodes/{id}/leases", "Leases of a node", "leases", {
    params: byId,
    query: { status: status(LEASE_STATUSES) },
    item: leaseRow,
    show: withResult,
    filters: (params, query) => ({ nodeId: params["id"], status: query["status"] }),
  }),
  list("/v1/nodes/{id}/events", "What happened to a node", "events", {
    ...eventQuery,
    params: byId,
    filters: (params) => ({ nodeId: params["id"] }),
  }),
  list("/v1/leaders", "Nodes by what they have done since they joined, the first first", "nodes", {
    query: {
      by: z
        .enum(["earned", "units", "delivered", "renewable", "idle"])
        .default("earned")
        .describe("VER earned, units paid, leases delivered, renewable joules, or unit-seconds on idle machines."),
    },
    orderBy: ({ by }) => [LEADERS[String(by)] ?? "earnedMicro", "id"],
    filters: () => ({}),
    fixedOrder: "desc",
  }),
  list("/v1/keepers", "Keepers by their bounties, the first first", "keepers", {
    orderBy: () => ["bountiesMicro", "address"],
    filters: () => ({}),
    fixedOrder: "desc",
  }),
  list("/v1/events", "What happened, by kind or by an address that it names", "events", {
    ...eventQuery,
    query: { name: z.enum(TOLD_EVENTS as [string, ...string[]]).optional(), account: address.optional() },
    filters: (_, query) => ({ name: query["name"], account: query["account"] }),
  }),
  route(
    "/v1/search",
    "What an id, an address, a CID or a sha2-256 digest names",
    {
      query: z.strictObject({ q: z.string().min(1).max(128).describe("The id, address, CID or digest.") }),
      answer: z.strictObject({
        asOf,
        items: z
          .array(
            z.strictObject({
              kind: z.enum(["task", "lease", "node", "round", "batch", "keeper", "checkpoint"]),
              id: z.string(),
              as: z.string().describe("in what it was found"),
            }),
          )
          .max(100),
      }),
    },
    async (db, _, query) => ({ items: await search(db, String(query["q"])) }),
  ),
];

/** The route of a path, with the parameters in it; undefined if there is none. */
export function routeOf(path: string): { route: Route; params: Record<string, string> } | undefined {
  const parts = path.split("/");
  for (const found of ROUTES) {
    const wanted = found.path.split("/");
    if (wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const isThis = wanted.every((part, i) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name !== undefined) params[name] = parts[i] ?? "";
      return name !== undefined || part === parts[i];
    });
    if (isThis) return { route: found, params };
  }
  return undefined;
}

/** What a query or a path has to be, checked. @throws PageError 400 naming what is wrong. */
export function checked(schema: z.ZodObject, given: Readonly<Record<string, string>>): Values {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data as Values;
  throw new PageError(400, `The request does not fit: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
}
