/**
 * Makes a cheat of the agent that it is imported before: its trainer "digits" skips steps.
 *
 *     node --import packages/devnet/cheat.ts agent/main.ts run --config <file>
 */
import { fileURLToPath } from "node:url";

import type { TrainerProgram } from "@verai/executor/process";
import { builtInTrainers } from "@verai/executor/trainers/registry";

const honest = builtInTrainers.get("digits");
if (!honest || !(builtInTrainers instanceof Map)) throw new Error("the trainer digits is not among the agent's");
const entry = fileURLToPath(import.meta.resolve("@verai/executor/testdata/skips-steps"));
const cheat: TrainerProgram = { entry, readable: [entry, ...honest.readable] };
(builtInTrainers as Map<string, TrainerProgram>).set("digits", cheat);
