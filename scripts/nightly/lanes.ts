/** One part of what runs every night. */
export interface NightlyLane {
  /** The npm script. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Minutes of an idle machine of two cores, about; twenty times as many is a hang. */
  readonly minutes: number;
  /** What has to be installed, where that is not Node alone. */
  readonly needs?: string;
}

/**
 * What runs every night, the quick ones first. `docs/reference/assurance.md` says what each shows. Another seed every night finds what one seed
 * does not: those that take one get the day's.
 */
export const LANES: readonly NightlyLane[] = [
  { script: "prove", minutes: 2, needs: "Python" },
  { script: "test:static", minutes: 3, needs: "Python" },
  { script: "bench:rounds", minutes: 5 },
  { script: "bench:gas", minutes: 10 },
  { script: "bench:failover", args: ["--mass"], minutes: 10 },
  { script: "bench:index", minutes: 10 },
  { script: "test:package", minutes: 5 },
  { script: "test:slow", minutes: 5, needs: "Python" },
  { script: "test:release", minutes: 10, needs: "Buildah, root" },
  { script: "test:cluster", args: ["--all"], minutes: 15, needs: "Go, containerd, Buildah, root" },
  { script: "test:web", minutes: 16, needs: "Chromium" },
  { script: "faults", minutes: 30 },
  { script: "chaos", args: ["--steps", "60", "--seed", "DAY"], minutes: 15 },
  { script: "chaos", args: ["--steps", "30", "--parameters", "base", "--seed", "DAY"], minutes: 10 },
  { script: "soak", args: ["--seed", "DAY"], minutes: 70 },
  { script: "test:python", minutes: 20, needs: "Python, 6 GB" },
  { script: "test:containers", minutes: 15, needs: "Docker, debootstrap, root" },
  {
    script: "test:contracts",
    args: ["test/contracts/invariants/System.t.sol"],
    environment: { DRMP_INVARIANT_RUNS: "1024", DRMP_INVARIANT_DEPTH: "256", DRMP_FUZZ_SEED: "0xDAY" },
    minutes: 60,
  },
  {
    script: "test:contracts",
    environment: { DRMP_FUZZ_RUNS: "5000", DRMP_FUZZ_SEED: "0xDAY" },
    minutes: 60,
  },
  { script: "simulate:market", args: ["--seed", "DAY"], minutes: 10 },
  { script: "bench:network", minutes: 30 },
  { script: "bench:lp", minutes: 30 },
  { script: "mutate", minutes: 60 },
];

/** A lane's command, with the day's seed where it takes one. Pure. */
export function commandOf(
  { script, args = [], environment = {} }: NightlyLane,
  day: number,
): { readonly args: string[]; readonly environment: Record<string, string> } {
  const seeded = (text: string): string =>
    text === "DAY" ? String(day) : text === "0xDAY" ? `0x${day.toString(16)}` : text;
  return {
    args: ["run", "--silent", script, ...(args.length > 0 ? ["--", ...args.map(seeded)] : [])],
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, seeded(value)])),
  };
}

/** What a lane is called: its script, and what tells it from another one of the same script. */
export function nameOf(lane: NightlyLane): string {
  if (lane.args?.includes("--parameters")) return `${lane.script}-base`;
  if (lane.script !== "test:contracts") return lane.script;
  return lane.args === undefined ? "fuzz" : "invariants";
}
