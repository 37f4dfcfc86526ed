import assert from "node:assert/strict";
import { test } from "node:test";

import { parseLog } from "./logs.ts";

test("a line that is still being written is left out, also where it looks whole", () => {
  const text = '{"msg":"one"}\nsaid by Node\n{"err":{"code":"X"},"msg":"two"}\n{"err":{"code":"X"}';
  assert.deepEqual(
    parseLog(text).map(({ msg }) => msg),
    ["one", "two"],
  );
  assert.deepEqual(parseLog('{"msg":"one"}'), []);
  assert.equal(parseLog('{"msg":"one"}\n').length, 1);
});
