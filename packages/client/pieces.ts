import PQueue from "p-queue";

/** Runs once the turn of the event loop is over, and what the turn has asked for together has gone out. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Reads a long list in pieces, a few of them at the same time: while an endpoint works on one piece, the answer to another is on its way
 * or taken apart. Each piece begins in a turn of its own, so that views which go out together are those of one piece: a request
 * stays as large as a piece is.
 *
 * @param size Items of a piece.
 * @param atOnce Pieces under way at the same time.
 * @returns What the pieces brought, in the order of the list.
 * @throws What the first piece that fails throws; no further one is begun then.
 */
export async function readInPieces<I, T>(
  items: readonly I[],
  { size, atOnce }: { readonly size: number; readonly atOnce: number },
  read: (piece: readonly I[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const queue = new PQueue({ concurrency: atOnce });
  // When the piece that began last has gone out: two that become free together begin one after the other.
  let gone = Promise.resolve();
  let failed = false;
  const under: Promise<readonly T[]>[] = [];
  for (let from = 0; from < items.length && !failed; from += size) {
    await queue.onSizeLessThan(1);
    const piece = queue.add(async () => {
      const before = gone;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gone = promise.then(turn);
      await before;
      const reading = read(items.slice(from, from + size));
      resolve(undefined);
      return reading;
    });
    piece.catch(() => {
      failed = true;
    });
    under.push(piece);
  }
  return (await Promise.all(under)).flat();
}
