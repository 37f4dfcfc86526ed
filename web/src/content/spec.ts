import { sha256 } from "viem";

import { ActionError } from "../wallet/explain.ts";

/** A spec as it is published. */
export interface SpecToSubmit {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** sha2-256 digest of its CID. */
  readonly digest: `0x${string}`;
  readonly name: string;
  /** CIDs that it wants as inputs. */
  readonly inputs: readonly string[];
  /** Steps from one of its states to the next; undefined if it chooses itself. */
  readonly everySteps?: number | undefined;
}

/**
 * Checks a spec by the schema of the nodes, and makes the bytes to publish of it, as the command line does: the same spec has the same
 * CID wherever it is submitted.
 *
 * @throws ActionError naming each finding with its remedy.
 */
export async function readSpec(text: string): Promise<SpecToSubmit> {
  const { parseSpec, specBytes } = await import("@verai/executor/spec");
  try {
    const spec = parseSpec(new TextEncoder().encode(text));
    if (spec.confidential === true) {
      throw new Error("A confidential task needs a host for its key: submit it with `drmp task:submit`.");
    }
    const bytes = new Uint8Array(specBytes(spec));
    const { name, inputs, checkpoint } = spec;
    const { everySteps } = checkpoint;
    return { bytes, digest: sha256(bytes), name, inputs: Object.keys(inputs), everySteps };
  } catch (error) {
    throw new ActionError("SpecInvalid", error instanceof Error ? error.message : String(error), error);
  }
}
