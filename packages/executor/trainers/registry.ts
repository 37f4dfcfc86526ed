import { fileURLToPath } from "node:url";

import type { TrainerProgram } from "../process.ts";
import { dataDirectory } from "./digits/data.ts";

/** The trainers that come with the agent, by the name that task specs use. */
export const builtInTrainers: ReadonlyMap<string, TrainerProgram> = new Map([
  [
    "digits",
    {
      entry: fileURLToPath(new URL("digits/main.ts", import.meta.url)),
      readable: [fileURLToPath(new URL("digits", import.meta.url)), dataDirectory()],
    },
  ],
]);
