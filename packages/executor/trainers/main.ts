/**
 * Entry point of the trainers' image: runs the built-in trainer that its first argument names, with the other arguments.
 */
import { pathToFileURL } from "node:url";

import { builtInTrainers } from "./registry.ts";

/** EX_USAGE of sysexits(3): trying again does not help. */
const USAGE = 64;

const [name] = process.argv.splice(2, 1);
const trainer = builtInTrainers.get(name ?? "");
if (trainer) await import(pathToFileURL(trainer.entry).href);
else {
  console.error(`no trainer "${name ?? ""}": name one of ${[...builtInTrainers.keys()].join(", ")}`);
  process.exitCode = USAGE;
}
