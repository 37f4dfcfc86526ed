import assert from "node:assert/strict";
import { test } from "node:test";

import { pino } from "pino";

import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { contentsOf, CopyRequests, HolderBook } from "./copy-requests.ts";

const PIN = { number: 1, timestamp: 1 } as BlockReference;
const quiet = pino({ level: "silent" });
const holder = (nodeId: number) => ({ candidate: nodeId, nodeId, operator: "0x", endpoint: `/node/${String(nodeId)}` });

/** Three holders by rank; what each answers. */
function network(answers: Record<number, string>, replicas = 1) {
  let now = 0;
  const asked: number[] = [];
  const requests = new CopyRequests(
    {
      replicas,
      logger: quiet,
      holders: async () => [holder(4), holder(2), holder(9)],
      store: {
        request: async (endpoint: string | readonly string[]) => {
          const id = Number(endpoint[0]?.split("/").at(-1));
          asked.push(id);
          const kind = answers[id];
          if (kind === undefined) throw new Error("not reached");
          return kind === "copying"
            ? { kind, bytes: 1, total: 2 }
            : kind === "refused"
              ? { kind, why: "full" }
              : { kind };
        },
      },
    },
    () => now,
  );
  const keep = async (names = "a") => {
    asked.length = 0;
    requests.keep(PIN, [{ leaseId: 7, names }]);
    await requests.idle();
    return [...asked];
  };
  return { keep, answers, pass: (ms: number) => (now += ms) };
}

test("holders are asked by rank until enough hold it, and then left alone for a while", async () => {
  const { keep, pass } = network({ 4: "refused", 2: "held", 9: "held" });
  assert.deepEqual(await keep(), [4, 2]);
  assert.deepEqual(await keep(), []);
  pass(29 * 60_000);
  assert.deepEqual(await keep(), []);
  pass(2 * 60_000);
  assert.deepEqual(await keep(), [4, 2], "a holder may have gone meanwhile");
});

test("new content is asked for at once; a copy under way is waited for, and nobody else begins one", async () => {
  const { keep, pass, answers } = network({ 4: "copying", 2: "held" });
  assert.deepEqual(await keep("a"), [4]);
  assert.deepEqual(await keep("a"), []);
  answers[4] = "held";
  pass(2_000);
  assert.deepEqual(await keep("a"), [4]);
  assert.deepEqual(await keep("b"), [4]);
});

test("where nobody takes it, or somebody goes, others are asked, and all again later", async () => {
  const { keep, pass, answers } = network({ 4: "refused" }, 2);
  assert.deepEqual(await keep(), [4, 2, 9]);
  assert.deepEqual(await keep(), []);
  pass(30_000);
  Object.assign(answers, { 2: "held", 9: "held" });
  assert.deepEqual(await keep(), [4, 2, 9]);
});

test("what is to be copied: results, and checkpoints whose task asks for no receipts", () => {
  const lease = (id: number, more: object = {}) => ({ id, taskId: id, status: "active", ...more }) as Lease;
  const result = { digest: "0xr" };
  const leases = [
    lease(1),
    lease(2),
    lease(3),
    lease(4, { status: "delivered", result }),
    lease(5, { status: "paid", result }),
  ];
  const checkpoints = new Map([1, 2, 5].map((id) => [id, { digest: `0x${String(id)}` }]));
  const contents = contentsOf(leases, checkpoints, (taskId) => ({ replicas: taskId === 2 ? 1 : 0 }));
  assert.deepEqual(contents, [
    { leaseId: 1, names: "0x1" },
    { leaseId: 4, names: "0xr" },
    { leaseId: 5, names: "0xr" },
  ]);
});

test("a lease's holders are read once in a while", async () => {
  let [now, reads] = [0, 0];
  const reader = {
    holders: async () => {
      reads += 1;
      return [holder(1)];
    },
  };
  const book = new HolderBook(reader, 1_000, () => now);
  for (let n = 0; n < 5; n++) assert.equal((await book.of(PIN, 3)).length, 1);
  assert.equal(reads, 1);
  book.forget(3);
  await book.of(PIN, 3);
  now = 1_000;
  await book.of(PIN, 3);
  assert.equal(reads, 3);
  assert.deepEqual(
    (await book.known()).map(({ nodeId }) => nodeId),
    [1],
  );
});
