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

const LINE_END = 0x0a;

/**
 * A log of lines as entries. What comes after the last line's end is passed over, unless all of the log is here: a
 * connection that is cut in the middle of a line would leave a part of it. O(bytes); holds at most 1 MiB and what came
 * with it, and gives longer lines in pieces.
 *
 * @param last Whether all of the log comes.
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array>, last: boolean): AsyncGenerator<FramePiece> {
  let buffer: Buffer = Buffer.alloc(0);
  let first = true;
  for await (const chunk of stream) {
    buffer = buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([buffer, chunk]);
    for (let end = buffer.indexOf(LINE_END); end >= 0; end = buffer.indexOf(LINE_END)) {
      yield { first, bytes: buffer.subarray(0, end + 1) };
      first = true;
      buffer = buffer.subarray(end + 1);
    }
    if (buffer.length < WHOLE_BYTES) continue;
    yield { first, bytes: buffer };
    first = false;
    buffer = Buffer.alloc(0);
  }
  if (buffer.length > 0 && (last || !first)) yield { first, bytes: buffer };
}
