/** Stands in for an agent that a test kills: runs one unit below the directory of its first argument. */
import { ProcessExecutor } from "../process.ts";
import { misbehaving, testSpec, testUnit } from "../testing.ts";

const [root = "", ...args] = process.argv.slice(2);
const executor = new ProcessExecutor({ trainers: misbehaving });
const running = await executor.start(testUnit(root, testSpec({ args })));
await running.exited;
