import { z } from "zod";

import { WorkloadError } from "../errors.ts";
import type { Seal } from "./seal.ts";

/** Bytes of the longest envelope: a spec of 64 KiB in base64, and what stands beside it. */
export const MAX_ENVELOPE_BYTES = 128 * 1024;

/** What of a confidential task's spec is in clear: what those need that hold it, or that want its key. */
const clear = z.strictObject({
  /** Peer addresses, or peer ids, of those that give the key to the task's nodes. */
  keyHosts: z.array(z.string().min(1).max(256)).min(1).max(8),
  /** CIDs of the sealed inputs. */
  inputs: z.array(z.string().max(128)).max(1_024),
  /** Addresses that may read what is sealed, beside the developer. */
  readers: z.array(z.string().regex(/^0x[0-9a-fA-F]{40}$/)).max(32),
});

const envelope = clear.extend({ sealed: z.literal(1), box: z.base64() });

/** See {@link clear}. */
export type EnvelopeClear = z.output<typeof clear>;

/** A sealed spec. */
export type Envelope = z.output<typeof envelope>;

/** Whether the bytes of a spec are those of a sealed one. */
export function isSealed(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 1_024)).startsWith('{"sealed":1,');
}

/** Seals a spec. Its clear part cannot be changed either. */
export function sealSpec(spec: Uint8Array, seal: Seal, parts: EnvelopeClear): Uint8Array {
  const checked = clear.parse(parts);
  const box = seal.close(spec, placeOf(checked)).toString("base64");
  const bytes = new TextEncoder().encode(JSON.stringify({ sealed: 1, ...checked, box }));
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) {
    throw new WorkloadError(
      "SPEC_INVALID",
      `The sealed spec has ${bytes.byteLength} bytes, but at most ${MAX_ENVELOPE_BYTES} are allowed: move data to inputs.`,
    );
  }
  return bytes;
}

/** What a sealed spec says in clear. @throws WorkloadError `SPEC_INVALID` */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const limit = MAX_ENVELOPE_BYTES;
  try {
    if (bytes.byteLength > limit) throw new Error(`it has ${bytes.byteLength} bytes, more than ${limit}`);
    return envelope.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new WorkloadError("SPEC_INVALID", `The sealed spec is malformed: ${String(cause)}`, { cause });
  }
}

/** The spec in an envelope. @throws WorkloadError `SEAL_BROKEN` if it was sealed with another key, or changed */
export function openSpec({ box, keyHosts, inputs, readers }: Envelope, seal: Seal): Uint8Array {
  return seal.open(Buffer.from(box, "base64"), placeOf({ keyHosts, inputs, readers }));
}

function placeOf({ keyHosts, inputs, readers }: EnvelopeClear): string {
  return `spec ${JSON.stringify({ keyHosts, inputs, readers })}`;
}
