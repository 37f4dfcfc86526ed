import type { Job } from "./campaign.ts";
import { Stage } from "./stage.ts";

/* A process of its own with a chain of its own, which plays the arenas that its parent sends it, one at a time. */

const stage = await Stage.open();

process.once("disconnect", () => process.exit());
process.on("message", (job: Job) => {
  void stage.play(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.send?.({ ready: true });
