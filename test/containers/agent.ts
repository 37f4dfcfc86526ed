/** Stands in for an agent that a test kills: runs one unit in a container. Arguments: executor options, unit (JSON). */
import { ContainerExecutor, type ContainerExecutorOptions } from "@verai/executor/container";
import type { UnitRun } from "@verai/executor/executor";

const [options = "", unit = ""] = process.argv.slice(2);
const executor = await ContainerExecutor.open(JSON.parse(options) as ContainerExecutorOptions);
const running = await executor.start(JSON.parse(unit) as UnitRun);
console.log(running.id);
await running.exited;
