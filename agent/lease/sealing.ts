import { rm } from "node:fs/promises";

import type { ContentAccess } from "@verai/client/content-access";
import type { Lease, Task } from "@verai/client/entities";
import { KEY_PROTOCOL, keyAnswer, keySubject, MAX_KEY_MESSAGE } from "@verai/client/key-protocol";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { DrmpError } from "@verai/errors/drmp-error";
import { type Envelope, isSealed, openSpec, parseEnvelope } from "@verai/executor/sealed/envelope";
import { Seal } from "@verai/executor/sealed/seal";
import { sealTree } from "@verai/executor/sealed/tree";
import type { TaskSpec } from "@verai/executor/spec";
import type { Specs, SpecSource } from "./specs.ts";

/** Time for one answer of a key host, milliseconds. */
const ANSWER_MS = 10_000;
/** Time for a spec that has been here before, milliseconds. */
const SPEC_MS = 60_000;

/** No host gives the key of a confidential task now. The message says what each of them said. */
export class KeyUnavailableError extends DrmpError {
  override readonly name = "KeyUnavailableError";

  constructor(taskId: number, reasons: readonly string[]) {
    super(
      "TASK_KEY_UNAVAILABLE",
      `Task ${String(taskId)} is confidential, and no host gives its key (${reasons.join("; ")}): its developer has to run a key host that this node can reach.`,
      { retryable: true },
    );
  }
}

/** What sealing is done with. */
export interface SealingParts {
  readonly store: Pick<CheckpointStore, "request" | "peerId">;
  readonly access: Pick<ContentAccess, "prove">;
  readonly specs: Pick<Specs, "bytes" | "parse">;
}

/** The lease for which a key is wanted; `audit`: the segment of it that this node verifies. */
type Worked = Pick<Lease, "id" | "fence"> & { readonly audit?: number };

/**
 * Opens and seals what belongs to confidential tasks, with the key that their host gives for a lease. Keys are kept in memory alone:
 * after a restart they are asked for again, and given if the lease is still this node's.
 */
export class Sealing {
  readonly #parts: SealingParts;
  /** By lease and fence; undefined for tasks that are not confidential. */
  readonly #seals = new Map<string, Seal | undefined>();

  constructor(parts: SealingParts) {
    this.#parts = parts;
  }

  /**
   * The spec of a lease's task, opened if it is sealed.
   *
   * @throws {@link KeyUnavailableError}; a spec that cannot be had or used
   */
  async spec(task: Task, lease: Worked, timeoutMs: number, signal: AbortSignal, source: SpecSource): Promise<TaskSpec> {
    const bytes = await this.#parts.specs.bytes(task.spec, timeoutMs, signal, source);
    const seal = await this.#sealFor(task, lease, bytes, signal);
    const plain = seal === undefined ? bytes : openSpec(parseEnvelope(bytes), seal);
    return this.#parts.specs.parse(task.spec, plain);
  }

  /** What a lease's files are sealed with; undefined if its task is not confidential. @throws {@link KeyUnavailableError} */
  async seal(task: Task, lease: Worked, signal: AbortSignal): Promise<Seal | undefined> {
    const key = nameOf(lease);
    if (this.#seals.has(key)) return this.#seals.get(key);
    const source = { taskId: task.id, lease: lease.id, audit: lease.audit };
    const bytes = await this.#parts.specs.bytes(task.spec, SPEC_MS, signal, source);
    return this.#sealFor(task, lease, bytes, signal);
  }

  /**
   * Seals a directory that is to be stored, if the lease's task is confidential.
   *
   * @returns The directory to store: the same one, or a sealed one beside it
   */
  async closed(task: Task, lease: Worked, path: string, signal: AbortSignal): Promise<string> {
    const seal = await this.seal(task, lease, signal);
    if (seal === undefined) return path;
    const sealed = `${path}.sealed`;
    await rm(sealed, { recursive: true, force: true });
    await sealTree(path, sealed, seal);
    await rm(path, { recursive: true, force: true });
    return sealed;
  }

  /** Forgets the key of a lease that is over. */
  forget(leaseId: number): void {
    for (const key of this.#seals.keys()) if (key.startsWith(`${String(leaseId)} `)) this.#seals.delete(key);
  }

  async #sealFor(task: Task, lease: Worked, bytes: Uint8Array, signal: AbortSignal): Promise<Seal | undefined> {
    const name = nameOf(lease);
    if (this.#seals.has(name)) return this.#seals.get(name);
    const seal = isSealed(bytes) ? await this.#asked(task.id, lease, parseEnvelope(bytes), signal) : undefined;
    this.#seals.set(name, seal);
    return seal;
  }

  async #asked(taskId: number, { id, fence, audit }: Worked, envelope: Envelope, signal: AbortSignal): Promise<Seal> {
    const { store, access } = this.#parts;
    const reasons: string[] = [];
    for (const host of envelope.keyHosts) {
      signal.throwIfAborted();
      try {
        const proof = await access.prove({ root: keySubject(id, fence), peer: store.peerId });
        const options = { timeout: ANSWER_MS, maxBytes: MAX_KEY_MESSAGE, signal };
        const body = { taskId, leaseId: id, fence, proof, ...(audit !== undefined && { audit }) };
        const answered = keyAnswer.parse(await store.request(host, KEY_PROTOCOL, body, options));
        if (answered.kind === "key") {
          const seal = new Seal(Buffer.from(answered.key, "base64"));
          // A key that does not open the spec is another one's.
          openSpec(envelope, seal);
          return seal;
        }
        reasons.push(`${host}: ${answered.why}`);
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(`${host}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new KeyUnavailableError(taskId, reasons);
  }
}

function nameOf({ id, fence }: Worked): string {
  return `${String(id)} ${String(fence)}`;
}
