import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { type Checkpoint, listCheckpoints, pruneCheckpoints, writeCheckpointAtomically } from "../../checkpoints.ts";
import type { UnitEnvironment } from "../../environment.ts";
import { type Advance, digestOf, Rounds } from "../../rounds.ts";
import type { UnitConfig } from "./config.ts";
import type { Samples } from "./data.ts";
import {
  applyRound,
  decodeContribution,
  decodeState,
  encodeContribution,
  encodeState,
  firstState,
  type OuterState,
  roundCount,
  trainRound,
} from "./outer.ts";
import { Rests } from "./rests.ts";

/** While a unit waits for a round, it writes its checkpoint again so often, seconds: a sign of life. */
const WAITING_SECONDS = 10;
/** Steps from one look at the rounds of others to the next. */
const LOOK_STEPS = 4;

/** What is trained, with what is known of it so far. */
export interface Joint {
  readonly state: OuterState;
  readonly bytes: Buffer;
  /** Rounds that are complete, and the state's SHA-256. */
  readonly round: number;
  readonly digest: string;
}

/**
 * Trains one model together with the task's other units, on from the newest checkpoint.
 *
 * @param say Told what happens.
 * @returns The state after all rounds; undefined if it was told to leave before.
 */
export async function trainTogether(
  unit: UnitEnvironment,
  { training, exchange, ...config }: Required<UnitConfig>,
  samples: Samples,
  draining: () => boolean,
  say: (text: string) => void,
): Promise<Joint | undefined> {
  const rests = new Rests(config);
  const rounds = new Rounds(unit, () => !draining());
  const directory = unit.directories.checkpoint;
  const total = roundCount(training, exchange, unit.unitCount);
  const identity = JSON.stringify({ training, exchange, units: unit.unitCount });
  let joint = (await restore(directory, identity, training, say)) ?? jointOf(0, firstState(training));
  say(joint.round === 0 ? "starting again" : `going on after round ${joint.round}`);
  if (!(await rounds.ready())) return undefined;
  const save = () => saveCheckpoint(directory, identity, joint, total);

  const take = async ({ record, state, contributions }: Advance): Promise<void> => {
    if (state) say(`takes the state before round ${record.round} from the other units`);
    const before = state === undefined ? joint.state : decodeState(state, training);
    const parts = contributions.map((bytes) => decodeContribution(bytes, training));
    joint = jointOf(record.round, applyRound(exchange, before, parts));
    await rounds.publishState(joint.round, joint.bytes);
    await save();
    say(`round ${JSON.stringify(record)}`);
  };

  while (!draining()) {
    for (let next = await rounds.advance(joint); next; next = await rounds.advance(joint)) await take(next);
    if (joint.round >= total) return joint;
    const round = joint.round + 1;
    const position = joint;
    rests.begin();
    const changed = await trainRound(training, exchange, samples, position.state, round, unit, async (done) => {
      if (!draining()) await rests.take();
      // Where the others have gone on meanwhile, so does this unit.
      return !draining() && !(done % LOOK_STEPS === 0 && (await rounds.conclude(position)));
    });
    if (changed === undefined) continue;
    await rounds.contribute(round, position.digest, encodeContribution(changed));
    let saved = 0;
    await rounds.concluded(position, async (seconds) => {
      if (seconds - saved < WAITING_SECONDS) return;
      saved = seconds;
      await save();
    });
  }
  return undefined;
}

function jointOf(round: number, state: OuterState): Joint {
  const bytes = encodeState(state);
  return { state, bytes, round, digest: digestOf(bytes) };
}

/** Numbered on from the newest: a unit that waits writes the same state under another number. */
async function saveCheckpoint(directory: string, config: string, joint: Joint, total: number): Promise<void> {
  const [newest] = await listCheckpoints(directory);
  const { round, digest, bytes } = joint;
  const files = { "state.bin": bytes, "state.json": JSON.stringify({ config, round, digest }) };
  await writeCheckpointAtomically(directory, (newest?.number ?? 0) + 1, files, round / total);
  await pruneCheckpoints(directory);
}

async function restore(
  directory: string,
  config: string,
  training: UnitConfig["training"],
  say: (text: string) => void,
): Promise<Joint | undefined> {
  for (const checkpoint of await listCheckpoints(directory)) {
    try {
      return await load(checkpoint, config, training);
    } catch (error) {
      say(`${checkpoint.name} is passed over: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return undefined;
}

async function load({ path }: Checkpoint, config: string, training: UnitConfig["training"]): Promise<Joint> {
  const file = JSON.parse(await readFile(join(path, "state.json"), "utf8")) as {
    readonly config?: unknown;
    readonly round?: unknown;
    readonly digest?: unknown;
  } | null;
  if (file?.config !== config) throw new Error("it belongs to another training");
  const bytes = await readFile(join(path, "state.bin"));
  if (digestOf(bytes) !== file.digest) throw new Error("it is damaged: its state does not have its SHA-256");
  const { round } = file;
  if (typeof round !== "number" || !Number.isInteger(round) || round < 0) throw new Error("its round makes no sense");
  return { state: decodeState(bytes, training), bytes, round, digest: file.digest };
}
