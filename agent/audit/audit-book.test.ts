import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import type { OpenedAudit } from "@verai/client/audit-reads";
import { answerIn, AuditBook } from "./audit-book.ts";
import { type Posted, PostedSegments } from "./posted-segments.ts";
import { ProducerTraces } from "./producer-traces.ts";

const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const link = (sequence: number) => ({
  ...{
    sequence,
    digest: word(sequence),
    traceRoot: word(9),
    progress: 5,
    at: 10,
    codec: 0x70,
    size: "18446744073709551615",
  },
});
const opened: OpenedAudit = { leaseId: 3, sequence: 2, epochId: 1, salt: word(1), before: link(1), end: link(2) };
const given = { answer: word(4), fresh: word(0), vouched: true };

async function temporary(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "drmp-audits-"));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function only(book: AuditBook) {
  const [duty, ...more] = await book.duties();
  assert.ok(duty && more.length === 0);
  return duty;
}

test("what hides an answer is on disk before it is used, and never changes", async (context) => {
  const directory = await temporary(context);
  const book = new AuditBook(directory);
  await book.note(opened, false, { number: 50, timestamp: 100 });
  const answer = await book.answer(await only(book), 0, given);
  assert.match(answer.salt, /^0x[0-9a-f]{64}$/);
  // Also if the examination came to another end after a restart.
  const again = new AuditBook(directory);
  assert.deepEqual(await again.answer(await only(again), 0, { ...given, answer: word(5) }), answer);
  assert.notEqual((await again.answer(await only(again), 1, given)).salt, answer.salt);
  assert.deepEqual(answerIn(await only(again), 0), answer);
  assert.equal(answerIn(await only(again), 2), undefined);
});

test("a draw that a reorganisation has changed is answered once more, and what is the same is not touched", async (context) => {
  const book = new AuditBook(await temporary(context));
  const seen = { number: 50, timestamp: 100 };
  await book.note(opened, false, seen);
  const duty = await only(book);
  const answer = await book.answer(duty, 0, given);
  await book.keepExamined(duty, { vouched: true, outcome: { kind: "unusable", why: "no state" } });
  await book.note(opened, false, { number: 60, timestamp: 200 });
  assert.equal((await only(book)).block, 50);
  await book.note({ ...opened, salt: word(2) }, false, seen);
  const other = await only(book);
  assert.equal(answerIn(other, 0), undefined);
  assert.equal(await book.examined(other), undefined);
  // And the one before stays known: its blocks may come back.
  assert.deepEqual(answerIn({ ...other, salt: word(1) }, 0), answer);
  assert.deepEqual((await book.examined(duty))?.outcome, { kind: "unusable", why: "no state" });
});

test("an audit that is over leaves nothing", async (context) => {
  const directory = await temporary(context);
  const book = new AuditBook(directory);
  await book.note(opened, true, { number: 50, timestamp: 100 });
  await book.keepExamined(await only(book), { vouched: true, outcome: { kind: "failed", why: "too slow" } });
  await book.forget(opened);
  assert.deepEqual([await book.duties(), await readdir(directory)], [[], []]);
  await book.moveCursor(7, 31337, 40);
  assert.deepEqual([await book.cursor(7, 31337), await book.cursor(8, 31337)], [40, undefined]);
});

test("what is about to be posted is remembered with its trace, until it is let go", async (context) => {
  const directory = await temporary(context);
  const traces = new ProducerTraces(join(directory, "traces"));
  const posted = new PostedSegments(join(directory, "posted"), traces);
  const segment = (sequence: number, digest: number, root: number): Posted => ({
    ...{
      sequence,
      digest: word(digest),
      root: word(root),
      cid: `cid-${String(digest)}`,
      codec: 0x70,
      size: 10,
      progress: 5,
    },
  });
  const trace = { digest: "", units: [{ unit: 0, leaves: [{ step: 1, digest: word(1) }] }], ends: [] };
  for (const root of [11, 12, 13]) await traces.save(word(root), trace);
  await Promise.all([
    posted.add(3, segment(1, 1, 11)),
    posted.add(3, segment(2, 2, 12)),
    posted.add(3, segment(2, 3, 13)),
  ]);
  const again = new PostedSegments(join(directory, "posted"), traces);
  assert.deepEqual(
    (await again.of(3)).map(({ sequence, digest }) => [sequence, Number(digest)]),
    [
      [1, 1],
      [2, 2],
      [2, 3],
    ],
  );
  await again.update(3, (segments) => segments.filter(({ digest }) => digest === word(3)));
  assert.deepEqual([await traces.find(word(11)), await traces.find(word(12))], [undefined, undefined]);
  assert.ok(await traces.find(word(13)));
  for (let digest = 20; digest < 60; digest++) await again.add(3, segment(4, digest, 13));
  assert.equal((await again.of(3)).length, 9);
  await again.update(3, () => []);
  assert.deepEqual([await again.leases(), await readdir(join(directory, "posted"))], [[], []]);
});
