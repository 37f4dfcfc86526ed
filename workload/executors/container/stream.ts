/** Streams as the engine sends them for containers without a terminal: frames of stdout and stderr in one stream. */
const HEADER_BYTES = 8;
/** So much of a frame comes in one piece; longer than any time stamp. */
const HEAD_BYTES = 64;

/** A piece of a frame. */
export interface FramePiece {
  /** It begins the frame, and holds at least its first 64 bytes, or all of it. */
  readonly first: boolean;
  readonly bytes: Buffer;
}

/** Takes the frames' headers off. O(bytes); holds a frame's first bytes and what came with them, never a whole long one. */
export async function* framesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<FramePiece> {
  let buffer: Buffer = Buffer.alloc(0);
  let left = 0;
  for await (const chunk of stream) {
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, chunk]);
    for (;;) {
      if (left > 0) {
        const bytes = buffer.subarray(0, left);
        if (bytes.length === 0) break;
        left -= bytes.length;
        buffer = buffer.subarray(bytes.length);
        yield { first: false, bytes };
        continue;
      }
      if (buffer.length < HEADER_BYTES) break;
      // Byte 0 says stdout or stderr; bytes 4 … 7 the length, big-endian.
      const length = buffer.readUInt32BE(4);
      if (buffer.length < HEADER_BYTES + Math.min(length, HEAD_BYTES)) break;
      const bytes = buffer.subarray(HEADER_BYTES, HEADER_BYTES + length);
      left = length - bytes.length;
      buffer = buffer.subarray(HEADER_BYTES + bytes.length);
      yield { first: true, bytes };
    }
  }
}
