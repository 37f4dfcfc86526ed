import assert from "node:assert/strict";
import { test } from "node:test";

import { auditsAbi } from "@verai/client/typed-abi/Audits";
import { leaseRegistryAbi } from "@verai/client/typed-abi/LeaseRegistry";
import { releaseFeesAbi } from "@verai/client/typed-abi/ReleaseFees";
import { supplyAbi } from "@verai/client/typed-abi/Supply";
import { csvOf, hoursOf, MONEY } from "@verai/web/src/pages/nodes/money";

const VER = 10n ** 18n;

test("what counts as money is in the contracts' events, under the name that is read", () => {
  const abis = [leaseRegistryAbi, supplyAbi, releaseFeesAbi, auditsAbi];
  const events = abis.flatMap((abi) => abi.filter((each) => each.type === "event"));
  for (const [name, { amount }] of Object.entries(MONEY)) {
    const event = events.find((each) => each.name === name);
    assert.ok(event, name);
    const inputs: readonly { readonly name: string; readonly type: string }[] = event.inputs;
    assert.match(inputs.find((input) => input.name === amount)?.type ?? "", /^uint/, `${name}.${amount}`);
  }
});

test("an hour has what was paid, and everything that was taken", () => {
  const hours = hoursOf([
    { name: "AuditSlashed", time: 7_300, data: { amount: String(5n * VER) } },
    { name: "LeasePaid", time: 7_200, data: { amount: String(2n * VER) } },
    { name: "WorkPaid", time: 3_700, data: { amount: 7 } },
    { name: "NodeSlashed", time: 3_600, data: { slashed: String(VER), cooldownUntil: 9_000 } },
    { name: "ReleaseCharged", time: 3_650, data: { fee: String(3n * VER) } },
    { name: "LeaseGranted", time: 10_900, data: { amount: "9" } },
  ]);
  assert.deepEqual(hours, [
    { start: 3_600, earned: 7n, spent: 4n * VER, joules: null },
    { start: 7_200, earned: 2n * VER, spent: 5n * VER, joules: null },
  ]);
});

test("what is no amount counts as none, whatever an indexer says", () => {
  for (const amount of [-1, 1.5, Infinity, "0x10", "-1", "<b>", null, {}, "9".repeat(79)]) {
    assert.equal(hoursOf([{ name: "LeasePaid", time: 0, data: { amount } }])[0]?.earned, 0n, typeof amount);
  }
  assert.deepEqual(hoursOf([{ name: "toString", time: 0, data: {} }]), []);
});

test("the file has a line for each stretch, amounts in full", () => {
  const text = csvOf([
    { start: 1_800_000_000, earned: 3n * VER + 1n, spent: 0n, joules: 12 },
    { start: 1_800_086_400, earned: 0n, spent: VER / 2n, joules: null },
  ]);
  assert.deepEqual(text.split("\r\n"), [
    "start_utc,earned_ver,spent_ver,energy_joules",
    "2027-01-15T08:00:00.000Z,3.000000000000000001,0,12",
    "2027-01-16T08:00:00.000Z,0,0.5,",
    "",
  ]);
});
