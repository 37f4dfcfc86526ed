import assert from "node:assert/strict";
import { test } from "node:test";

import { UnixFS } from "ipfs-unixfs";

import { encodeLargeFiles } from "./large-files.ts";

encodeLargeFiles();

test("the sizes of files around 2 and 4 GiB are read back as they were written", () => {
  for (const sizes of [
    [2n ** 30n, 2n ** 30n - 1n],
    [2n ** 30n, 2n ** 30n],
    [2n ** 30n, 2n ** 30n, 12_345n],
    [2n ** 31n, 1n],
    [2n ** 30n, 2n ** 30n, 2n ** 30n, 2n ** 30n - 1n],
    [2n ** 32n, 2n ** 31n + 7n],
    [2n ** 41n, 3n],
  ]) {
    // Again and again: what the library writes wrongly depends on what memory held before.
    for (let i = 0; i < 50; i++) {
      const node = UnixFS.unmarshal(new UnixFS({ type: "file", blockSizes: sizes }).marshal());
      assert.deepEqual(node.blockSizes, sizes);
      assert.equal(node.type, "file");
    }
  }
});

test("a file's node is encoded as the library does it where that is right", () => {
  // Type 2; a size of 300 and two blocks' sizes, 256 and 44, each a varint.
  const bytes = [0x08, 0x02, 0x18, 0xac, 0x02, 0x20, 0x80, 0x02, 0x20, 0x2c];
  assert.deepEqual([...new UnixFS({ type: "file", blockSizes: [256n, 44n] }).marshal()], bytes);
  // 2^31 and 1: type 2; a size of 2^31 + 1.
  const large = [0x08, 0x02, 0x18, 0x81, 0x80, 0x80, 0x80, 0x08, 0x20, 0x80, 0x80, 0x80, 0x80, 0x08, 0x20, 0x01];
  assert.deepEqual([...new UnixFS({ type: "file", blockSizes: [2n ** 31n, 1n] }).marshal()], large);
});
