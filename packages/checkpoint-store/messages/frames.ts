import type { Stream } from "@libp2p/interface";
import { lpStream } from "@libp2p/utils";

import { CheckpointError } from "../errors.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Reads and writes JSON messages on a stream, each after its length as a varint. */
export interface JsonStream {
  /** @throws {@link CheckpointError} `BAD_MESSAGE` if it is longer than allowed or no JSON; what the signal says */
  read(signal: AbortSignal): Promise<unknown>;
  /** @throws {@link CheckpointError} `BAD_MESSAGE` if it is longer than allowed; what the signal says */
  write(message: Json, signal: AbortSignal): Promise<void>;
}

/** @param maxBytes - longest message in either direction, bytes of JSON */
export function jsonStream(stream: Stream, maxBytes: number): JsonStream {
  const frames = lpStream(stream, { maxDataLength: maxBytes, maxBufferSize: maxBytes + 1024 });
  return {
    read: async (signal) => {
      const bytes = await frames.read({ signal }).catch((error: unknown) => {
        if (error instanceof Error && /^Invalid|^StreamBufferError/.test(error.name)) {
          throw new CheckpointError("BAD_MESSAGE", `The message is longer than the ${maxBytes} bytes allowed`, {
            cause: error,
          });
        }
        throw error;
      });
      try {
        return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray())) as unknown;
      } catch (error) {
        throw new CheckpointError("BAD_MESSAGE", "The message is not JSON", { cause: error });
      }
    },
    write: async (message, signal) => {
      const bytes = Buffer.from(JSON.stringify(message));
      if (bytes.byteLength > maxBytes) {
        throw new CheckpointError(
          "BAD_MESSAGE",
          `A message of ${bytes.byteLength} bytes is longer than the ${maxBytes} allowed: say less, or raise the bound on both sides`,
        );
      }
      await frames.write(bytes, { signal });
    },
  };
}
