/**
 * The node agent.
 *
 *     node agent/main.ts run --config agent.json       offer this machine, until SIGINT or SIGTERM
 *     node agent/main.ts check --config agent.json     say whether run would work, and what to correct; changes nothing (--json)
 *     node agent/main.ts claim --config agent.json     send what the owner has earned to the owner
 */
import { setFlagsFromString } from "node:v8";

// Before anything else is loaded, which alone makes V8's space for new objects grow to 64 MB, for ever. An agent makes few:
// this takes a third off its memory.
setFlagsFromString("--semi-space-growth-factor=1");
await import("./program.ts");
