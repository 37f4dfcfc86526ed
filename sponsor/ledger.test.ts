import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { SponsorError } from "./errors.ts";
import { Ledger, type Limits, type Reservation } from "./ledger.ts";

const NOW = 1_800_000_000;
const LIMITS: Limits = {
  ...{ perOperation: 10n, perAccountDay: 25n, perClientDay: 40n, perDay: 60n },
  ...{ newAccounts: 2, failures: 2 },
};

let made = 0;
function wish(changes: Partial<Reservation> = {}): Reservation {
  made += 1;
  return {
    ...{ hash: `0x${String(made)}`, account: "0xa", nonce: BigInt(made), client: "1.2.3.4", creates: false },
    ...{ maxCost: 10n, validUntil: NOW + 600, block: 1 },
    ...changes,
  };
}

function code(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SponsorError) return error.code;
    throw error;
  }
  return "";
}

test("limits of an operation, an account, a client and a day hold, by what operations can cost", () => {
  const ledger = new Ledger(":memory:", LIMITS);
  const reserve = (changes: Partial<Reservation>, now = NOW) =>
    code(() => {
      ledger.reserve(wish(changes), now);
    });
  assert.equal(reserve({ maxCost: 11n }), "OPERATION_TOO_DEAR");
  assert.equal(reserve({}), "");
  assert.equal(reserve({}), "");
  assert.equal(reserve({}), "ACCOUNT_USED_UP");
  assert.equal(reserve({ account: "0xb" }), "");
  assert.equal(reserve({ account: "0xc" }), "");
  assert.equal(reserve({ account: "0xd" }), "CLIENT_USED_UP");
  assert.equal(reserve({ account: "0xd", client: "5.6.7.8" }), "");
  assert.equal(reserve({ account: "0xe", client: "5.6.7.8" }), "");
  assert.equal(reserve({ account: "0xf", client: "9.9.9.9" }), "DAY_USED_UP");
  assert.equal(ledger.spent("2027-01-15").reserved, 60n);
  // The next day has limits of its own.
  assert.equal(reserve({}, NOW + 86_400), "");
});

test("what an operation did not cost can be paid for others; what can no longer come costs nothing", () => {
  const ledger = new Ledger(":memory:", LIMITS);
  const [first, second] = [wish(), wish()];
  ledger.reserve(first, NOW);
  ledger.reserve(second, NOW);
  assert.ok(ledger.claim(first.hash));
  assert.ok(!ledger.claim(first.hash), "it is sent once");
  ledger.settle(first.hash, true, 3n, "0xt");
  ledger.discard(second.hash);
  assert.deepEqual(ledger.spent("2027-01-15"), { day: "2027-01-15", operations: 1, failed: 0, paid: 3n, reserved: 0n });
  assert.equal(ledger.find(first.hash)?.transaction, "0xt");
  ledger.reserve(wish(), NOW);
  ledger.reserve(wish(), NOW);
  assert.equal(
    code(() => {
      ledger.reserve(wish(), NOW);
    }),
    "ACCOUNT_USED_UP",
  );
});

test("of operations with one nonce one counts, at the price of the dearest; one on its way keeps its nonce", () => {
  const ledger = new Ledger(":memory:", LIMITS);
  ledger.reserve(wish({ nonce: 7n, maxCost: 10n }), NOW);
  for (let i = 0; i < 20; i++) ledger.reserve(wish({ nonce: 7n, maxCost: 4n }), NOW);
  assert.equal(ledger.spent("2027-01-15").reserved, 10n);
  const [live] = ledger.open();
  assert.equal(ledger.open().length, 1);
  assert.ok(live && ledger.claim(live.hash));
  assert.equal(
    code(() => {
      ledger.reserve(wish({ nonce: 7n }), NOW);
    }),
    "NONCE_USED",
  );
});

test("an operation whose place another one has taken is not counted beside it", () => {
  const ledger = new Ledger(":memory:", LIMITS);
  const [first, second] = [wish({ nonce: 7n }), wish({ nonce: 7n })];
  ledger.reserve(first, NOW);
  ledger.reserve(second, NOW);
  // Who looks at the chain may have listed the first one before, and finds what was carried out under the nonce.
  ledger.settle(first.hash, false, 3n, "0xt");
  ledger.settle(second.hash, false, 3n, "0xt");
  ledger.settle(second.hash, true, 9n, "0xu");
  assert.deepEqual(ledger.spent("2027-01-15"), { day: "2027-01-15", operations: 1, failed: 1, paid: 3n, reserved: 0n });
});

test("failures and new accounts are bounded for each client", () => {
  const ledger = new Ledger(":memory:", { ...LIMITS, perAccountDay: 1_000n, perClientDay: 1_000n, perDay: 1_000n });
  const reserve = (changes: Partial<Reservation>) => {
    const one = wish(changes);
    return [one.hash, code(() => { ledger.reserve(one, NOW); })] as const; // prettier-ignore
  };
  for (const account of ["0x1", "0x2"]) {
    const [hash, refused] = reserve({ account, creates: true });
    assert.equal(refused, "");
    ledger.claim(hash);
    ledger.settle(hash, account === "0x1", 5n, "0xt");
  }
  assert.equal(reserve({ account: "0x3", creates: true })[1], "TOO_MANY_ACCOUNTS");
  assert.equal(reserve({ account: "0x3", creates: true, client: "5.6.7.8" })[1], "");
  const [hash] = reserve({ account: "0x2" });
  ledger.claim(hash);
  ledger.settle(hash, false, 5n, "0xt");
  assert.equal(reserve({ account: "0x2" })[1], "TOO_MANY_FAILURES");
  assert.equal(reserve({ account: "0x2", client: "5.6.7.8" })[1], "TOO_MANY_FAILURES", "by account as well");
  assert.equal(reserve({ account: "0x9", client: "5.6.7.8" })[1], "");
});

test("everything is still counted after a restart", () => {
  const folder = mkdtempSync(join(tmpdir(), "drmp-ledger-"));
  try {
    const file = join(folder, "sponsor.sqlite");
    const before = new Ledger(file, LIMITS);
    const one = wish();
    before.reserve(one, NOW);
    before.close();
    const after = new Ledger(file, LIMITS);
    assert.equal(after.spent("2027-01-15").reserved, 10n);
    assert.equal(after.find(one.hash)?.state, "signed");
    after.forget(NOW + 100 * 86_400);
    assert.equal(after.open().length, 1, "what may still come is not forgotten");
    after.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
