import { createHash } from "node:crypto";
import { endianness } from "node:os";

import { CLASSES, PIXELS } from "./data.ts";
import { type Network, parameterCount } from "./network.ts";

/** Bytes before the numbers: of fixed length, so that chunks of equal numbers stay equal in a content-addressed store. */
const HEADER_BYTES = 64;
const MAGIC = "digits01";
/** The quiet NaN of IEEE 754 without sign and payload. */
const NOT_A_NUMBER = 0x7fc00000;
/** Maximum hidden units that a network may have; bounds what a file makes its reader allocate. */
export const MAX_HIDDEN = 1024;

/**
 * A network's numbers as bytes, little-endian: "digits01"; inputs, hidden units and outputs as uint32; zeros up to byte
 * 64; then each number as float32, in the order of {@link Network}. What is not a number has one form, as the language leaves its
 * bits to the machine.
 */
export function encodeModel({ hidden, parameters }: Network): Uint8Array {
  assertLittleEndian();
  const bytes = Buffer.alloc(HEADER_BYTES + parameters.byteLength);
  bytes.write(MAGIC, "latin1");
  [PIXELS, hidden, CLASSES].forEach((count, i) => bytes.writeUInt32LE(count, MAGIC.length + 4 * i));
  bytes.set(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength), HEADER_BYTES);
  for (let i = 0; i < parameters.length; i++) {
    if (Number.isNaN(parameters[i])) bytes.writeUInt32LE(NOT_A_NUMBER, HEADER_BYTES + 4 * i);
  }
  return bytes;
}

/**
 * The other way round.
 *
 * @throws Error if the bytes are not what {@link encodeModel} makes. The numbers themselves may be any.
 */
export function decodeModel(bytes: Uint8Array): Network {
  assertLittleEndian();
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (why: string): never => {
    throw new Error(`Not a model of the trainer "digits": ${why}.`);
  };
  if (view.length < HEADER_BYTES || view.toString("latin1", 0, MAGIC.length) !== MAGIC) refuse("it has another header");
  const [inputs, hidden, outputs] = [0, 4, 8].map((at) => view.readUInt32LE(MAGIC.length + at)) as [
    number,
    number,
    number,
  ];
  if (inputs !== PIXELS || outputs !== CLASSES || hidden < 1 || hidden > MAX_HIDDEN) {
    refuse(`its layers are ${inputs}-${hidden}-${outputs}`);
  }
  const length = HEADER_BYTES + 4 * parameterCount(hidden);
  if (view.length !== length) refuse(`it has ${view.length} instead of ${length} bytes`);
  const parameters = new Float32Array(view.buffer.slice(view.byteOffset + HEADER_BYTES, view.byteOffset + length));
  return { hidden, parameters };
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function assertLittleEndian(): void {
  if (endianness() !== "LE") throw new Error("The trainer needs a little-endian machine, as x86-64 and arm64 are.");
}
