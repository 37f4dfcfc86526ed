import { DAMAGE_CASES } from "./files/damage.ts";
import { DISK_CASES } from "./files/disk.ts";
import { LOCK_CASES } from "./files/locks.ts";
import type { FaultKind } from "@verai/devnet/fault-case";

/** Damage to what processes remember, disks that refuse, and processes that take each other's directory. */
export const files: FaultKind = {
  name: "files",
  guarantee: "what is damaged is set aside and the rest goes on; a directory is one process's; no write is half done",
  cases: [...DAMAGE_CASES, ...LOCK_CASES, ...DISK_CASES],
};
