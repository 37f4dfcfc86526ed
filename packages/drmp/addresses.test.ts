import assert from "node:assert/strict";
import { test } from "node:test";

import { addressesOn, addressOf } from "./addresses.ts";

const VAULT = `0x${"1a".repeat(20)}`;

test("own addresses are taken as they are or as Ignition keeps them; others' contracts are left out", () => {
  const addresses = addressesOn(31337, { "Drmp#Vault": VAULT, Supply: VAULT, "Other#Thing": "text" });
  assert.deepEqual(addresses, { Vault: VAULT, Supply: VAULT });
  assert.equal(addressOf(addresses, "Vault"), VAULT);
});

test("what is not there or no address is refused with the remedy", () => {
  assert.throws(() => addressesOn(31337), /no public deployment on chain 31337.*deployed_addresses\.json/);
  assert.throws(() => addressesOn(31337, { "Drmp#Vault": "0x12" }), /Drmp#Vault is "0x12", which is no address/);
  assert.throws(() => addressOf({}, "Lens"), /has no Lens, only nothing/);
});
