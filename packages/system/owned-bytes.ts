const own = new WeakSet<ArrayBufferLike>();

/**
 * Marks bytes as nobody else's, so that the one who is done with them may {@link free} them. Bytes that are a part of a larger buffer
 * are passed over.
 *
 * @returns the same bytes
 */
export function owned<T extends Uint8Array>(bytes: T): T {
  if (bytes.byteLength === bytes.buffer.byteLength) own.add(bytes.buffer);
  return bytes;
}

/**
 * Gives the memory of bytes back at once if they are marked as {@link owned}; others stay as they are. Left to the garbage
 * collector, buffers of megabytes would have it search the whole heap every few dozen of them: a third of the processor time of
 * a transfer. Nothing may be reading them any longer, neither here nor in the system.
 */
export function free(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength === buffer.byteLength && own.delete(buffer);
  if (isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
