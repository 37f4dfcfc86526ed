import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const MODULE = join(import.meta.dirname, "young-space.ts");
const MiB = 2 ** 20;

/** Room for new objects in a process of its own, before and after much was kept in use. */
async function roomIn(code: string): Promise<number[]> {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    const room = () => {
      const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
      return young.space_used_size + young.space_available_size;
    };
    ${code}
    const rooms = [room()];
    const used = [];
    for (let i = 0; i < 300; i++) used.push(Array.from({ length: 2_000 }, (_, id) => ({ id })));
    rooms.push(room());
    console.log(JSON.stringify(rooms));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  return (JSON.parse(stdout) as number[]).map((bytes) => Math.round(bytes / MiB));
}

test("room for new objects grows once, and stays as it is whatever a process keeps", async () => {
  const grown = `import { growYoungSpace } from ${JSON.stringify(MODULE)}; growYoungSpace(4);`;
  assert.deepEqual(await roomIn(grown), [4, 4]);
  // What V8 does by itself.
  const [first = 0, after = 0] = await roomIn("");
  assert.ok(first === 1 && after > 4, `${String(first)} MB, then ${String(after)} MB`);
});
