import { concat, getBytes, hexlify, Signature, type TypedDataDomain } from "ethers";

import { CONSTANTS } from "./generated/constants.ts";
import { signingDomain, typesOf } from "./signing.ts";

/** Energy of one lease's units in a report's period. */
export interface EnergyShare {
  readonly leaseId: number;
  readonly joules: number;
}

/** What a node says of a period that has just ended; `ITelemetry.Report`. */
export interface Report {
  readonly nodeId: number;
  /** Grows with each report of the node; from {@link firstSequence} of its operator key on. */
  readonly sequence: number;
  /** Seconds that it covers. */
  readonly period: number;
  /** Share of the machine in use, basis points. */
  readonly load: number;
  /** Round-trip time to its peers, ms. */
  readonly latency: number;
  readonly joules: number;
  readonly renewableJoules: number;
  /** Place in {@link ENERGY_METHODS}. */
  readonly method: number;
  /** Version of the agent: major × 256 + minor. */
  readonly version: number;
  /** Unit-seconds of work done while the machine's owner left it idle. */
  readonly idleUnitSeconds: number;
  /** One for each lease that ran in the period, ascending. */
  readonly shares: readonly EnergyShare[];
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

/** Maximum shares in a report. */
export const { MAX_SHARES } = CONSTANTS.Telemetry;

/** The EIP-712 types that an operator signs a report as. */
export const REPORT_TYPES = typesOf("Report");

/** Fields of a packed report before its shares, with their widths in bytes; the number of shares follows. */
const HEAD = [
  ["nodeId", 4],
  ["sequence", 4],
  ["period", 4],
  ["load", 2],
  ["latency", 2],
  ["joules", 5],
  ["renewableJoules", 5],
  ["method", 1],
  ["version", 2],
  ["idleUnitSeconds", 4],
] as const;

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
 * Packs a batch of reports as the telemetry contract takes them. O(reports + shares).
 *
 * @throws RangeError if a number does not fit its field, or there are too many shares.
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
  const bytes = getBytes(packed);
  let at = 0;
  const take = (width: number): Uint8Array => {
    if (at + width > bytes.length) throw new RangeError(`The batch ends at byte ${bytes.length}, within a report.`);
    at += width;
    return bytes.subarray(at - width, at);
  };
  const number = (width: number): number => take(width).reduce((value, byte) => value * 256 + byte, 0);
  const batch: SignedReport[] = [];
  while (at < bytes.length) {
    const head = Object.fromEntries(HEAD.map(([name, width]) => [name, number(width)]));
    const shares = Array.from({ length: number(1) }, () => ({ leaseId: number(4), joules: number(5) }));
    batch.push({ report: { ...head, shares } as unknown as Report, signature: hexlify(take(SIGNATURE_BYTES)) });
  }
  return batch;
}

function packOne({ report, signature }: SignedReport): Uint8Array {
  const { shares } = report;
  if (shares.length > MAX_SHARES) {
    throw new RangeError(`A report has at most ${MAX_SHARES} shares, not ${shares.length}; report more often.`);
  }
  const parts = HEAD.map(([name, width]) => field(name, report[name], width));
  parts.push(field("number of shares", shares.length, 1));
  for (const share of shares) parts.push(field("leaseId", share.leaseId, 4), field("joules", share.joules, 5));
  return getBytes(concat([...parts, Signature.from(signature).compactSerialized]));
}

/** A number, big-endian. Its 40 bits at most are beyond what bitwise operators take. */
function field(name: string, value: number, width: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new RangeError(`The ${name} ${value} of a report is no whole number of ${width} bytes.`);
  }
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) % 256);
}
