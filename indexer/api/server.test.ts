import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { openDatabase, type OpenDatabase } from "../database/open.ts";
import { Indexer } from "../indexer.ts";
import { TestChain } from "../testing/chain.ts";
import { ADDRESSES } from "../testing/encode.ts";
import { Live } from "./live.ts";
import { openApi } from "./openapi.ts";
import { ROUTES } from "./routes.ts";
import { serveApi } from "./server.ts";

const READERS = 20;
const directory = mkdtempSync(join(tmpdir(), "drmp-api-"));
const chain = new TestChain();
const live = new Live(READERS);
const errors: unknown[] = [];
let database: OpenDatabase;
let indexer: Indexer;
let api: Awaited<ReturnType<typeof serveApi>>;

before(async () => {
  database = await openDatabase({ kind: "sqlite", file: join(directory, "history.db") }, "test");
  indexer = new Indexer({
    chain,
    database,
    addresses: ADDRESSES,
    first: 0,
    onWritten: ({ position, changes }) => {
      live.written(position, changes);
    },
  });
  chain.mine(330);
  await indexer.look();
  api = await serveApi({
    ...{ host: "127.0.0.1", port: 0, database, live, standing: () => indexer.standing },
    onError: (error) => errors.push(error),
    limits: { perSecond: 10_000, burst: 10_000 },
  });
});

after(async () => {
  await api.close();
  await database.close();
  rmSync(directory, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: {
    items: Record<string, unknown>[];
    item: Record<string, unknown>;
    next: string | null;
    error: string;
    asOf: object;
  };
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`);
  assert.equal(response.headers.get("access-control-allow-origin"), "*", path);
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** Everything of a list, page by page. */
async function all(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (let next: string | null = ""; next !== null;) {
    const { status, body } = await get(
      `${path}${path.includes("?") ? "&" : "?"}limit=${String(limit)}${next && `&cursor=${next}`}`,
    );
    assert.equal(status, 200, body.error);
    assert.ok(body.items.length <= limit);
    found.push(...body.items);
    next = body.next;
  }
  return found;
}

test("every page answers as its schema says, as of a block", async () => {
  for (const route of ROUTES) {
    const path = route.path.replace("{id}", "1") + (route.path === "/v1/search" ? "?q=1" : "");
    const { status, body } = await get(path);
    assert.equal(status, 200, `${path}: ${body.error}`);
    const standing = { block: chain.height, head: chain.height, atHead: true };
    assert.deepEqual({ ...body.asOf, ...standing }, body.asOf, path);
  }
  assert.equal((await get("/ready")).status, 200);
});

test("pages together are the list, whatever their size and order", async () => {
  for (const path of [
    "/v1/leases",
    "/v1/events",
    "/v1/tasks/1/events",
    "/v1/leaders?by=units",
    "/v1/keepers",
    "/v1/nodes/3/days",
  ]) {
    const whole = await all(path, 200);
    assert.ok(whole.length > 0, path);
    for (const limit of [1, 7]) assert.deepEqual(await all(path, limit), whole, `${path} by ${String(limit)}`);
    if (/leaders|keepers/.test(path)) continue;
    assert.deepEqual(await all(`${path}?order=asc`, 9), whole.toReversed(), path);
  }
});

test("a task's lanes are told: who ran what, how it ended, what came after", async () => {
  const leases = await all("/v1/tasks/1/leases?order=asc", 50);
  const failed = leases.find(({ reason }) => reason === "overdue");
  assert.ok(failed);
  const successor = leases.find(({ parent }) => parent === failed["id"]);
  assert.ok(successor && typeof successor["batchId"] === "number");
  assert.deepEqual([successor["start"], successor["count"]], [failed["start"], failed["count"]]);
  const checkpoints = await all(`/v1/leases/${String(successor["id"])}/checkpoints`, 10);
  assert.deepEqual(
    checkpoints.map(({ sequence }) => sequence),
    [2, 1],
  );
  const { body } = await get(`/v1/search?q=${String(checkpoints[0]?.["cid"])}`);
  assert.deepEqual(body.items, [{ kind: "checkpoint", id: String(successor["id"]), as: "checkpoint of this lease" }]);
});

test("a task's audits are told: the segment, who ran it again, what came of it", async () => {
  const lease = (await get("/v1/leases/10")).body.item;
  const audits = await all(`/v1/tasks/${String(lease["taskId"])}/audits`, 1);
  const audit = audits.find(({ leaseId }) => leaseId === 10);
  assert.ok(audit);
  const { sequence, nodeId, status, verifiers, panel, fromTime, toTime, openedAt, endedAt } = audit;
  assert.deepEqual([sequence, nodeId, status, panel], [1, lease["nodeId"], "passed", []]);
  assert.equal((verifiers as number[]).length, 1);
  assert.notEqual((verifiers as number[])[0], nodeId);
  assert.equal(fromTime, lease["grantedAt"]);
  assert.ok(Number(toTime) < Number(openedAt) && Number(openedAt) < Number(endedAt));
});

test("what does not fit is refused with a reason, and is no error of ours", async () => {
  const wrong: readonly (readonly [path: string, status: number])[] = [
    ["/v1/tasks/0", 404],
    ["/v1/tasks/4294967295", 404],
    ["/v1/tasks/4294967296", 400],
    ["/v1/tasks/-1", 400],
    ["/v1/tasks/1;drop%20table%20tasks", 400],
    ["/v1/tasks?owner='%20or%201=1--", 400],
    ["/v1/tasks?owner=0x1", 400],
    ["/v1/tasks?status=none", 400],
    ["/v1/tasks?limit=0", 400],
    ["/v1/tasks?limit=201", 400],
    ["/v1/tasks?limit=1e9", 400],
    ["/v1/tasks?limit=1&limit=2", 400],
    ["/v1/tasks?unknown=1", 400],
    ["/v1/tasks?__proto__=1", 400],
    [`/v1/tasks?cursor=${"A".repeat(201)}`, 400],
    [`/v1/tasks?cursor=${Buffer.from('["x"]').toString("base64url")}`, 400],
    [`/v1/tasks?cursor=${Buffer.from("[1,2]").toString("base64url")}`, 400],
    [`/v1/tasks?cursor=${Buffer.from("{").toString("base64url")}`, 400],
    [`/v1/keepers?cursor=${Buffer.from('[1,"a\\u0000"]').toString("base64url")}`, 400],
    ["/v1/rounds?status=settled&keeper=0x0400000000000000000000000000000000000000", 400],
    ["/v1/nodes?owner=0x0100000000000000000000000000000000000000&class=1", 400],
    ["/v1/network/history?from=-1", 400],
    ["/v1/network/history?from=1e30", 400],
    ["/v1/events?name=Nothing", 400],
    [`/v1/search?q=${"x".repeat(129)}`, 400],
    ["/v1/search", 400],
    ["/v1/nothing", 404],
    ["/v1/tasks/1/leases/2", 404],
  ];
  for (const [path, status] of wrong) {
    const answer = await get(path);
    assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer.body).slice(0, 200)}`);
    assert.ok(answer.body.error.length > 10, path);
  }
  assert.equal((await fetch(`${api.url}/v1/tasks`, { method: "POST" })).status, 405);
  assert.equal((await fetch(`${api.url}/v1/tasks?owner=${"x".repeat(4_000)}`)).status, 414);
  assert.deepEqual(errors, []);
});

test("beyond the end there is an empty page", async () => {
  const end = Buffer.from("[0]").toString("base64url");
  const { status, body } = await get(`/v1/tasks?cursor=${end}`);
  assert.deepEqual([status, body.items, body.next], [200, [], null]);
  assert.deepEqual((await get("/v1/nodes/999999/leases")).body.items, []);
  for (const q of ["%3Cscript%3E", "';--", "bafybeigdyrzt", "0x12", "99999999999"]) {
    assert.deepEqual((await get(`/v1/search?q=${q}`)).body.items, [], q);
  }
});

test("readers of live updates are told of blocks, are bounded, and leave nothing behind", async () => {
  const stop = new AbortController();
  const open = async () => fetch(`${api.url}/v1/live`, { signal: stop.signal });
  const answers = await Promise.all(Array.from({ length: READERS + 15 }, open));
  const good = answers.filter(({ status }) => status === 200);
  assert.equal(good.length, READERS);
  assert.ok(answers.every(({ status }) => status === 200 || status === 503));
  chain.mine(60);
  await indexer.look();
  const reader = good[0]?.body?.getReader();
  let text = "";
  while (!/event: block\ndata: .*\n\n/.test(text)) {
    const part = (await reader?.read()) as { value?: Uint8Array } | undefined;
    text += new TextDecoder().decode(part?.value);
  }
  assert.match(text, /event: standing/);
  const told = JSON.parse(/event: block\ndata: (.*)\n/.exec(text)?.[1] ?? "") as {
    block: number;
    changed: { tasks: { ids: number[] } };
  };
  assert.equal(told.block, chain.height);
  assert.ok(told.changed.tasks.ids.length > 0);
  stop.abort();
  for (let i = 0; live.readers > 0 && i < 2_000; i++) await delay(10);
  assert.equal(live.readers, 0);
});

test("the description has every page with its parameters and answers", () => {
  const { openapi, paths } = openApi() as {
    openapi: string;
    paths: Record<string, { get: { parameters: { name: string }[]; responses: object } }>;
  };
  assert.equal(openapi, "3.1.0");
  assert.deepEqual(Object.keys(paths).sort(), ROUTES.map(({ path }) => path).sort());
  const tasks = paths["/v1/tasks"]?.get;
  assert.deepEqual(
    tasks?.parameters.map(({ name }) => name),
    ["owner", "status", "order", "limit", "cursor"],
  );
  assert.ok(!JSON.stringify(paths).includes('"$ref"'));
});
