import { CHEATS, type Conduct } from "./cheats.ts";
import type { Scenario } from "./scenario.ts";

/** A scenario, and in how many arenas it is played. */
export interface Part {
  readonly scenario: Scenario;
  readonly arenas: number;
}

/** An arena to play. */
export interface Job {
  readonly scenario: Scenario;
  readonly seed: number;
}

/** Names of cheats, with that of verifiers. */
export const LAZY = "lazy verifier";
export const KINDS: readonly string[] = [...CHEATS, LAZY];

/** How many arenas each kind of part has. */
export interface Size {
  readonly unproven: number;
  readonly lazy: number;
  readonly proven: number;
  readonly dearest: number;
  readonly honest: number;
}

/** At least 10,000 cheated segments of each kind and 100,000 honest ones; or what takes three minutes. */
export const WHOLE: Size = { unproven: 14, lazy: 7, proven: 3, dearest: 2, honest: 15 };
export const QUICK: Size = { unproven: 1, lazy: 1, proven: 0, dearest: 1, honest: 1 };

/** Segments that a whole run has to have at least: of each kind of cheat, and honest ones. */
export const WANTED = { cheated: 10_000, honest: 100_000 } as const;

/** A price at which units are cheap, and the dearest that a task can pay without its units going to verifiers, VER. */
const CHEAP = 1;
const DEAREST = 40.94;

const scenario = (name: string, choices: Partial<Scenario>): Scenario => ({
  ...{ name, conduct: "honest", lazy: false, price: CHEAP, segments: 64 },
  ...{ proven: false, colluding: 0, disturbed: false },
  ...choices,
});

function ofKind(kind: string): Pick<Scenario, "conduct" | "lazy"> {
  return kind === LAZY ? { conduct: "honest", lazy: true } : { conduct: kind as Conduct, lazy: false };
}

/** All parts of a campaign. */
export function partsOf(size: Size): Part[] {
  const cheats = KINDS.flatMap((kind): Part[] => [
    {
      scenario: scenario(`${kind}, new`, ofKind(kind)),
      arenas: kind === LAZY ? size.lazy : size.unproven,
    },
    { scenario: scenario(`${kind}, proven`, { ...ofKind(kind), proven: true }), arenas: size.proven },
    {
      scenario: scenario(`${kind}, dearest`, {
        ...ofKind(kind),
        ...{ price: DEAREST, segments: 10, colluding: kind === LAZY ? 0 : 1 },
      }),
      arenas: size.dearest,
    },
  ]);
  const honest = scenario("honest", { colluding: 1, disturbed: true, segments: 100 });
  return [{ scenario: honest, arenas: size.honest }, ...cheats].filter(({ arenas }) => arenas > 0);
}

/** The arenas of a campaign, each with a seed of its own. */
export function jobsOf(parts: readonly Part[], seed: number): Job[] {
  const jobs = parts.flatMap(({ scenario: each, arenas }) => Array.from({ length: arenas }, () => each));
  const seeded = jobs.map((each, i) => ({ scenario: each, seed: seed * 1_000_003 + i }));
  // Those that go on from proven nodes together: proving them takes longer than a part.
  return seeded.sort((a, b) => Number(a.scenario.proven) - Number(b.scenario.proven));
}
