import assert from "node:assert/strict";
import { test } from "node:test";

import { drain } from "./drain.ts";

/** Pages of ten over what is left; those of `stuck` cannot be taken. */
function pages(count: number, stuck: (id: number) => boolean) {
  const left = new Set(Array.from({ length: count }, (_, i) => i));
  return {
    left,
    page: () => Promise.resolve({ ids: [...left].slice(0, 10), total: left.size }),
    take: (id: number) => Promise.resolve(stuck(id) || left.delete(id)),
  };
}

test("more than a page is taken to its end", async () => {
  const { left, page, take } = pages(34, () => false);
  assert.equal(await drain(page, take), 0);
  assert.equal(left.size, 0);
});

test("what cannot be taken ends it, once nothing else is", async () => {
  const { page, take } = pages(34, (id) => id % 2 === 0);
  assert.ok((await drain(page, take)) >= 10);
  assert.equal(
    await drain(
      () => Promise.resolve({ ids: [1], total: 1 }),
      () => Promise.resolve(),
    ),
    1,
  );
});
