import { ANSWERS } from "./endpoints/answers.ts";
import { BATCHES } from "./endpoints/batches.ts";
import { HEALTH } from "./endpoints/health.ts";
import { LIMITS } from "./endpoints/limits.ts";
import { PROCESSES } from "./endpoints/processes.ts";
import { SENDS } from "./endpoints/sends.ts";
import { SENTENCES } from "./endpoints/sentences.ts";
import type { FaultKind } from "@verai/devnet/fault-case";

/** RPC endpoints that misbehave: each is judged by itself, and nothing but an answer is taken for one. */
export const endpoints: FaultKind = {
  name: "endpoints",
  guarantee: "another RPC endpoint answers; alone, the right error comes in bounded time; no access key is shown",
  cases: [...ANSWERS, ...SENTENCES, ...SENDS, ...BATCHES, ...HEALTH, ...LIMITS, ...PROCESSES],
};
