import { chaosRuns } from "./chaos.ts";
import { clocks } from "./clocks.ts";
import { engines } from "./engines.ts";
import type { FaultKind } from "@verai/devnet/fault-case";
import { listeners } from "./listeners.ts";
import { programs } from "./programs.ts";
import { strangers } from "./strangers.ts";
import { addressCases } from "./commands/addresses.ts";
import { configCases } from "./commands/configs.ts";
import { surroundingCases } from "./commands/surroundings.ts";
import { ANSWERS } from "./endpoints/answers.ts";
import { BATCHES } from "./endpoints/batches.ts";
import { HEALTH } from "./endpoints/health.ts";
import { LIMITS } from "./endpoints/limits.ts";
import { PROCESSES } from "./endpoints/processes.ts";
import { SENDS } from "./endpoints/sends.ts";
import { SENTENCES } from "./endpoints/sentences.ts";
import { DAMAGE_CASES } from "./files/damage.ts";
import { DISK_CASES } from "./files/disk.ts";
import { LOCK_CASES } from "./files/locks.ts";
import { gpuCases } from "./meters/gpus.ts";
import { processorCases } from "./meters/processor.ts";
import { reportCases } from "./meters/reports.ts";
import { stopChain } from "@verai/devnet/transaction-faults/bench";
import { feeFaults } from "@verai/devnet/transaction-faults/fees";
import { nonceFaults } from "@verai/devnet/transaction-faults/nonces";
import { queueFaults } from "@verai/devnet/transaction-faults/queue";
import { receiptFaults } from "@verai/devnet/transaction-faults/receipts";
import { sendingFaults } from "@verai/devnet/transaction-faults/sending";
import { closeMarket, submissionFaults } from "@verai/devnet/transaction-faults/submissions";

/** Configurations and arguments that cannot work, given to the real checks. */
const commands: FaultKind = {
  name: "commands",
  guarantee: "what cannot run is refused beforehand, with the value, the bound and the remedy",
  cases: [...configCases, ...addressCases, ...surroundingCases],
};

/** RPC endpoints that misbehave: each is judged by itself, and nothing but an answer is taken for one. */
const endpoints: FaultKind = {
  name: "endpoints",
  guarantee: "another RPC endpoint answers; alone, the right error comes in bounded time; no access key is shown",
  cases: [...ANSWERS, ...SENTENCES, ...SENDS, ...BATCHES, ...HEALTH, ...LIMITS, ...PROCESSES],
};

/** Damage to what processes remember, disks that refuse, and processes that take each other's directory. */
const files: FaultKind = {
  name: "files",
  guarantee: "what is damaged is set aside and the rest goes on; a directory is one process's; no write is half done",
  cases: [...DAMAGE_CASES, ...LOCK_CASES, ...DISK_CASES],
};

/** Meters that fail, lie, hang, come and go: on a powercap tree, a GPU tool and a procfs of their own. */
const meters: FaultKind = {
  name: "meters",
  guarantee: "plausible gains of the rented hardware only; an estimate is called one; reports go on; said once",
  cases: [...processorCases, ...gpuCases, ...reportCases],
};

/** Faults around sending transactions, on a real chain behind an endpoint that misbehaves. */
const transactionFaults: FaultKind = {
  name: "transactions",
  guarantee: "a request is paid at most once, and anyone who waits learns whether it was sent",
  cases: [...receiptFaults, ...sendingFaults, ...feeFaults, ...nonceFaults, ...queueFaults, ...submissionFaults],
  close: async () => {
    await stopChain();
    await closeMarket();
  },
};

/** Every kind of fault, in the order in which they run: networks of processes come last. */
export const KINDS: readonly FaultKind[] = [
  commands,
  listeners,
  strangers,
  endpoints,
  transactionFaults,
  files,
  clocks,
  engines,
  programs,
  meters,
  chaosRuns,
];
