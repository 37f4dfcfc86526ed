import type { ServerResponse } from "node:http";

import type { BlockReference } from "@verai/client/block-reference";
import type { Changes } from "../history/changes.ts";

/** Ids of each kind that one message names. */
const MAX_IDS = 100;

/** What may wait for a reader that does not read, bytes; beyond, its connection is ended and it connects again. */
const MAX_WAITING = 256 * 1024;

/** Milliseconds between two signs of life. */
const PING_MS = 10_000;

/** Names of changed things of one kind. */
interface Changed {
  readonly ids: readonly number[];
  /** There are more of them than are named: read the lists again. */
  readonly more: boolean;
}

/** Tells readers that stay connected which entries have changed, as server-sent events. */
export class Live {
  readonly #readers = new Set<ServerResponse>();
  readonly #max: number;
  readonly #timer: NodeJS.Timeout;

  /** @param max Readers at once. */
  constructor(max: number) {
    this.#max = max;
    this.#timer = setInterval(() => {
      this.#send(": still here\n\n");
    }, PING_MS);
    this.#timer.unref();
  }

  /** Readers that are connected. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Adds a reader. @returns False if there are too many. */
  add(response: ServerResponse, first: object): boolean {
    if (this.#readers.size >= this.#max) return false;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      connection: "keep-alive",
    });
    response.write(`retry: 2000\n${message("standing", first)}`);
    this.#readers.add(response);
    response.once("close", () => this.#readers.delete(response));
    return true;
  }

  /** Tells that a stretch of blocks was taken in. */
  written({ number, hash, timestamp }: BlockReference, changes: Changes): void {
    if (this.#readers.size === 0) return;
    const changed = Object.fromEntries(
      (["tasks", "leases", "nodes", "rounds", "batches"] as const).map((name) => {
        const ids = changes.changed(name).map(({ id }) => id);
        return [name, { ids: ids.slice(0, MAX_IDS), more: ids.length > MAX_IDS } satisfies Changed];
      }),
    );
    this.#send(message("block", { block: number, hash, time: timestamp, changed }));
  }

  /** Tells that blocks after this one were undone: what was read of them no longer holds. */
  undone(after: number | undefined): void {
    this.#send(message("undone", { after: after ?? null }));
  }

  /** Ends all connections. */
  close(): void {
    clearInterval(this.#timer);
    for (const response of this.#readers) response.end();
    this.#readers.clear();
  }

  #send(text: string): void {
    for (const response of this.#readers) {
      if (response.writableLength > MAX_WAITING) response.destroy();
      else response.write(text);
    }
  }
}

function message(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
