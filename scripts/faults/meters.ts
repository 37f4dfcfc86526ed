import type { FaultKind } from "@verai/devnet/fault-case";
import { gpuCases } from "./meters/gpus.ts";
import { processorCases } from "./meters/processor.ts";
import { reportCases } from "./meters/reports.ts";

/** Meters that fail, lie, hang, come and go: on a powercap tree, a GPU tool and a procfs of their own. */
export const meters: FaultKind = {
  name: "meters",
  guarantee: "plausible gains of the rented hardware only; an estimate is called one; reports go on; said once",
  cases: [...processorCases, ...gpuCases, ...reportCases],
};
