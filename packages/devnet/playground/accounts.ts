import type { TaskSpecInput } from "@verai/executor/spec";
import type { ParticipantNode } from "../participants.ts";

/** Test accounts of the devnet beside those of its nodes. They are refused on every chain but the local one. */
export const DEVNET_ACCOUNTS = {
  /** Holds all VER of the treasury at first. */
  treasury: 1,
  oracle: 4,
  keeper: 5,
  /** Signs for operations that are paid for, and sends them. */
  sponsor: 13,
  developer: 17,
  contributor: 18,
  /** Operator key of the contributor's own node. */
  operator: 19,
} as const;

/** ETH that the sponsor can pay with. */
export const SPONSOR_ETH = "100";

/** VER that developer and contributor get. */
export const PURSE_VER = "50000";

/** A node of the devnet. */
export interface DevnetNode extends ParticipantNode {
  /** Runs other people's images, if there is a container engine. */
  readonly containers: boolean;
}

/** Two machines that compete for the sample task, the second with room for the work of the first, and one with containers. */
export const DEVNET_NODES: readonly DevnetNode[] = [
  {
    name: "ada",
    class: "cpu/eu",
    capacity: 4,
    ask: "0.010",
    energySource: "wind",
    ownerAccount: 10,
    operatorAccount: 6,
    containers: false,
  },
  {
    name: "bob",
    class: "cpu/eu",
    capacity: 4,
    ask: "0.014",
    energySource: "grid",
    ownerAccount: 11,
    operatorAccount: 7,
    containers: false,
  },
  {
    name: "cleo",
    class: "cpu/us",
    capacity: 2,
    ask: "0.012",
    energySource: "solar",
    ownerAccount: 12,
    operatorAccount: 8,
    containers: true,
  },
];

/** Slow enough to be disturbed: 1,250 steps. */
const PACE_MS = 40;

/** The spec of the sample task: four networks that learn to read digits. */
export const SAMPLE_SPEC: TaskSpecInput = {
  version: 1,
  name: "four learning rates",
  trainer: "digits",
  args: [
    ...["--epochs", "10", "--train", "4000", "--test", "1000"],
    ...["--checkpoint-steps", "60", "--pace", String(PACE_MS)],
  ],
  env: { DIGITS_GRID: JSON.stringify({ hidden: [24], learningRate: [0.02, 0.05, 0.1, 0.2] }) },
  resources: { cpus: 1, memoryMiB: 512 },
  checkpoint: { intervalSeconds: 3 },
  outputs: ["model.bin", "metrics.json"],
  timeouts: { unitSeconds: 600, graceSeconds: 10 },
  maxRestarts: 2,
};
