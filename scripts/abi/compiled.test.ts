import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { abiOf, CONTRACT_NAMES } from "@verai/client/abi";
import { ROOT } from "@verai/devnet/processes";
import { compiledAbi, formatAbi } from "./compiled.ts";

test("the client's ABIs are those of the contracts: run `npm run abi` after a change", () => {
  for (const name of CONTRACT_NAMES) {
    const kept = readFileSync(join(ROOT, "packages", "client", "abi", `${name}.json`), "utf8");
    assert.equal(kept, formatAbi(compiledAbi(name)), `packages/client/abi/${name}.json is not what the compiler makes`);
    assert.deepEqual(abiOf(name), compiledAbi(name));
  }
});
