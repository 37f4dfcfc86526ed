import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { after, before, test } from "node:test";

import { listCheckpoints } from "@verai/executor/checkpoints";
import type { ContainerExecutor } from "@verai/executor/container";
import { Bench, skip } from "./setup.ts";

let bench: Bench;
let executor: ContainerExecutor;
before(async () => {
  if (skip) return;
  bench = await Bench.start();
  executor = await bench.executor({ logBytes: 64 * 1024 });
});
after(() => (skip ? undefined : bench.stop()));

test("an image by digest is pulled once; a unit ends well, and leaves no container", { skip }, async (context) => {
  assert.equal(bench.registry.pulled.length, 0);
  const first = await bench.run(context, executor, bench.spec(["finish"]));
  assert.match(first.running.id, /^container [0-9a-f]{12}$/);
  const exit = await first.running.exited;
  assert.equal(exit.reason, "done", await first.running.logTail(2000));
  assert.deepEqual(await first.result(), { checkpoints: [] });
  const pulled = bench.registry.pulled.length;
  assert.ok(pulled >= 3, "manifest, configuration and layer");
  await (
    await bench.run(context, executor, bench.spec(["finish"]))
  ).running.exited;
  assert.equal(bench.registry.pulled.length, pulled);
  assert.deepEqual(await bench.containers(), []);
  assert.deepEqual(await first.running.drain(1), exit);
  assert.deepEqual(await first.running.kill(), exit);
});

test("exit codes: promised outputs missing, another code", { skip }, async (context) => {
  const none = await bench.run(context, executor, bench.spec(["no-output"]));
  const other = await bench.run(context, executor, bench.spec(["exit", "75"]));
  assert.match((await none.running.exited).detail, /no "result\.json" among its outputs/);
  const { reason, code, detail } = await other.running.exited;
  assert.deepEqual([reason, code, detail], ["failed", 75, "exit code 75"]);
});

test("drained: SIGTERM, a last checkpoint, exit code 143; the next one goes on from it", { skip }, async (context) => {
  const { unit, running, ready } = await bench.run(context, executor, bench.spec(["drain"]));
  await ready();
  await assert.rejects(executor.start(unit), { code: "ALREADY_RUNNING" });
  const { reason, code } = await running.drain(20);
  assert.deepEqual([reason, code], ["drained", 143]);
  const [last] = await listCheckpoints(unit.folder.checkpoint);
  assert.equal(last?.number, 7);
  const again = await executor.start({ ...unit, spec: bench.spec(["finish"]), attempt: 2 });
  assert.equal((await again.exited).reason, "done");
  assert.match(await again.logTail(10_000), /attempt 1\nready\n--- drained[^]*attempt 2\n--- done/);
});

test(
  "stubborn: killed when its grace is over, or at once; told from one that takes too long",
  { skip },
  async (context) => {
    const timeouts = { unitSeconds: 2, graceSeconds: 0 };
    const [drained, killed, slow] = await Promise.all([
      bench.run(context, executor, bench.spec(["stubborn"])),
      bench.run(context, executor, bench.spec(["stubborn"])),
      bench.run(context, executor, bench.spec(["stubborn"], { timeouts })),
    ]);
    await Promise.all([drained.ready(), killed.ready()]);
    const exits = await Promise.all([drained.running.drain(0.3), killed.running.kill(), slow.running.exited]);
    assert.deepEqual(
      exits.map(({ reason, code }) => [reason, code]),
      [
        ["killed", 137],
        ["killed", 137],
        ["timeout", 137],
      ],
    );
    assert.match(exits[0].detail, /did not leave within the grace/);
    assert.match(exits[2].detail, /longer than 2 s: raise timeouts\.unitSeconds/);
  },
);

test("a container that somebody else removes is a failure that says so", { skip }, async (context) => {
  const { running, ready } = await bench.run(context, executor, bench.spec(["wait"]));
  await ready();
  await bench.docker.getContainer(running.id.replace("container ", "")).remove({ force: true });
  const { reason, detail } = await running.exited;
  assert.equal(reason, "failed");
  assert.match(detail, /exit code 137|removed by somebody else/);
});

test("its log is bounded and keeps the end", { skip }, async (context) => {
  const { unit, running } = await bench.run(context, executor, bench.spec(["chatter", "5000"]));
  assert.equal((await running.exited).reason, "done");
  for (const path of [unit.folder.log, `${unit.folder.log}.1`]) {
    const { size } = await stat(path);
    assert.ok(size > 0 && size <= 32 * 1024, String(size));
  }
  assert.match(await running.logTail(40_000), /line 4999 x+\n[^]*--- done: exit code 0/);
});

test("images that cannot be had: unknown, too large, or not by digest", { skip }, async (context) => {
  const unknown = bench.image.reference.replace(/[0-9a-f]{64}$/, "ab".repeat(32));
  await assert.rejects(bench.run(context, executor, bench.spec(["finish"], { image: unknown })), {
    code: "IMAGE_UNAVAILABLE",
    message: /cannot be pulled: .*See that its registry/,
  });
  const byTag = await bench.executor({ trainers: ["digits"], trainerImage: "drmp/none:1" });
  const { image: _, ...spec } = bench.spec(["x"]);
  await assert.rejects(bench.run(context, byTag, { ...spec, trainer: "digits" }), {
    code: "IMAGE_UNAVAILABLE",
    message: /drmp\/none:1 is not on this machine, and only images by digest are pulled/,
  });
});

test(
  "images that were pulled are removed when they are too many, never those in use or the owner's",
  { skip },
  async (context) => {
    const inspect = (name: string) => bench.docker.getImage(name.replace(":latest@", "@")).inspect();
    const small = await bench.executor({ images: { totalMiB: 1 } });
    const { running, ready } = await bench.run(context, small, bench.spec(["wait"]));
    await ready();
    await bench.docker.getImage(bench.image.reference.replace(":latest@", "@")).tag({ repo: "owner/own", tag: "1" });
    assert.deepEqual(await small.images.collect(), [], "it is in use");
    await running.kill();
    // Removed by what follows the end of the unit, or by this call.
    await small.images.collect();
    await assert.rejects(inspect(bench.image.reference), /No such image/);
    assert.ok((await inspect("owner/own:1")).Id, "the owner's own name for it stays");
    await bench.docker.getImage("owner/own:1").remove();

    const tiny = await bench.executor({ images: { eachMiB: 10 } });
    await assert.rejects(bench.run(context, tiny, bench.spec(["finish"])), {
      code: "IMAGE_UNAVAILABLE",
      message: /is larger than the 10 MiB that this node takes/,
    });
    await assert.rejects(inspect(bench.image.reference), /No such image/);
  },
);
