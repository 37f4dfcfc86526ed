import assert from "node:assert/strict";
import { test } from "node:test";

import { capacityToOffer } from "./capacity.ts";

test("less room is offered at once, more only when it has stayed", () => {
  const facts = { registered: 8, leased: 2, configured: 16, room: 8, steady: 8 };
  assert.equal(capacityToOffer(facts), undefined);
  assert.equal(capacityToOffer({ ...facts, room: 5 }), 5);
  assert.equal(capacityToOffer({ ...facts, room: 12 }), undefined, "it may be gone in a minute");
  assert.equal(capacityToOffer({ ...facts, room: 12, steady: 11 }), 11);
  assert.equal(capacityToOffer({ ...facts, room: 40, steady: 40 }), 16, "no more than the owner wants to offer");
  assert.equal(capacityToOffer({ ...facts, room: 0 }), 2, "what is leased stays");
  assert.equal(capacityToOffer({ ...facts, room: 0, leased: 0 }), 1);
  assert.equal(capacityToOffer({ ...facts, registered: 20, room: 20, steady: 20 }), 16);
});
