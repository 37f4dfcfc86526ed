/** Streams as the engine sends them for containers without a terminal: frames of stdout and stderr in one stream. */
const HEADER_BYTES = 8;
/** Frames up to this size come whole, which is far more than engines send; of larger ones the rest comes in pieces. */
const WHOLE_BYTES = 1024 * 1024;

/** A frame, or a piece of one that is too large to be held. */
export interface FramePiece {
  /** It begins the frame. */
  readonly first: boolean;
  readonly bytes: Buffer;
}

/** Takes the frames' headers off. O(bytes); holds at most one frame, and never more than 1 MiB and what came with it. */
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
      if (buffer.length < HEADER_BYTES + Math.min(length, WHOLE_BYTES)) break;
      const bytes = buffer.subarray(HEADER_BYTES, HEADER_BYTES + length);
      left = length - bytes.length;
      buffer = buffer.subarray(HEADER_BYTES + bytes.length);
      yield { first: true, bytes };
    }
  }
}
