import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a case may use while it runs. */
export interface FaultContext {
  /** Aborted when the case has taken too long; whatever the case waits for should end by it. */
  readonly signal: AbortSignal;
  /** A directory of the case's own, removed afterwards. */
  readonly directory: string;
}

/** One fault, brought about on real parts of the project. */
export interface FaultCase {
  /** What is done to the system, as a noun phrase: "an endpoint that answers 429 without a body". */
  readonly name: string;
  /** Resolves if the right thing happened; rejects with what happened instead. */
  run(context: FaultContext): Promise<void>;
  /** Left out by `--quick`: needs a network of processes or more than some five seconds. */
  readonly slow?: true;
  /** Longest time, milliseconds; 30 s unless stated. */
  readonly timeoutMs?: number;
}

/** Faults of one kind, and what must hold under all of them. */
export interface FaultKind {
  /** Short and unique: `--kind` chooses by it. */
  readonly name: string;
  /** What must hold, as one sentence for the table. */
  readonly guarantee: string;
  readonly cases: readonly FaultCase[];
  /** Ends what the cases share; called once after the last of them, whatever happened. */
  close?(): Promise<void>;
}

/** What came of one case. */
export interface CaseOutcome {
  readonly kind: string;
  readonly name: string;
  readonly survived: boolean;
  /** Duration, milliseconds, by the monotonic clock. */
  readonly ms: number;
  /** Message of the failure, in one line; empty if the case was survived. */
  readonly failure: string;
}

/** Longest time for a case that states none, milliseconds. */
const CASE_TIMEOUT_MS = 30_000;

/**
 * Runs one case in a directory of its own. A case that does not end in time counts as not survived; so does one that
 * leaves an uncaught exception or an unhandled rejection behind, since either ends a process.
 */
export async function runCase(kind: FaultKind, fault: FaultCase): Promise<CaseOutcome> {
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), "drmp-fault-"));
  const controller = new AbortController();
  const stray = Promise.withResolvers<never>();
  const onStray = (error: unknown): void => {
    stray.reject(new Error(`left uncaught: ${oneLine(error)}`));
  };
  process.on("uncaughtException", onStray);
  process.on("unhandledRejection", onStray);
  const limit = fault.timeoutMs ?? CASE_TIMEOUT_MS;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`did not end within ${String(limit)} ms`));
    controller.abort(new Error("the case took too long"));
  }, limit);
  let failure = "";
  try {
    await Promise.race([fault.run({ signal: controller.signal, directory }), late.promise, stray.promise]);
    // What the case left running gets the chance to fail while it is still this case's failure.
    await Promise.race([new Promise((resolve) => setImmediate(resolve)), stray.promise]);
  } catch (error) {
    failure = oneLine(error) || "failed without a message";
  } finally {
    clearTimeout(timer);
    controller.abort(new Error("the case is over"));
    process.off("uncaughtException", onStray);
    process.off("unhandledRejection", onStray);
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  return { kind: kind.name, name: fault.name, survived: failure === "", ms: performance.now() - started, failure };
}

/** An error's message without line breaks, at most 300 characters. */
function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
