import assert from "node:assert/strict";
import { test } from "node:test";

import { CID } from "multiformats/cid";

import { runScript } from "../support/script.ts";

/**
 * What the joint optimum of the demo's tasks costs, worked out by hand: of the 16 units on offer, 15 are needed, and one of
 * the dearest stays unused: 4×0.010 + 3×0.014 + 4×0.008 + 3×0.012 + 1×0.020 VER.
 */
const OPTIMUM_WEI = 170_000_000_000_000_000n;

interface Row {
  fault: string;
  leaseId: number;
  by: "draw" | "round";
  units: number;
  detected?: number;
  expired?: number;
  seed?: number;
  drawn: number;
  lag: number;
  restored?: number;
  checkpoint?: number;
}

interface Table {
  nodes: { name: string; capacity: number; units: number; earnedWei: string; stakeWei: string }[];
  cost: { grantedWei: string; paidWei: string; optimumWei: string };
  recoveries: Row[];
  audit: { sequence: number; drawn: number; panel: number; convicted: number; slashedWei: string; passed: number };
  faults: { damaged: string[]; silence: { request: string; seconds: number }; inFlight: { label: string } };
  tasks: { units: number; accuracies: number[]; best: number }[];
  checkpoints: { leaseId: number; cid: string; size: number; madeBy: string; fetchedFrom: string; verified: boolean }[];
  gas: { step: string; count: number; highest: number }[];
  totals: { balance: string; escrow: string; stake: string; claimable: string; bountyPool: string; balanced: boolean };
  checks: { what: string; ok: boolean }[];
}

test("the demo: trained, verified and paid for, whatever fails meanwhile", { timeout: 3_600_000 }, async (context) => {
  const table = await runScript<Table>(context, "scripts/demo.ts", "--json", "--no-energy");

  assert.deepEqual(
    table.checks.filter(({ ok }) => !ok),
    [],
  );
  assert.ok(table.checks.length >= 11);

  // Every number of the table is added up again here.
  assert.equal(BigInt(table.cost.grantedWei), OPTIMUM_WEI);
  assert.equal(BigInt(table.cost.optimumWei), OPTIMUM_WEI);
  const units = table.nodes.reduce((sum, node) => sum + node.units, 0);
  assert.equal(units, 16);
  const earned = table.nodes.map((node) => BigInt(node.earnedWei));
  assert.equal(
    earned.reduce((sum, each) => sum + each, 0n),
    BigInt(table.cost.paidWei),
  );
  // Spares ask more than those whose work they took over.
  assert.ok(BigInt(table.cost.paidWei) > OPTIMUM_WEI);

  // Both failures were recovered from, each step after the one before.
  const by = (fault: string) => table.recoveries.filter((row) => row.fault.endsWith(fault));
  const [killed, cut] = [by("killed"), by("cut off")];
  assert.ok(killed.length > 0 && cut.length > 0, JSON.stringify(table.recoveries));
  assert.equal(
    killed.reduce((sum, row) => sum + row.units, 0),
    4,
  );
  assert.ok(killed.some((row) => row.by === "draw"));
  // What a block holds is known as soon as the block was seen; what an agent does, when it says so.
  for (const { expired = NaN, seed = NaN, drawn, lag, restored = NaN, checkpoint } of [...killed, ...cut]) {
    assert.ok(
      expired > 0 && seed >= expired && drawn >= seed && restored >= drawn - lag,
      JSON.stringify(table.recoveries),
    );
    if (checkpoint !== undefined) assert.ok(checkpoint >= restored, JSON.stringify(table.recoveries));
  }
  // The cheat: 100 VER of stake for its one unit, less what it paid for the audits of a new node that passed.
  const { audit } = table;
  const slashed = BigInt(audit.slashedWei);
  assert.ok(slashed > 99n * 10n ** 18n && slashed <= 100n * 10n ** 18n, audit.slashedWei);
  assert.ok(audit.drawn >= 0 && audit.panel > audit.drawn && audit.convicted > audit.panel, JSON.stringify(audit));
  assert.ok(audit.sequence > 1 && audit.passed > 0);
  assert.ok(table.faults.damaged.length > 0);
  assert.match(table.faults.silence.request, /^(batch|round) \d+$/);
  assert.ok(table.faults.silence.seconds > 0);
  assert.match(table.faults.inFlight.label, /^settle round/);

  assert.deepEqual(
    table.tasks.map((task) => [task.units, task.accuracies.length]),
    [
      [8, 8],
      [7, 7],
      [1, 1],
    ],
  );
  for (const { best, accuracies } of table.tasks) {
    assert.equal(best, Math.max(...accuracies));
    assert.ok(best > 0.9 && best <= 1, `best accuracy ${String(best)}`);
  }

  assert.ok(table.checkpoints.length > 0);
  for (const { cid, size, madeBy, fetchedFrom, verified } of table.checkpoints) {
    const { version, code: codec, multihash } = CID.parse(cid);
    assert.deepEqual([version, codec, multihash.code, multihash.digest.length], [1, 0x70, 0x12, 32]);
    assert.ok(verified && size > 0 && madeBy !== fetchedFrom);
  }

  const steps = new Set(table.gas.map(({ step }) => step));
  for (const step of [
    "rounds.open",
    "rounds.settle",
    "checkpoints.post",
    "checkpoints.postTraced",
    "audits.open",
    "audits.commit",
    "audits.openTrace",
    "audits.reveal",
    "audits.revealVote",
    "leases.deliver",
    "leases.accept",
    "vault.claim",
  ]) {
    assert.ok(steps.has(step), `${step} is not among ${[...steps].join(", ")}`);
  }
  assert.ok(table.gas.every(({ highest }) => highest > 21_000 && highest <= 2 ** 24));

  const { balance, escrow, stake, claimable, bountyPool, balanced } = table.totals;
  assert.ok(balanced);
  assert.equal(BigInt(balance), BigInt(escrow) + BigInt(stake) + BigInt(claimable) + BigInt(bountyPool));
  assert.equal(escrow, "0", "everything was paid or given back");
  // Stakes of the eleven nodes: 100 VER for each unit of their capacity, less the cheat's, and the slices of those that failed.
  const left = table.nodes.map((node) => BigInt(node.stakeWei)).reduce((sum, each) => sum + each, 0n);
  assert.equal(BigInt(stake), left);
  assert.ok(left < 3100n * 10n ** 18n && left >= 3000n * 10n ** 18n, `${String(left)} wei of stake are left`);
});
