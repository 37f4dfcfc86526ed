/**
 * Loaded into a unit's process before its trainer. Its stdin is the lifeline: the agent writes a byte once it has noted
 * the process, and only then the trainer begins; when the pipe closes, however the agent ended, the process leaves. On
 * the way out it writes its CPU time to file descriptor 3, since nobody else can tell it after the end.
 */
import { writeSync } from "node:fs";

/** Exit code of a process whose agent is gone. Nobody is left to see it but people who look at the system's log. */
const ORPHANED = 70;

process.on("exit", () => {
  try {
    writeSync(3, JSON.stringify(process.cpuUsage()));
  } catch {
    // the agent is gone
  }
});

await new Promise<void>((begin) => {
  process.stdin.once("data", () => {
    begin();
  });
  for (const event of ["end", "error", "close"]) process.stdin.on(event, () => process.exit(ORPHANED));
});
// Waiting for the agent's death must not keep a trainer alive that is done.
(process.stdin as unknown as { unref(): void }).unref();
