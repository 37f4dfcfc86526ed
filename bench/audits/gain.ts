/** Basis points of one. */
const BASIS = 10_000;

/** What a segment is audited by. Amounts in micro-VER. */
export interface Stakes {
  /** Price of the work that it claims. */
  readonly gain: number;
  /** Stake under its lease. */
  readonly stake: number;
  /** Share of it that is lost at least, basis points. */
  readonly loss: number;
  /** Usual chance, or that of a new node, basis points. */
  readonly floor: number;
}

/** Chance of a segment, basis points: what `Audits.chanceOf` says. */
export function segmentChance({ gain, stake, loss, floor }: Stakes): number {
  const lost = Math.floor((stake * loss) / BASIS);
  const chance = gain === 0 ? 0 : Math.ceil((3 * gain * BASIS) / (2 * (gain + lost)));
  return Math.min(BASIS, Math.max(chance, floor));
}

/** Share of panels that convict a cheat although a third of the votes collude; see docs/concepts/audits.md. */
const CONVICTED = 0.977;
/** Share of verifiers that are not the cheat's. */
const HONEST = 2 / 3;

/** What a cheat expects of a segment if a third of all verifiers are its own, micro-VER; its own costs are none. */
export interface Expectation {
  /** It opens its trace and is convicted of fraud. */
  readonly convicted: number;
  /** It opens nothing, and loses the smaller share. */
  readonly refusing: number;
}

/** Expected gain of a segment. */
export function expectedGain(stakes: Stakes): Expectation {
  const { gain, stake, loss } = stakes;
  const chance = segmentChance(stakes);
  const caught = (chance / BASIS) * HONEST * CONVICTED;
  // In whole numbers: the chance is rounded up to where it comes to nothing.
  const refused = 2 * chance;
  const refusing = ((3 * BASIS - refused) * gain - refused * Math.floor((stake * loss) / BASIS)) / (3 * BASIS);
  return { convicted: (1 - caught) * gain - caught * stake, refusing };
}

/** The dearest tick of a class. */
const TICKS = 4_095;
/** Tick sizes of the classes of BASE, micro-VER. */
const TICK_SIZES = [1_000, 10_000] as const;
/** Segments that a lease is cut into. */
const CUTS = [1, 2, 3, 5, 10, 20, 50, 100, 500, 2_000, 10_000] as const;

/** The best that a cheat can expect. */
export interface Best {
  /** As a share of what the segment claims; the highest of all. */
  readonly convicted: number;
  readonly refusing: number;
  /** Combinations that were looked at. */
  readonly looked: number;
}

/**
 * Looks at every price of every class, for leases cut into few segments or many: O(ticks).
 *
 * @param stakePerUnit - Parameter, micro-VER.
 */
export function bestGain(terms: Pick<Stakes, "loss" | "floor">, stakePerUnit: number): Best {
  let [convicted, refusing, looked] = [-Infinity, -Infinity, 0];
  for (const size of TICK_SIZES) {
    for (let tick = 1; tick <= TICKS; tick++) {
      const price = tick * size;
      const stake = Math.max(price, stakePerUnit);
      for (const cut of CUTS) {
        const gain = Math.floor(price / cut);
        if (gain === 0) continue;
        const expected = expectedGain({ ...terms, gain, stake });
        convicted = Math.max(convicted, expected.convicted / gain);
        refusing = Math.max(refusing, expected.refusing / gain);
        looked++;
      }
    }
  }
  return { convicted, refusing, looked };
}
