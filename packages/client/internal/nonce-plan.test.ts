import assert from "node:assert/strict";
import { test } from "node:test";

import { nextNonceStep } from "./nonce-plan.ts";

const open = (nonce: number) => ({ nonce, mined: false });
const mined = (nonce: number) => ({ nonce, mined: true });

for (const { name, latest, pending = latest, floor = 0, entries = [], kind, nonce = latest } of [
  { name: "nothing is in flight", latest: 5, kind: "send" },
  { name: "what was mined waits to become safe", latest: 5, floor: 5, entries: [mined(3), mined(4)], kind: "send" },
  {
    name: "the endpoint counts less than was seen to be mined",
    latest: 4,
    floor: 5,
    entries: [mined(4)],
    kind: "doubt",
  },
  { name: "something signed may never have been sent", latest: 5, entries: [open(5)], kind: "ask" },
  { name: "it waits in the pool", latest: 5, pending: 6, entries: [open(5)], kind: "adopt" },
  { name: "its nonce is used, by it or another", latest: 6, entries: [open(5)], kind: "adopt", nonce: 5 },
  { name: "somebody else's waits", latest: 5, pending: 6, kind: "adopt" },
  { name: "it waits behind nonces that nothing was sent for", latest: 3, entries: [open(5)], kind: "gap" },
  { name: "it waits behind others in the pool", latest: 3, pending: 5, entries: [open(5)], kind: "adopt" },
  { name: "an entry far ahead is no reason to wait", latest: 3, entries: [open(5000)], kind: "send" },
  { name: "an absurd number of waiting ones is not believed", latest: 3, pending: 2 ** 40, kind: "send" },
] as {
  name: string;
  latest: number;
  pending?: number;
  floor?: number;
  entries?: { nonce: number; mined: boolean }[];
  kind: string;
  nonce?: number;
}[]) {
  test(`before something new is sent: ${name}`, () => {
    assert.deepEqual(nextNonceStep({ latest, pending, floor, entries }), { kind, nonce });
  });
}
