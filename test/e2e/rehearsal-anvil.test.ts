import { test } from "node:test";

import { rehearse } from "../support/rehearsal.ts";

test("BASE Sepolia, rehearsed on anvil", { timeout: 3_600_000 }, async (context) => {
  if (`${process.platform}-${process.arch}` !== "linux-x64") context.skip("anvil is locked for Linux x64 only");
  else await rehearse(context, "anvil");
});
