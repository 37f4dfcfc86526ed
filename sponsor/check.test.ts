import assert from "node:assert/strict";
import { test } from "node:test";

import { configFindings } from "./check.ts";
import { sponsorConfig } from "./config.ts";

const config = (more: object) =>
  sponsorConfig.parse({
    network: { rpcUrl: "http://127.0.0.1:8545", chainId: 31337 },
    ...{ dataDir: "data", signer: { testAccount: 13 }, relayer: { testAccount: 13 } },
    ...more,
  });

test("limits that pay for nothing, and ports that clash, are found before anything is asked", () => {
  assert.deepEqual(configFindings(config({})), []);
  const low = configFindings(config({ limits: { perOperation: "0.01", perAccountDay: "0.02", perClientDay: "0.02" } }));
  assert.deepEqual(
    low.map(({ entry }) => entry),
    [],
  );
  const none = configFindings(config({ limits: { perOperation: "0.01", perDay: "0.001" } }));
  assert.deepEqual(
    none.map(({ entry }) => entry),
    ["limits.perAccountDay", "limits.perClientDay", "limits.perDay"],
  );
  const clash = configFindings(config({ api: { port: 9490 }, service: { port: 9490 } }));
  assert.equal(clash.length, 1);
});
