import assert from "node:assert/strict";
import { test } from "node:test";

import { Copies, type Wanted } from "./copies.ts";

const wanted = (leaseId: number, progress = 10): Wanted => ({
  leaseId,
  cid: `cid-${String(leaseId)}-${String(progress)}`,
  fence: 1,
  progress,
  size: 100,
});

/** Copies whose ends the test decides. */
function desk(atOnce = 1, waiting = 2) {
  const begun: { cid: string; end: () => void; fail: (why: string) => void; arrive: (bytes: number) => void }[] = [];
  const copies = new Copies(
    ({ cid }, signal, onBytes) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
        begun.push({
          cid,
          end: resolve,
          fail: (why) => {
            reject(new Error(why));
          },
          arrive: onBytes,
        });
      }),
    { atOnce, waiting },
  );
  return { copies, begun };
}

test("who asks is told how far it is, and the end once it has come", async () => {
  const { copies, begun } = desk();
  assert.deepEqual(await copies.ask(wanted(1), 1), { kind: "copying", bytes: 0, total: 100 });
  begun[0]?.arrive(40);
  assert.deepEqual(await copies.ask(wanted(1), 1), { kind: "copying", bytes: 40, total: 100 });
  const asked = copies.ask(wanted(1), 10_000);
  begun[0]?.end();
  assert.deepEqual(await asked, { kind: "held" });
  assert.equal(begun.length, 1, "one copy for all who asked");
});

test("a later checkpoint takes the place of an earlier one, and an earlier one is not begun", async () => {
  const { copies, begun } = desk(2);
  const first = copies.ask(wanted(1, 10), 10_000);
  await copies.ask(wanted(1, 20), 1);
  assert.deepEqual(await first, { kind: "failed", why: "a later checkpoint takes its place" });
  assert.equal((await copies.ask(wanted(1, 15), 1)).kind, "busy");
  begun[1]?.end();
  assert.deepEqual(await copies.ask(wanted(1, 20), 10_000), { kind: "held" });
});

test("no more at once, and no more waiting, than allowed", async () => {
  const { copies, begun } = desk(1, 2);
  for (const lease of [1, 2, 3]) assert.equal((await copies.ask(wanted(lease), 1)).kind, "copying");
  assert.deepEqual(await copies.ask(wanted(4), 1), { kind: "busy", why: "3 copies are under way or wait" });
  assert.deepEqual(
    begun.map(({ cid }) => cid),
    ["cid-1-10"],
  );
  begun[0]?.end();
  assert.deepEqual(await copies.ask(wanted(1), 10_000), { kind: "held" });
  assert.equal((await copies.ask(wanted(4), 1)).kind, "copying");
});

test("a failure is told once, and asked again it is tried again", async () => {
  const { copies, begun } = desk();
  const asked = copies.ask(wanted(1), 10_000);
  await copies.ask(wanted(1), 1);
  begun[0]?.fail("no peer has it");
  assert.deepEqual(await asked, { kind: "failed", why: "no peer has it" });
  assert.equal((await copies.ask(wanted(1), 1)).kind, "copying");
  assert.equal(begun.length, 2);
});

test("stopping ends what is under way", async () => {
  const { copies } = desk();
  const asked = copies.ask(wanted(1), 10_000);
  await copies.stop();
  assert.deepEqual(await asked, { kind: "failed", why: "the agent is leaving" });
});
