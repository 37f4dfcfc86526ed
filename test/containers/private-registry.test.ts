import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import type { ContainerExecutor } from "@verai/executor/container";
import { testUnit } from "@verai/executor/testing";
import { Bench, skip } from "./setup.ts";

const DEVELOPER = "0x00000000000000000000000000000000000000Aa";
const OTHER = "0x00000000000000000000000000000000000000bb";
const MINE = { username: "lab", password: "s3cret" };
const THEIRS = { username: "guest", password: "other" };
const WRONG = { username: "lab", password: "guessed" };

let bench: Bench;
let executor: ContainerExecutor;
let units = 0;

before(async () => {
  if (skip) return;
  bench = await Bench.start();
  for (const { username, password } of [MINE, THEIRS]) bench.registry.allow(username, password);
});
after(async () => {
  if (!skip) await bench.stop();
});
beforeEach(async () => {
  if (!skip) executor = await bench.executor();
});

/** Runs a unit of a task to its end. @returns why it could not be started, if it could not */
async function run(developer: string, registry?: typeof MINE, by = executor): Promise<string | undefined> {
  const spec = bench.spec(["finish"], { ...(registry && { registry, confidential: true }) });
  const unit = testUnit(join(bench.directory, `unit-${String((units += 1))}`), spec, { developer });
  try {
    const running = await by.start(unit);
    const exit = await running.exited;
    assert.equal(exit.reason, "done", await running.logTail(2000));
    return undefined;
  } catch (error) {
    assert.equal((error as { code?: string }).code, "IMAGE_UNAVAILABLE", String(error));
    return (error as Error).message;
  }
}

test(
  "an image of a private registry is pulled with the developer's credentials, and with no others",
  { skip },
  async () => {
    assert.match((await run(DEVELOPER)) ?? "", /cannot be pulled: .*or name credentials for it/);
    assert.match((await run(DEVELOPER, WRONG)) ?? "", /See that user lab may pull it there/);
    assert.equal(await run(DEVELOPER, MINE), undefined);
  },
);

test("once it was pulled, it is still only for those whom its registry lets pull it", { skip }, async () => {
  assert.equal(await run(DEVELOPER, MINE), undefined);
  const before = bench.registry.pulled.length;
  assert.equal(await run(DEVELOPER, MINE), undefined);
  assert.equal(bench.registry.pulled.length, before, "the same credentials need no second pull");

  assert.match((await run(OTHER)) ?? "", /cannot be pulled/);
  assert.equal(await run(OTHER, THEIRS), undefined);
  assert.ok(bench.registry.pulled.length > before, "its registry was asked for the other one");
  // An agent that was started again still knows for whom it is.
  const again = await bench.executor();
  assert.match((await run(OTHER, undefined, again)) ?? "", /cannot be pulled/);
});

test("the node's own credentials are for the developers that its owner has named", { skip }, async () => {
  const passwordFile = join(bench.directory, "registry.pass");
  await writeFile(passwordFile, `${MINE.password}\n`);
  const host = bench.image.reference.split("/")[0] ?? "";
  const of = (prefix: string) => ({ prefix, username: MINE.username, passwordFile, developers: [DEVELOPER] });
  const own = await bench.executor({ registries: [of(`${host}/tests`)] });
  assert.equal(await run(DEVELOPER.toLowerCase(), undefined, own), undefined);
  assert.match((await run(OTHER, undefined, own)) ?? "", /cannot be pulled/);
  const elsewhere = await bench.executor({ registries: [of(`${host}/test`)] });
  assert.match((await run(DEVELOPER, undefined, elsewhere)) ?? "", /cannot be pulled/);
});
