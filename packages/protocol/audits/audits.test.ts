import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import vectors from "../../../test/vectors/audits.json" with { type: "json" };
import { chanceOf } from "./chance.ts";
import { auditSalt, isDrawn, PANEL_QUESTION, probeAt, unitAt, verifierCandidate } from "./draws.ts";
import { commitment, headAfter, linkHash, NO_HEAD } from "./segments.ts";
import {
  openOwn,
  openTrace,
  rootOfOpening,
  traceAnswer,
  traceLeaf,
  traceRoot,
  traceUnits,
  type UnitTrace,
} from "./trace.ts";

const word = fc.bigInt(0n, 2n ** 256n - 1n).map((value) => `0x${value.toString(16).padStart(64, "0")}`);
const trace = fc.uniqueArray(fc.nat(2 ** 24 - 1), { minLength: 1, maxLength: 9 }).chain((units) =>
  fc.tuple(
    ...units
      .sort((a, b) => a - b)
      .map((unit) =>
        fc.array(word, { minLength: 1, maxLength: 40 }).map((digests): UnitTrace => ({
          unit,
          leaves: digests.map((digest, i) => ({ step: 100 * (i + 1), digest })),
        })),
      ),
  ),
);

test("the words equal those that the contracts are held to", () => {
  for (const { units, root, openings } of vectors.traces) {
    assert.equal(traceRoot(units), root);
    for (const { place, probe, opened, answer } of openings) {
      assert.deepEqual(openTrace(units, place, probe), opened);
      assert.equal(traceAnswer(opened), answer);
    }
  }
  const hashes = vectors.links.map(({ link }) => linkHash(link));
  for (const [i, { hash, head }] of vectors.links.entries()) {
    assert.equal(hashes[i], hash);
    assert.equal(headAfter(NO_HEAD, hashes.slice(0, i + 1)), head);
  }
  for (const { verdict, salt, word } of vectors.commitments) assert.equal(commitment(verdict, salt), word);
  for (const draw of vectors.draws) {
    const salt = auditSalt(draw.seed, draw.leaseId, draw.sequence);
    assert.equal(salt, draw.salt);
    assert.equal(isDrawn(salt, draw.chance), draw.drawn);
    const { position, chance } = verifierCandidate(salt, draw.positions, draw.candidate);
    assert.deepEqual([position, String(chance)], [draw.position, draw.acceptance]);
    assert.equal(unitAt(salt, draw.units), draw.unit);
    assert.equal(probeAt(salt, draw.question, draw.leaves), draw.probe);
  }
});

test("who has run a unit opens it as its producer does, with the hashes of the others, and nothing else", () => {
  fc.assert(
    fc.property(trace, fc.nat(), fc.nat(), word, (units, a, b, other) => {
      const place = a % units.length;
      const own = units[place];
      assert.ok(own);
      fc.pre(own.leaves[0]?.digest !== other);
      const probe = b % own.leaves.length;
      const root = traceRoot(units);
      const hashes = traceUnits(units).with(place, other);
      assert.deepEqual(openOwn(own, place, probe, hashes, root), openTrace(units, place, probe));
      const changed = { ...own, leaves: own.leaves.with(0, { step: own.leaves[0]?.step ?? 0, digest: other }) };
      assert.equal(openOwn(changed, place, probe, hashes, root), undefined);
      if (units.length > 1) {
        const wrong = hashes.with((place + 1) % units.length, other);
        assert.equal(openOwn(own, place, probe, wrong, root), undefined);
      }
    }),
  );
});

test("each leaf of a trace opens to its root, and at no other place", () => {
  fc.assert(
    fc.property(trace, fc.nat(), fc.nat(), (units, a, b) => {
      const place = a % units.length;
      const count = units[place]?.leaves.length ?? 0;
      const probe = b % count;
      const opened = openTrace(units, place, probe);
      assert.equal(rootOfOpening(opened, probe), traceRoot(units));
      for (const other of [probe + 1, probe - 1, count]) {
        if (other >= 0) assert.notEqual(rootOfOpening(opened, other), traceRoot(units));
      }
      const elsewhere = { ...opened, place: opened.place + 1, units: opened.units };
      assert.notEqual(rootOfOpening(elsewhere, probe), traceRoot(units));
      assert.notEqual(rootOfOpening({ ...opened, count: count + 1 }, probe), traceRoot(units));
      assert.notEqual(rootOfOpening({ ...opened, units: units.length + 1 }, probe), traceRoot(units));
    }),
    { numRuns: 40 },
  );
});

test("an inner node is no leaf, and a trace out of order has no root", () => {
  const leaf = { step: 1, digest: NO_HEAD };
  assert.notEqual(traceLeaf(0, leaf), traceRoot([{ unit: 0, leaves: [leaf] }]));
  for (const units of [
    [],
    [{ unit: 1, leaves: [] }],
    [
      { unit: 1, leaves: [leaf] },
      { unit: 1, leaves: [leaf] },
    ],
    [{ unit: 1, leaves: [leaf, leaf] }],
  ]) {
    assert.throws(() => traceRoot(units), RangeError);
  }
  assert.throws(() => openTrace([{ unit: 1, leaves: [leaf] }], 0, 1), RangeError);
  assert.throws(() => traceLeaf(2 ** 24, leaf), RangeError);
  assert.throws(() => traceLeaf(0, { step: 1, digest: "0x00" }), RangeError);
});

test("the probe lies in the last quarter before the end, and each question has its own", () => {
  const salts = Array.from({ length: 400 }, (_, i) => auditSalt(NO_HEAD, i, 1));
  for (const count of [2, 3, 5, 9, 17, 100]) {
    const late = Math.ceil((count - 1) / 4);
    const seen = new Set(salts.map((salt) => probeAt(salt, 0, count)));
    assert.equal(seen.size, late);
    assert.equal(Math.min(...seen), count - 1 - late);
    assert.equal(Math.max(...seen), count - 2);
  }
  assert.equal(probeAt(auditSalt(NO_HEAD, 1, 1), 0, 1), 0);
  const probes = new Set(salts.map((salt) => probeAt(salt, 0, 100) - probeAt(salt, PANEL_QUESTION, 100)));
  assert.ok(probes.size > 10);
});

test("so many segments are drawn as the chance says", () => {
  const drawn = Array.from({ length: 20_000 }, (_, i) => isDrawn(auditSalt(NO_HEAD, i, 3), 1_000)).filter(Boolean);
  assert.ok(Math.abs(drawn.length / 20_000 - 0.1) < 0.01, `${drawn.length} of 20,000`);
  assert.equal(isDrawn(`0x${"f".repeat(64)}`, 10_000), true);
  assert.equal(isDrawn(NO_HEAD, 0), false);
});

test("a segment's chance is the highest of what is asked for, what its node has, and what makes cheating in it a loss", () => {
  const terms = { chance: 100, newChance: 1_000, loss: 5_000 };
  const little = { asked: 1, gain: 1n, stake: 1_000_000n, isNew: false };
  assert.equal(chanceOf(little, terms), 100);
  assert.equal(chanceOf({ ...little, isNew: true }, terms), 1_000);
  assert.equal(chanceOf({ ...little, asked: 2_000, isNew: true }, terms), 2_000);
  assert.equal(chanceOf({ ...little, asked: 0, isNew: true }, terms), 0);
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 12n), fc.bigInt(1n, 10n ** 12n), (gain, more) => {
      const stake = gain + more;
      const chance = BigInt(chanceOf({ asked: 1, gain, stake, isNew: false }, terms));
      // Two thirds of the chance, with a third of the verifiers colluding: 2q/3 (gain + loss) >= gain.
      assert.ok(2n * chance * (gain + stake / 2n) >= 3n * gain * 10_000n || chance === 10_000n);
    }),
    { numRuns: 200 },
  );
});
