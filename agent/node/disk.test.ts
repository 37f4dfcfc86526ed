import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { DiskRoom } from "./disk.ts";

test("names the directory, what is free and what is needed", async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  const full = new DiskRoom(tmpdir(), 16 * bavail * bsize);
  assert.equal(full.full, undefined, "nobody has looked yet");
  assert.match((await full.look()) ?? "", new RegExp(`The disk of ${tmpdir()} is full: [\\d.]+ MiB are free`));
  assert.match(full.full ?? "", /needed\. Free some space/);
  assert.equal(await new DiskRoom(tmpdir(), 1).look(), undefined);
});
