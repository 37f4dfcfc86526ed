import { join } from "node:path";

import type { KeystoreWallet } from "@verai/devnet/wallets";

/** The configuration of a node's agent. */
export function agentConfig(data: string, network: object, { name, keystore, passphraseFile }: KeystoreWallet): object {
  return {
    network,
    operator: { keystore, passphraseFile },
    dataDir: join(data, name),
    node: { class: "cpu/eu", capacity: 2, ask: "0.010", powerThreshold: 300, powerMax: 400, energySource: "wind" },
    store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    // There may be no container engine here; the trainer is a built-in one.
    executor: { kind: "process" },
    interval: 2,
    service: { port: 0 },
  };
}

/** The configuration of keepers. */
export function keeperConfig(
  data: string,
  network: object,
  { keystore, passphraseFile }: KeystoreWallet,
  n: string,
): object {
  const key = { keystore, passphraseFile };
  return {
    network,
    key,
    dataDir: join(data, `keeper-${n}`),
    interval: 2,
    allocation: { minRoundAge: 2 },
    reports: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    service: { port: 0 },
  };
}

/** The spec of what is trained: three networks that learn to read digits. */
export function digits(): object {
  // Slow enough to last beyond the outage, and until checkpoints are posted: 2,500 steps.
  const pace = ["--pace", "28"];
  return {
    version: 1,
    name: "rehearsal",
    trainer: "digits",
    args: ["--epochs", "20", "--train", "4000", "--test", "1000", "--checkpoint-steps", "125", ...pace],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [24], learningRate: [0.05, 0.1, 0.2] }) },
    resources: { cpus: 1, memoryMiB: 512 },
    checkpoint: { intervalSeconds: 60 },
    outputs: ["model.bin", "metrics.json"],
    timeouts: { unitSeconds: 600, graceSeconds: 10 },
    maxRestarts: 2,
  };
}
