import { type ChainMark, MarketContracts } from "../market/contracts.ts";
import { type Arena, openArena } from "./arena.ts";
import type { Job } from "./campaign.ts";
import { Play } from "./play.ts";
import { ARENA, type ArenaResult, type Scenario } from "./scenario.ts";

/** Rounds of honest work in which a node is proven at the latest: it has 80 segments in each. */
const PROVING = 6;

/** A chain on which arenas are played one after another. */
export class Stage {
  readonly #chain: MarketContracts;
  #proven: { readonly arena: Arena; mark: ChainMark } | undefined;

  private constructor(chain: MarketContracts) {
    this.#chain = chain;
  }

  static async open(): Promise<Stage> {
    return new Stage(await MarketContracts.open());
  }

  async close(): Promise<void> {
    await this.#chain.close();
  }

  /** Plays one arena, from nothing or from where its nodes have proven themselves. */
  async play({ scenario, seed }: Job): Promise<ArenaResult> {
    const arena = scenario.proven ? await this.#provenArena(scenario) : await this.#newArena(scenario);
    return new Play(arena, scenario, seed).play();
  }

  async #newArena({ price, disturbed }: Scenario): Promise<Arena> {
    // What came before is forgotten, marks included.
    this.#proven = undefined;
    return openArena(this.#chain, price, disturbed ? ARENA.room : ARENA.units);
  }

  async #provenArena(scenario: Scenario): Promise<Arena> {
    if (this.#proven) {
      await this.#chain.back(this.#proven.mark);
    } else {
      const arena = await this.#newArena(scenario);
      const honest = { ...scenario, conduct: "honest", lazy: false, colluding: 0, segments: 80 } as const;
      let unproven = arena.producers.length;
      for (let i = 0; i < PROVING && unproven > 0; i++) {
        await new Play(arena, honest, i + 1).play();
        const standings = await Promise.all(arena.producers.map(({ nodeId }) => this.#chain.audits.standingOf(nodeId)));
        unproven = standings.filter(({ provenAt }) => provenAt === 0).length;
      }
      if (unproven > 0) throw new Error(`${String(unproven)} nodes have not been proven`);
      this.#proven = { arena, mark: await this.#chain.mark() };
    }
    const { arena } = this.#proven;
    this.#proven = { arena, mark: await this.#chain.mark() };
    return arena;
  }
}
