import { keccak, ZERO_WORD } from "./bytes.ts";

/*
 * What a node commits to with each checkpoint of an audited task; the same as contracts/audits/TraceTree.sol, which says what
 * a trace is. Words are 32 bytes in hexadecimal with 0x.
 */
const TAG_LEAF = 0;
const TAG_UNIT = 1;
const TAG_TRACE = 2;
const TAG_NODE = 3;

/** A state that a unit's program passed through. */
export interface TraceLeaf {
  /** Steps that it had done. */
  readonly step: number;
  /** sha2-256 digest of the CID of its state. */
  readonly digest: string;
}

/** The states of a unit within a segment. */
export interface UnitTrace {
  /** Index of the unit in its task. */
  readonly unit: number;
  /** By ascending step, at least one; the last is the unit's state in the posted checkpoint. */
  readonly leaves: readonly TraceLeaf[];
}

/** One unit's part of a trace, opened at two leaves. */
export interface TraceOpening {
  /** Units whose state changed in the segment. */
  readonly units: number;
  /** Which of them it is, from 0 on. */
  readonly place: number;
  readonly unit: number;
  /** Leaves of the unit. */
  readonly count: number;
  /** The leaf that was drawn. */
  readonly probe: TraceLeaf;
  /** The last leaf. */
  readonly end: TraceLeaf;
}

/** An opening with the nodes beside its paths, lowest first, as the contract takes it. */
export interface ProvedOpening extends TraceOpening {
  readonly probePath: readonly string[];
  readonly endPath: readonly string[];
  readonly unitPath: readonly string[];
}

/** Hash of a leaf. */
export function traceLeaf(unit: number, { step, digest }: TraceLeaf): string {
  return keccak([TAG_LEAF, 1], [unit, 3], [step, 8], digest);
}

/**
 * The trace root of a segment. O(leaves).
 *
 * @param units - Those whose state changed in it, by ascending index.
 * @throws RangeError if there are none, or they or their leaves are out of order.
 */
export function traceRoot(units: readonly UnitTrace[]): string {
  return rootOver(units.length, top(hashesOf(units)));
}

/**
 * Opens one unit's part of a trace at a leaf and at the last. O(leaves).
 *
 * @param place - Which of the units, from 0 on.
 * @param probe - Which of its leaves, from 0 on.
 * @throws RangeError if the trace is out of order or has no such leaf.
 */
export function openTrace(units: readonly UnitTrace[], place: number, probe: number): ProvedOpening {
  const hashes = hashesOf(units);
  const chosen = units[place];
  const [probed, end] = [chosen?.leaves[probe], chosen?.leaves.at(-1)];
  if (!chosen || !probed || !end) throw new RangeError(`The trace has no leaf ${probe} of a unit ${place}.`);
  const leaves = chosen.leaves.map((leaf) => traceLeaf(chosen.unit, leaf));
  return {
    ...answerOf(units.length, place, chosen, probed, end),
    probePath: path(leaves, probe),
    endPath: path(leaves, leaves.length - 1),
    unitPath: path(hashes, place),
  };
}

/** Hashes of a segment's units, of which the trace root is made: they say nothing of the states beneath. O(leaves). */
export function traceUnits(units: readonly UnitTrace[]): string[] {
  return hashesOf(units);
}

/**
 * Opens a unit that a verifier has run itself at a leaf and at the last, with what is beside it as others say. O(leaves + units).
 *
 * @param trace - The unit.
 * @param place - Which of the segment's units it is, from 0 on.
 * @param probe - Which of its leaves, from 0 on.
 * @param hashes - Those of all units of the segment ({@link traceUnits}); the unit's own is not looked at.
 * @returns undefined if that does not lead to the root: the trace is another one, or the hashes are.
 */
export function openOwn(
  trace: UnitTrace,
  place: number,
  probe: number,
  hashes: readonly string[],
  root: string,
): ProvedOpening | undefined {
  const own = openTrace([trace], 0, probe);
  const all = hashes.with(place, at(hashesOf([trace]), 0));
  const opened = { ...own, units: all.length, place, unitPath: path(all, place) };
  return rootOfOpening(opened, probe) === root ? opened : undefined;
}

/**
 * What a verifier answers who has run a unit itself: the opening that an honest node makes, in one word.
 *
 * @param units - Units whose state differs between the two checkpoints.
 * @param place - Which of them was run, from 0 on.
 */
export function traceAnswer({ units, place, unit, count, probe, end }: TraceOpening): string {
  const words = [units, place, unit, count] as const;
  return keccak(
    ...words.map((value) => [value, 32] as const),
    [probe.step, 32],
    probe.digest,
    [end.step, 32],
    end.digest,
  );
}

/** The trace root that an opening belongs to; undefined if its paths fit no tree. `probe` is the place of its leaf. */
export function rootOfOpening(opened: ProvedOpening, probe: number): string | undefined {
  const { units, place, unit, count } = opened;
  if (place >= units || probe >= count) return undefined;
  const fromEnd = climb(traceLeaf(unit, opened.end), count - 1, count, opened.endPath);
  const fromProbe = climb(traceLeaf(unit, opened.probe), probe, count, opened.probePath);
  if (fromEnd === undefined || fromEnd !== fromProbe) return undefined;
  const all = climb(unitHash(unit, count, fromEnd), place, units, opened.unitPath);
  return all === undefined ? undefined : rootOver(units, all);
}

function answerOf(units: number, place: number, trace: UnitTrace, probe: TraceLeaf, end: TraceLeaf): TraceOpening {
  return { units, place, unit: trace.unit, count: trace.leaves.length, probe, end };
}

function hashesOf(units: readonly UnitTrace[]): string[] {
  if (units.length === 0) throw new RangeError("A trace without units has no root: nothing changed.");
  return units.map(({ unit, leaves }, i) => {
    const before = units[i - 1];
    if (before && before.unit >= unit) throw new RangeError(`Unit ${unit} comes after unit ${before.unit}.`);
    if (leaves.length === 0) throw new RangeError(`Unit ${unit} has no leaves.`);
    const late = leaves.find(({ step }, k) => k > 0 && step <= (leaves[k - 1]?.step ?? -1));
    if (late) throw new RangeError(`Step ${late.step} of unit ${unit} does not come after the one before it.`);
    return unitHash(unit, leaves.length, top(leaves.map((leaf) => traceLeaf(unit, leaf))));
  });
}

function unitHash(unit: number, count: number, tree: string): string {
  return keccak([TAG_UNIT, 1], [unit, 3], [count, 4], tree);
}

function rootOver(units: number, tree: string): string {
  return keccak([TAG_TRACE, 1], [units, 4], tree);
}

function joined(left: string, right: string): string {
  return keccak([TAG_NODE, 1], left, right);
}

/** Levels of the tree over some hashes, filled up with zeros to a power of two; the last holds its top alone. */
function levels(hashes: readonly string[]): string[][] {
  let level = [...hashes];
  while (level.length & (level.length - 1)) level.push(ZERO_WORD);
  const all = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) => joined(at(below, 2 * i), at(below, 2 * i + 1)));
    all.push(level);
  }
  return all;
}

function top(hashes: readonly string[]): string {
  return at(levels(hashes).at(-1) ?? [], 0);
}

function path(hashes: readonly string[], place: number): string[] {
  return levels(hashes)
    .slice(0, -1)
    .map((level, height) => at(level, (place >> height) ^ 1));
}

function climb(hash: string, place: number, count: number, beside: readonly string[]): string | undefined {
  const height = beside.length;
  if (height > 32 || count > 2 ** height || (height > 0 && count <= 2 ** (height - 1))) return undefined;
  return beside.reduce(
    (below, other, i) => (Math.floor(place / 2 ** i) % 2 === 0 ? joined(below, other) : joined(other, below)),
    hash,
  );
}

function at(hashes: readonly string[], i: number): string {
  const hash = hashes[i];
  if (hash === undefined) throw new RangeError(`The tree has no place ${i}.`);
  return hash;
}
