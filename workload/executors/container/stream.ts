/** Streams as the engine sends them for containers without a terminal: frames of stdout and stderr in one stream. */
const HEADER_BYTES = 8;

/** Takes the frames' headers off. O(bytes), holds at most what is left of one header. */
export async function* framesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let header: Buffer = Buffer.alloc(0);
  let left = 0;
  for await (const chunk of stream) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (left > 0) {
        yield rest.subarray(0, left);
        const taken = Math.min(left, rest.length);
        left -= taken;
        rest = rest.subarray(taken);
        continue;
      }
      const missing = HEADER_BYTES - header.length;
      header = Buffer.concat([header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (header.length < HEADER_BYTES) continue;
      // Byte 0 says stdout or stderr; bytes 4 … 7 the length, big-endian.
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
}
