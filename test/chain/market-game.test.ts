import { expect } from "chai";

import { profitOf } from "../../bench/market/accounting.ts";
import { MarketContracts } from "../../bench/market/contracts.ts";
import { playEpisode } from "../../bench/market/episode.ts";
import { HONEST, strategyOf } from "../../bench/market/genes.ts";
import { CLAIMED_HEADWAY, SCRIPTED_QUICK } from "../../bench/market/strategies.ts";
import { worldOf } from "../../bench/market/world.ts";

/** Micro-VER. */
const NOTHING = 1e-6;

describe("the market game", () => {
  let chain: MarketContracts;

  before(async () => {
    chain = await MarketContracts.open();
  });

  after(async () => {
    await chain.close();
  });

  it("serves everybody and pays who works, where all are honest", async () => {
    const { player, twin, delivered, wanted, served } = await playEpisode(chain, worldOf(1), HONEST);
    expect(delivered).to.equal(wanted);
    expect(served).to.be.greaterThan(0);
    expect(profitOf(player, 0)).to.be.greaterThan(0);
    expect(profitOf(twin, 0)).to.be.greaterThan(0);
  });

  it("plays out the same again, to the gas", async () => {
    const strategy = strategyOf({ ask: 0, release: "late" });
    expect(await playEpisode(chain, worldOf(2), strategy)).to.deep.equal(
      await playEpisode(chain, worldOf(2), strategy),
    );
  });

  it("lets nobody be paid for progress that others make, where tasks ask for audits", async () => {
    const { strategy } = CLAIMED_HEADWAY;
    const claimed = await playEpisode(chain, worldOf(1), strategy);
    const honest = await playEpisode(chain, worldOf(1), strategyOf({ ask: strategy.ask }));
    expect(claimed.player.ver).to.be.lessThan(-90);
    expect(honest.player.ver).to.be.greaterThan(0);
    // Without audits no rule tells its words from work: it is paid, though less than honest work, and loses nothing.
    const believed = await playEpisode(chain, worldOf(1, false), strategy);
    expect(believed.player.ver).to.be.greaterThan(0);
    expect(believed.player.compute).to.equal(0);
  }).timeout(600_000);

  it("accounts for every VER, whatever is played", async () => {
    for (const { name, strategy } of SCRIPTED_QUICK) {
      const { player, others, pool } = await playEpisode(chain, worldOf(3), strategy);
      expect(Math.abs(player.ver + others.ver + pool), name).to.be.lessThan(NOTHING);
    }
  }).timeout(600_000);
});
