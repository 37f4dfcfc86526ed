import type { YearSize } from "@verai/indexer/testing/year";

/** The chain that the made-up year is of: BASE, whose blocks are two seconds apart. */
export const CHAIN_ID = 8453;

/** What one answer of the endpoint holds at most. */
export const MAX_BLOCKS = 10_000;
export const MAX_LOGS = 10_000;

/** Blocks of a year. */
const YEAR = (365 * 86_400) / 2;

/** A year with so many leases: two thousand nodes, each round two tasks of ten leases, one lease in fifty fails. */
export function yearOf(leases: number): YearSize {
  const rounds = Math.max(1, Math.ceil(leases / 20));
  return {
    nodes: 2_000,
    rounds,
    tasksInRound: 2,
    leasesInTask: 10,
    roundBlocks: Math.max(1, Math.floor(YEAR / (1_000_000 / 20))),
    checkpoints: 2,
    checkpointBlocks: 450,
    failsOneIn: 20,
    reportBlocks: 21_600,
  };
}
