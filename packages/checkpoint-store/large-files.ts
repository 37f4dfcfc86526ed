import { UnixFS } from "ipfs-unixfs";

/**
 * Encodes the nodes of files of 2 to 4 GiB, which the library encodes wrongly: protons-runtime (up to 8.0.1) takes a varint of
 * 2^31 to 2^32 - 1 for a negative number and writes its first byte only, with whatever memory held behind it. Such a file
 * could be stored and not be restored. To be removed once the library is right; the test beside this file then still holds.
 */
export function encodeLargeFiles(): void {
  if (Object.hasOwn(UnixFS.prototype, MENDED)) return;
  // The library's own method, called with its own `this` below.
  // oxlint-disable-next-line typescript/unbound-method
  const original = UnixFS.prototype.marshal;
  UnixFS.prototype.marshal = function marshal(this: UnixFS): Uint8Array {
    const total = this.fileSize() ?? 0n;
    const plain = this.type === "file" && this.data === undefined && this.mtime === undefined;
    if (!plain || ![total, ...this.blockSizes].some(isMistaken)) return original.call(this);
    const fields = [varint(TYPE), varint(FILE), varint(FILE_SIZE), varint(total)];
    for (const size of this.blockSizes) fields.push(varint(BLOCK_SIZE), varint(size));
    return Uint8Array.from(fields.flat());
  };
  Object.defineProperty(UnixFS.prototype, MENDED, { value: true });
}

const MENDED = Symbol.for("drmp.unixfs.large-files");

/** Keys of UnixFS's protobuf message: field number << 3, wire type 0; and its type of a file. */
const [TYPE, FILE_SIZE, BLOCK_SIZE] = [1n << 3n, 3n << 3n, 4n << 3n];
const FILE = 2n;

function isMistaken(value: bigint): boolean {
  return value >= 2n ** 31n && value < 2n ** 32n;
}

/** Bytes of a protobuf varint. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}
