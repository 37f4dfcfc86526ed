import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Objects of a round, and rounds at most: some 15 MB, where V8 needs 2 of them. */
const [OBJECTS, ROUNDS] = [2_000, 100];

/**
 * Has V8's space for new objects grow once, by a factor, and never again. To be called before anything else is loaded.
 *
 * V8 begins with 1 MB, which a busy process fills so often that clearing it takes a sixth of its processor time, and lets the space grow to
 * 64 MB for ever as soon as modules are loaded, which is a third of an agent's memory. Four times as much as in the beginning takes as little
 * time as 64 MB, and some 4 MB of memory more. The size cannot be set once V8 runs, other than by letting it grow.
 *
 * @returns Bytes that it has room for.
 */
export function growYoungSpace(factor: number): number {
  const first = room();
  setFlagsFromString(`--semi-space-growth-factor=${String(factor)}`);
  // It grows when as much as it has room for was found in use when it was cleared.
  const used: object[][] = [];
  while (room() === first && used.length < ROUNDS) used.push(Array.from({ length: OBJECTS }, (_, id) => ({ id })));
  setFlagsFromString("--semi-space-growth-factor=1");
  return room();
}

function room(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (young?.space_used_size ?? 0) + (young?.space_available_size ?? 0);
}
