import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { z } from "zod";

import { encodeState, loadState, reasonOf, saveState } from "./state-file.ts";

const kind = {
  what: "list of things",
  version: 2,
  maxBytes: 10_000,
  schema: z.object({ things: z.array(z.string()), count: z.number() }),
};
const state = { things: ["a", "b"], count: 2 };

async function bench(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "drmp-state-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const lines: string[] = [];
  const log = { error: (_: object, message: string) => void lines.push(message) };
  return { directory, file: join(directory, "things.json"), lines, log };
}

test("a state comes back as it was saved; there is none before", async (context) => {
  const { directory, file, lines, log } = await bench(context);
  assert.equal(await loadState(file, kind, log), undefined);
  await saveState(file, kind, state);
  assert.deepEqual(await loadState(file, kind, log), state);
  assert.deepEqual(lines, []);
  assert.deepEqual(await readdir(directory), ["things.json"]);
});

test("a file of before there were checksums is read", async (context) => {
  const { file, lines, log } = await bench(context);
  await writeFile(file, JSON.stringify(state));
  assert.deepEqual(await loadState(file, kind, log), state);
  assert.deepEqual(lines, []);
});

const whole = encodeState(kind, state);
const damages: [string, (file: string) => Promise<unknown>, RegExp][] = [
  ["empty", (file) => writeFile(file, ""), /it is empty/],
  ["cut in half", (file) => writeFile(file, whole).then(() => truncate(file, whole.length >> 1)), /not valid JSON/],
  ["filled with zeros", (file) => writeFile(file, Buffer.alloc(whole.length)), /not valid JSON/],
  ["no text", (file) => writeFile(file, Buffer.from([0x22, 0xff, 0xfe, 0x22])), /not valid JSON/],
  ["a list", (file) => writeFile(file, "[]"), /not a JSON object/],
  ["null", (file) => writeFile(file, "null"), /not a JSON object/],
  ["one digit flipped", (file) => writeFile(file, whole.replace('"count":2', '"count":3')), /checksum is wrong/],
  ["without its checksum", (file) => writeFile(file, whole.replace(/,"checksum":"[^"]+"/, "")), /checksum is wrong/],
  ["of another version", (file) => writeFile(file, encodeState({ ...kind, version: 3 }, state)), /has version 3/],
  ["of another form", (file) => writeFile(file, JSON.stringify({ things: 7 })), /things/],
  [
    "too large",
    (file) => writeFile(file, JSON.stringify({ ...state, more: "x".repeat(10_000) })),
    /more than the 10000/,
  ],
  ["a directory", (file) => mkdir(join(file, "full"), { recursive: true }), /is a directory/],
  ["a link to itself", (file) => symlink(file, file), /link to itself/],
];
for (const [how, damage, why] of damages) {
  test(`a file that is ${how} is set aside, with the reason`, async (context) => {
    const { directory, file, lines, log } = await bench(context);
    await damage(file);
    assert.equal(await loadState(file, kind, log), undefined);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", why);
    assert.deepEqual(await readdir(directory), ["things.json.bad"]);
    // What comes next is written and read as if nothing had happened.
    await saveState(file, kind, state);
    assert.deepEqual(await loadState(file, kind, log), state);
  });
}

test("what was set aside before stays, up to nine of them", async (context) => {
  const { directory, file, log } = await bench(context);
  for (let i = 0; i < 12; i++) {
    await writeFile(file, `damage ${String(i)}`);
    await loadState(file, kind, log);
  }
  assert.equal((await readdir(directory)).length, 9);
  assert.equal(await readFile(`${file}.bad`, "utf8"), "damage 0");
  assert.equal(await readFile(`${file}.9.bad`, "utf8"), "damage 11");
});

test("a disk that fails is no damage of the file", () => {
  for (const code of ["EIO", "EMFILE", "ENFILE", "ESTALE"]) {
    assert.equal(reasonOf(Object.assign(new Error("no"), { code })), undefined);
  }
  assert.match(reasonOf(Object.assign(new Error("no"), { code: "EACCES" })) ?? "", /may not read/);
});
