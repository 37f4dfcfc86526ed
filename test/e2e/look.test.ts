/** What `demo --keep` does at its end: the network as it then is, in a browser. Takes some ten seconds. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { startChain } from "@verai/devnet/chain";
import { Configs } from "@verai/devnet/configs";
import { showInBrowser } from "@verai/devnet/look";
import { Processes } from "@verai/devnet/processes";

const BLOCK_MS = 1_000;

test("a network that was run on this machine can be looked at", { timeout: 400_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-look-"));
  const processes = new Processes(join(folder, "logs"));
  let deployment: string | undefined;
  try {
    const chain = await startChain(processes, BLOCK_MS, `test-look-${String(process.pid)}`);
    deployment = chain.deployment;
    const url = await showInBrowser(processes, chain, new Configs(folder, chain));
    const page = await fetch(url);
    assert.match(await page.text(), /<title>DRMP<\/title>/);
    const site = (await (await fetch(`${url}config.json`)).json()) as { rpcUrl: string; indexerUrl: string };
    assert.equal(site.rpcUrl, chain.rpcUrl);
    const network = (await (await fetch(`${site.indexerUrl}/v1/classes`)).json()) as { items: unknown[] };
    assert.ok(network.items.length > 0, "the history of the chain, from its deployment on");
  } finally {
    await processes.stop(["web", "indexer"], 10_000);
    await processes.stop(processes.names(), 5_000);
    if (deployment !== undefined) await rm(dirname(deployment), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
});
