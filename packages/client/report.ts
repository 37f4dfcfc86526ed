import { concat, getBytes, hexlify, Signature, type TypedDataDomain } from "ethers";

import { CONSTANTS } from "./generated/constants.ts";
import { signingDomain, typesOf } from "./signing.ts";

/** What a node says of itself now; `ITelemetry.Report`. */
export interface Report {
  readonly nodeId: number;
  /** Grows with each report of the node; from {@link firstSequence} of its operator key on. */
  readonly sequence: number;
  /** Share of the machine in use since the report before, basis points. */
  readonly load: number;
  /** Round-trip time to its peers, ms. */
  readonly latency: number;
  /** Average power since the report before, watts, rounded up. */
  readonly watts: number;
  /** Whether all energy since the report before was renewable, and there was some. */
  readonly renewable: boolean;
}

/** A report with its operator's signature: 65 bytes, or 64 as in ERC-2098, hexadecimal. */
export interface SignedReport {
  readonly report: Report;
  readonly signature: string;
}

/** Bits of a sequence that count the reports of one operator key. */
const { KEY_SHIFT } = CONSTANTS.Telemetry;

/**
 * What the sequences of an operator key's reports exceed: each key counts for itself, so that what a stolen key has signed
 * holds its successor up in nothing.
 *
 * @param keyNumber How often the node's operator key was changed, 0 to 255.
 */
export function firstSequence(keyNumber: number): number {
  return keyNumber * 2 ** KEY_SHIFT;
}

/** Number of the operator key that a sequence belongs to. */
export function keyOfSequence(sequence: number): number {
  return Math.floor(sequence / 2 ** KEY_SHIFT);
}

/** The EIP-712 types that an operator signs a report as. */
export const REPORT_TYPES = typesOf("Report");

/** Fields of a packed report, with their widths in bytes. */
const FIELDS = [
  ["nodeId", 4],
  ["sequence", 4],
  ["load", 2],
  ["latency", 2],
  ["watts", 4],
  ["renewable", 1],
] as const;

const FIELD_BYTES = FIELDS.reduce((sum, [, width]) => sum + width, 0);
const SIGNATURE_BYTES = 64;

/**
 * The EIP-712 domain of reports.
 *
 * @param telemetry Address of the telemetry contract.
 */
export function reportDomain(chainId: number | bigint, telemetry: string): TypedDataDomain {
  return signingDomain(chainId, telemetry);
}

/**
 * Packs a batch of reports as the telemetry contract takes them. O(reports).
 *
 * @throws RangeError if a number does not fit its field.
 */
export function packReports(batch: readonly SignedReport[]): string {
  return concat(batch.map(packOne));
}

/**
 * Takes a packed batch apart; the inverse of {@link packReports}, with signatures as in ERC-2098.
 *
 * @throws RangeError if the bytes end within a report.
 */
export function unpackReports(packed: string): SignedReport[] {
  return recordsOf(packed, FIELD_BYTES + SIGNATURE_BYTES).map((bytes) => ({
    report: unpackFields(bytes),
    signature: hexlify(bytes.subarray(FIELD_BYTES)),
  }));
}

/**
 * The reports that the event `Reported` tells of: their fields alone.
 *
 * @throws RangeError if the bytes end within a report.
 */
export function reportsOf(fields: string): Report[] {
  return recordsOf(fields, FIELD_BYTES).map(unpackFields);
}

/**
 * The fields of a report, as the event `Reported` tells them; the inverse of {@link reportsOf} for one report.
 *
 * @throws RangeError if a number does not fit its field.
 */
export function packFields(report: Report): string {
  return concat(FIELDS.map(([name, width]) => field(name, Number(report[name]), width)));
}

function recordsOf(packed: string, width: number): Uint8Array[] {
  const bytes = getBytes(packed);
  if (bytes.length % width !== 0) {
    throw new RangeError(`The batch ends at byte ${bytes.length}, within a report; each has ${width} bytes.`);
  }
  return Array.from({ length: bytes.length / width }, (_, i) => bytes.subarray(i * width, (i + 1) * width));
}

function unpackFields(bytes: Uint8Array): Report {
  let at = 0;
  const take = (width: number): number => {
    at += width;
    return bytes.subarray(at - width, at).reduce((value, byte) => value * 256 + byte, 0);
  };
  const [nodeId = 0, sequence = 0, load = 0, latency = 0, watts = 0, renewable = 0] = FIELDS.map(([, width]) =>
    take(width),
  );
  return { nodeId, sequence, load, latency, watts, renewable: renewable !== 0 };
}

function packOne({ report, signature }: SignedReport): string {
  return concat([packFields(report), Signature.from(signature).compactSerialized]);
}

/** A number, big-endian. Its 32 bits at most are beyond what signed bitwise operators take. */
function field(name: string, value: number, width: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new RangeError(`The ${name} ${value} of a report is no whole number of ${width} bytes.`);
  }
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) % 256);
}
