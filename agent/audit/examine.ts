import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import { treeCid } from "@verai/checkpoint-store/tree-cid";
import { listCheckpoints } from "@verai/executor/checkpoints";
import type { Executor } from "@verai/executor/executor";
import { rerunSegment } from "@verai/executor/rerun/segment";
import type { Seal } from "@verai/executor/sealed/seal";
import { openTree } from "@verai/executor/sealed/tree";
import type { TaskSpec } from "@verai/executor/spec";
import type { TraceLog } from "@verai/executor/trace/local-checkpoints";
import { DONE_STEP } from "@verai/executor/trace/segment";
import { digestOf } from "@verai/executor/trace/state";
import { ZERO_WORD } from "@verai/protocol/audits/bytes";
import { unitAt } from "@verai/protocol/audits/draws";
import type { TraceLeaf } from "@verai/protocol/audits/trace";
import { readTraceHashes } from "./trace-hashes.ts";

/** A posted checkpoint. */
interface Posted {
  readonly cid: string;
  /** Bytes of all its blocks. */
  readonly size: number;
}

/** A segment that this node is to verify, as the chain has it. */
export interface AuditedSegment {
  readonly taskId: number;
  readonly unitCount: number;
  readonly leaseId: number;
  /** The lease's units. */
  readonly start: number;
  readonly count: number;
  /** The checkpoint that it goes on from; undefined for the first of its lease. */
  readonly before: Posted | undefined;
  readonly end: Posted;
  /** Checkpoints that the first one of the lease may have gone on from: those of the leases before. */
  readonly origins: readonly Posted[];
  /** What its draws follow from. */
  readonly salt: string;
}

/** What a segment is examined with. */
export interface ExamineParts {
  /** Brings a checkpoint to a path that does not exist. @returns whether anybody had it. */
  readonly fetch: (checkpoint: Posted, target: string, signal: AbortSignal) => Promise<boolean>;
  /** Puts the spec's inputs into a directory. @returns whether they could be had. */
  readonly placeInputs: (directory: string, signal: AbortSignal) => Promise<boolean>;
  readonly executor: Pick<Executor, "start">;
  readonly spec: TaskSpec;
  /** Of a confidential task. */
  readonly seal: Seal | undefined;
  /** A directory of this segment alone. What an earlier try has left there is gone on from. */
  readonly directory: string;
  readonly maxBytes: number;
  /** Milliseconds that running it again may take. */
  readonly timeoutMs: number;
  readonly log: TraceLog;
  readonly signal: AbortSignal;
}

/** A unit of the segment that was run again, to the state that was posted. */
export interface VerifiedUnit {
  readonly kind: "verified";
  /** Units whose state changed in the segment, and which of them it is. */
  readonly units: number;
  readonly place: number;
  readonly unit: number;
  readonly leaves: readonly TraceLeaf[];
  /** Hashes of those units as the checkpoint says them, as many as there are; zeros where it says none. Nobody has checked them. */
  readonly hashes?: readonly string[] | undefined;
  readonly cpuSeconds: number;
}

/**
 * What came of it:
 *
 * - `unavailable`: a state or an input was not to be had from anybody
 * - `unusable`: what was posted is none of the program's checkpoints
 * - `failed`: this machine could not run it to its end; that says nothing of the segment, and nothing is to be answered
 */
export type Examination = VerifiedUnit | { readonly kind: "unavailable" | "unusable" | "failed"; readonly why: string };

/** A checkpoint that was fetched. */
interface Fetched {
  /** Directory of a unit's state, opened; undefined if the checkpoint has none of that unit. */
  readonly state: (unit: number) => string | undefined;
  /** Digest of a unit's state as it was stored; undefined likewise. */
  readonly digest: (unit: number) => Promise<string | undefined>;
  /** CID of the checkpoint that the lease went on from. */
  readonly origin: string | undefined;
  /** Hashes of the units of its segment. */
  readonly hashes: readonly string[];
}

/**
 * Verifies a drawn segment: has the two posted checkpoints, takes the unit that the salt draws among those whose state changed, and
 * runs it from the state before to the one after. Bounded by the parts' `timeoutMs`, and their signal.
 *
 * @throws what is this machine's trouble, such as a full disk; the signal's reason
 */
export async function examineSegment(segment: AuditedSegment, parts: ExamineParts): Promise<Examination> {
  const { spec, seal, directory, signal, executor, log, maxBytes, timeoutMs } = parts;
  const end = await fetched(segment.end, "end", parts, segment.count);
  if (!end) return unavailable("the posted checkpoint");
  const from = segment.before ?? segment.origins.find(({ cid }) => cid === end.origin);
  if (!from && end.origin !== undefined)
    return unusable(`it names ${end.origin} as its origin, which no lease before it posted`);
  const before = from && (await fetched(from, "before", parts, segment.count));
  if (from && !before) return unavailable("the checkpoint before");

  const changed: { unit: number; digest: string }[] = [];
  for (let unit = segment.start; unit < segment.start + segment.count; unit++) {
    const [was, is] = [await before?.digest(unit), await end.digest(unit)];
    if (was !== undefined && is === undefined) return unusable(`it has lost unit ${String(unit)}`);
    if (is !== undefined && is !== was) changed.push({ unit, digest: is });
  }
  if (changed.length === 0) return unusable("no unit's state changed");
  const place = unitAt(segment.salt, changed.length);
  const { unit, digest } = changed[place] ?? { unit: 0, digest: "" };
  const step = await stepOf(end.state(unit));
  if (step === undefined) return unusable(`its unit ${String(unit)} is no state`);

  const root = join(directory, `unit-${String(unit)}`);
  const input = join(root, "input");
  const placed = await whole(input, (draft) => parts.placeInputs(draft, signal));
  if (!placed) return unavailable("an input");
  const outcome = await rerunSegment({
    ...{ executor, seal, log, maxBytes, signal, timeoutMs },
    before: before?.state(unit),
    end: step,
    run: {
      ...{
        leaseId: segment.leaseId,
        leaseStart: unit,
        leaseUnits: 1,
        taskId: segment.taskId,
        unitIndex: unit,
        attempt: 1,
      },
      ...{ unitCount: segment.unitCount, spec },
      folder: {
        ...{ root, input, checkpoint: join(root, "checkpoint"), output: join(root, "output") },
        ...{ exchange: join(root, "exchange"), log: join(root, "unit.log") },
      },
    },
  });
  if (outcome.kind !== "states") return outcome;
  // A producer whose trace is right may have posted something else.
  if (outcome.leaves.at(-1)?.digest !== digest)
    return unusable(`the state of unit ${String(unit)} is another one than the program comes to`);
  const { leaves, cpuSeconds } = outcome;
  const hashes = changed.map((_, i) => end.hashes[i] ?? ZERO_WORD);
  return { kind: "verified", units: changed.length, place, unit, leaves, hashes, cpuSeconds };
}

/** The step of a state: of a unit that is done {@link DONE_STEP}, else its checkpoint's number; undefined if it is none. */
async function stepOf(state: string | undefined): Promise<number | undefined> {
  if (state === undefined) return undefined;
  const names = (await readdir(state)).sort().join();
  if (names === "done,output") return DONE_STEP;
  if (names !== "checkpoint") return undefined;
  const [checkpoint, ...more] = await listCheckpoints(join(state, "checkpoint"));
  return more.length === 0 ? checkpoint?.number : undefined;
}

async function fetched(posted: Posted, name: string, parts: ExamineParts, units: number): Promise<Fetched | undefined> {
  const { seal, directory, signal } = parts;
  const stored = join(directory, name);
  if (!existsSync(stored) && !(await parts.fetch(posted, stored, signal))) return undefined;
  const opened = seal === undefined ? stored : join(directory, `${name}-opened`);
  if (seal !== undefined) {
    await whole(opened, async (draft) => {
      await openTree(stored, draft, seal);
      return true;
    });
  }
  const text = await readFile(join(opened, "origin"), "utf8").catch(() => "");
  const hashes = await readTraceHashes(opened, units);
  const stateIn = (root: string, unit: number, nameOf = (plain: string) => plain) => {
    const path = join(root, nameOf(`unit-${String(unit)}`));
    return existsSync(path) ? path : undefined;
  };
  return {
    state: (unit) => stateIn(opened, unit),
    digest: async (unit) => {
      const path = stateIn(stored, unit, seal && ((plain) => seal.closeName(plain)));
      return path === undefined ? undefined : digestOf(await treeCid(path));
    },
    origin: text.trim() === "" ? undefined : text.trim(),
    hashes,
  };
}

/** Makes a directory that appears whole or not at all; one of an earlier try stays. @returns whether it exists now. */
async function whole(path: string, make: (draft: string) => Promise<boolean>): Promise<boolean> {
  if (existsSync(path)) return true;
  const draft = `${path}.tmp`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  if (!(await make(draft))) return false;
  await rename(draft, path);
  return true;
}

function unavailable(what: string): Examination {
  return { kind: "unavailable", why: `${what} is not to be had from anybody` };
}

function unusable(why: string): Examination {
  return { kind: "unusable", why };
}
