import { expect } from "chai";

import { partsOf, WHOLE } from "../../bench/audits/campaign.ts";
import { segmentChance } from "../../bench/audits/gain.ts";
import { Stage } from "../../bench/audits/stage.ts";
import type { ArenaResult } from "../../bench/audits/scenario.ts";

/** Segments of a lease here. */
const SEGMENTS = 8;

describe("the simulation of audits", () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.open();
  });

  after(async () => {
    await stage.close();
  });

  const play = async (name: string, segments: number): Promise<ArenaResult> => {
    const scenario = partsOf(WHOLE).find((part) => part.scenario.name === name)?.scenario;
    if (!scenario) throw new Error(`no scenario ${name}`);
    return stage.play({ scenario: { ...scenario, segments }, seed: 5 });
  };

  it("convicts every cheat that is drawn, and costs it more than it can be paid", async () => {
    const { scenario, decided, expected, drawn, caught, audits, gains } = await play("altered end, dearest", SEGMENTS);
    expect(drawn).to.be.greaterThan(0);
    expect(caught).to.equal(audits["fraud"]);
    expect(Math.min(...gains)).to.be.at.most(-200);
    // The chance that the contract gave each segment is the one that the sweep over all prices goes by.
    const gain = Math.floor((2 * scenario.price * 1e6) / SEGMENTS);
    const chance = segmentChance({ gain, stake: 200e6, loss: 5_000, floor: 1_000 });
    expect(Math.round((10_000 * expected) / decided)).to.equal(chance);
  }).timeout(600_000);

  it("finds no honest work wrong, and holds none of it up", async () => {
    const result = await play("honest", SEGMENTS);
    expect(result.decided).to.be.greaterThan(SEGMENTS * 72);
    expect(result.drawn).to.be.greaterThan(0);
    const { wronged, stalled, unpaid, refusedOpenings, audits } = result;
    expect({ wronged, stalled, unpaid }).to.deep.equal({ wronged: 0, stalled: 0, unpaid: 0 });
    expect(refusedOpenings).to.be.greaterThan(0);
    expect(audits["fraud"]).to.equal(undefined);
  }).timeout(600_000);
});
