import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";

import { DiskSpace } from "./disk.ts";

test("names the directory, what is free and what is needed", async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  const full = new DiskSpace(tmpdir(), 16 * bavail * bsize);
  assert.equal(full.full, undefined, "nobody has looked yet");
  assert.match((await full.look()) ?? "", new RegExp(`The disk of ${tmpdir()} is full: [\\d.]+ MiB are free`));
  assert.match(full.full ?? "", /needed\. Free some space/);
  assert.equal(await new DiskSpace(tmpdir(), 1).look(), undefined);
});

test("too few inodes are no room either, and nothing to look for where their number is not fixed", async () => {
  let files = { files: 1_000_000, ffree: 100 };
  const room = new DiskSpace(["/data", "/work"], 1024, async (path) =>
    Promise.resolve({ bavail: 1_000_000, bsize: 4096, ...(path === "/work" ? files : { files: 0, ffree: 0 }) }),
  );
  assert.match((await room.look()) ?? "", /The disk of \/work has no room for more files: 100 inodes are free, 10000/);
  files = { ...files, ffree: 15_000 };
  assert.notEqual(await room.look(), undefined, "twice as many have to be free again");
  files = { ...files, ffree: 20_000 };
  assert.equal(await room.look(), undefined);
});
