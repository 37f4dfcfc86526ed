import { type Signer, type TypedDataDomain, verifyTypedData } from "ethers";
import { z } from "zod";

/** Protocol by which a developer asks nodes to hold what a task needs to begin: its spec and its inputs. */
export const HOLD_PROTOCOL = "/drmp/hold/1";

/** Bytes of the longest request and answer. */
export const MAX_HOLD_BYTES = 8_192;

const id = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A request: the task, the developer's proof (see {@link holdSubject}), and addresses of the store that has it. */
export const holdRequest = z.strictObject({
  taskId: id,
  proof: z.json(),
  from: z.array(z.string().max(256)).max(8),
});

/** An answer: a signature that all of it is held, or how far the copy is (ask again), or why there will be none. */
export const holdAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("held"), nodeId: id, signature: z.string().max(200), bytes: whole }),
  z.strictObject({ kind: z.literal("copying") }),
  z.strictObject({ kind: z.literal("refused"), why: z.string().max(1_000) }),
]);

export type HoldAnswer = z.output<typeof holdAnswer>;

/** What a developer proves its key for when it asks nodes to hold a task's spec and inputs. */
export function holdSubject(taskId: number): string {
  return `spec and inputs of task ${String(taskId)}`;
}

const TYPES = {
  TaskReceipt: [
    { name: "taskId", type: "uint32" },
    { name: "spec", type: "bytes32" },
    { name: "nodeId", type: "uint32" },
  ],
};

/** What a holder signs: that it holds the spec of a task, by its digest, and all inputs that the spec names. */
export interface TaskHolding {
  readonly taskId: number;
  readonly spec: string;
  readonly nodeId: number;
}

/** Signs for a task's spec and inputs. */
export async function signHolding(
  signer: Pick<Signer, "signTypedData">,
  domain: TypedDataDomain,
  holding: TaskHolding,
): Promise<string> {
  return signer.signTypedData(domain, TYPES, { ...holding });
}

/** Who signed for it; undefined where it is no signature at all. */
export function holdingSigner(domain: TypedDataDomain, holding: TaskHolding, signature: string): string | undefined {
  try {
    return verifyTypedData(domain, TYPES, { ...holding }, signature);
  } catch {
    return undefined;
  }
}
