/**
 * The node agent.
 *
 *     node agent/main.ts run --config agent.json       offer this machine, until SIGINT or SIGTERM
 *     node agent/main.ts check --config agent.json     say whether run would work, and what to correct; changes nothing (--json)
 *     node agent/main.ts claim --config agent.json     send what the owner has earned to the owner
 */
import { growYoungSpace } from "@verai/process/young-space";

growYoungSpace(4);
await import("./program.ts");
