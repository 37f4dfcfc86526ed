import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { BlockTracker, blockReference } from "@verai/client/block-reference";
import { openProvider, type RpcProvider } from "@verai/client/provider";
import type { Reader } from "@verai/client/readers";
import { keeperConfig } from "@verai/keepers/config";
import { FinalityCheck } from "@verai/keepers/finality";
import { Processes } from "@verai/devnet/processes";
import { startAnvil } from "@verai/devnet/anvil";

/** Blocks that anvil's safe and finalized ones are behind the newest: one and two epochs of the L1. */
const EPOCH = 32;

describe("finality on an independent node", () => {
  let folder: string;
  let processes: Processes;
  let provider: RpcProvider;
  const mine = (blocks: number) => provider.send("anvil_mine", [`0x${blocks.toString(16)}`, "0x2"]);

  before(async function () {
    if (`${process.platform}-${process.arch}` !== "linux-x64") {
      process.stdout.write("    (skipped: the independent node is locked for Linux x64 alone)\n");
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "drmp-finality-"));
    processes = new Processes(folder);
    const url = await startAnvil(processes, 84532, ["--network", "optimism"]);
    provider = await openProvider(url, { chainId: 84532 });
    await mine(100);
  });

  after(async () => {
    provider?.destroy();
    await processes?.stop(processes.names(), 5_000);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("pins to the newest, the safe and the finalized block", async () => {
    const newest = await blockReference(provider);
    const safe = await blockReference(provider, "safe");
    const finalized = await blockReference(provider, "finalized");
    expect([newest.number - safe.number, newest.number - finalized.number]).to.deep.equal([EPOCH, 2 * EPOCH]);
    expect(newest.timestamp - safe.timestamp).to.be.at.least(2 * (EPOCH - 1));
  });

  it("what only newer blocks show is not settled, and is once the chain has gone on", async () => {
    const since = (await blockReference(provider)).number;
    const reader = { block: (finality) => blockReference(provider, finality) } as Pick<Reader, "block"> as Reader;
    const shown = ({ number }: { number: number }) => Promise.resolve(number >= since);
    expect(await new FinalityCheck(reader, "latest").holds(shown)).to.deep.equal({ holds: true });
    const safe = new FinalityCheck(reader, "safe");
    const early = await safe.holds(shown);
    expect(early).to.deep.equal({ holds: false, why: `not yet so at the newest safe block, ${String(since - EPOCH)}` });
    await mine(EPOCH);
    expect((await safe.holds(shown)).holds).to.equal(true);
    expect((await new FinalityCheck(reader, "finalized").holds(shown)).holds).to.equal(false);
    await mine(EPOCH);
    expect((await new FinalityCheck(reader, "finalized").holds(shown)).holds).to.equal(true);
  });

  it("a reorganisation of the newest blocks is seen by who follows them, and not by who follows safe ones", async () => {
    const [newest, safe] = [new BlockTracker(provider), new BlockTracker(provider, "safe")];
    await Promise.all([newest.next(), safe.next()]);
    await provider.send("anvil_reorg", [5, []]);
    await mine(1);
    expect((await newest.next()).reorganised).to.equal(true);
    expect((await safe.next()).reorganised).to.equal(false);
  });

  it("the configuration takes these words only, and is careful by default", () => {
    const config = { network: { rpcUrl: "http://127.0.0.1:1", chainId: 8453 }, dataDir: "." };
    expect(keeperConfig.parse(config).finality).to.equal("safe");
    expect(() => keeperConfig.parse({ ...config, finality: "final" })).to.throw(/latest.*safe.*or.*finalized/);
  });
});
