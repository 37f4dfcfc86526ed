import assert from "node:assert/strict";
import { test } from "node:test";

import { CODE_AIM, tooLarge } from "./sizes.ts";

test("contracts above nine tenths of EIP-170 are named, the largest first", () => {
  const built = (contractName: string, bytes: number) => ({
    contractName,
    deployedBytecode: `0x${"00".repeat(bytes)}`,
  });
  const said = tooLarge([
    built("Fits", CODE_AIM),
    built("Over", CODE_AIM + 1),
    built("Most", 24_577),
    built("None", 0),
  ]);
  assert.deepEqual(
    said.map((line) => line.split(" has ")[0]),
    ["Most", "Over"],
  );
});
