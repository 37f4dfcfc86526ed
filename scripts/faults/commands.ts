import type { FaultKind } from "@verai/devnet/fault-case";
import { addressCases } from "./commands/addresses.ts";
import { configCases } from "./commands/configs.ts";
import { surroundingCases } from "./commands/surroundings.ts";

/** Configurations and arguments that cannot work, given to the real checks. */
export const commands: FaultKind = {
  name: "commands",
  guarantee: "what cannot run is refused beforehand, with the value, the bound and the remedy",
  cases: [...configCases, ...addressCases, ...surroundingCases],
};
