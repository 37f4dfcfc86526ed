/** One proof, as Halmos ended it. */
export interface Proof {
  readonly contract: string;
  readonly name: string;
  /** Only `proved` is one: a proof that ran out of time or paths proves nothing. */
  readonly fate: "proved" | "refuted" | "undecided";
  readonly seconds: number;
}

/** What Halmos writes with `--json-output`. */
interface Report {
  readonly test_results: Readonly<
    Record<
      string,
      readonly {
        readonly name: string;
        readonly exitcode: number;
        readonly num_bounded_loops: number;
        /** In all, of following paths, of deciding. */
        readonly time: readonly number[];
      }[]
    >
  >;
}

/** Exit code of a proof for which a counterexample was found. */
const COUNTEREXAMPLE = 1;

/** Proofs of a report. Pure. */
export function proofsOf({ test_results: results }: Report): Proof[] {
  return Object.entries(results).flatMap(([contract, tests]) =>
    tests.map(({ name, exitcode, num_bounded_loops: cut, time }) => ({
      contract: contract.split(":").at(-1) ?? contract,
      name: name.split("(")[0] ?? name,
      fate: fateOf(exitcode, cut),
      seconds: time[0] ?? 0,
    })),
  );
}

function fateOf(exitcode: number, cut: number): Proof["fate"] {
  if (exitcode === 0) return cut === 0 ? "proved" : "undecided";
  return exitcode === COUNTEREXAMPLE ? "refuted" : "undecided";
}
