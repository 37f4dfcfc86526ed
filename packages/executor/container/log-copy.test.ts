import assert from "node:assert/strict";
import { test } from "node:test";

import type { Container } from "dockerode";

import { containerLog, LogCopy, LogPlace, splitTime } from "./log-copy.ts";
import { framesOf } from "./stream.ts";

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function* parts(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("frames come whole however the stream is cut, but for the rest of huge ones", async () => {
  const texts = ["one\n", "", "two\n", "x".repeat(1000), "y".repeat(1_500_000)];
  const whole = Buffer.concat(texts.map((text, i) => frame(1 + (i % 2), text)));
  for (const size of [997, 5000, 70_000, 2_000_000]) {
    const frames: string[] = [];
    for await (const { first, bytes } of framesOf(parts(whole, size))) {
      const { length } = texts[frames.length] ?? "";
      if (first) assert.ok(bytes.length >= Math.min(length, 2 ** 20), `in parts of ${size}`);
      if (first) frames.push("");
      frames.push((frames.pop() ?? "") + bytes.toString());
    }
    assert.deepEqual(frames, texts, `in parts of ${size}`);
  }
});

test("an entry's time as Docker and as Podman write it; an entry without", () => {
  const { time, rest } = splitTime(Buffer.from("2026-01-02T03:04:05.000000001Z a line\n"));
  assert.equal(time, BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n + 1n);
  assert.equal(rest.toString(), "a line\n");
  assert.equal(splitTime(Buffer.from("2026-01-02T05:04:05.5+02:00 x")).time, (time ?? 0n) + 499_999_999n);
  assert.equal(splitTime(Buffer.from("2026-01-02 is no time")).time, undefined);
});

test("what was copied is not copied again, also of several entries of one time", () => {
  const place = new LogPlace(0);
  const read = (...times: bigint[]) => {
    place.startOver();
    return times.map((time) => place.advance(time));
  };
  assert.deepEqual(read(1_000_000_001n, 1_000_000_002n, 1_000_000_002n), [true, true, true]);
  assert.equal(place.sinceSeconds, 1);
  assert.deepEqual(read(1_000_000_001n, 1_000_000_002n, 1_000_000_002n), [false, false, false]);
  assert.deepEqual(read(1_000_000_002n, 1_000_000_002n, 1_000_000_002n, 1_000_000_003n), [false, false, true, true]);
});

test("parts of a long line that come after a later entry are not lost", () => {
  const place = new LogPlace(0);
  place.startOver();
  assert.deepEqual(
    [1_000n, 5_000n, 1_000n, 1_000n, 6_000n].map((time) => place.advance(time * 1_000_000n)),
    [true, true, true, true, true],
  );
  assert.equal(place.sinceSeconds, 6);
});

/** An engine whose streams end after so many entries, break, or hang. */
function engine(entries: readonly string[], streams: readonly { upTo: number; then: "end" | "break" | "hang" }[]) {
  const times = entries.map((_, i) => `2026-01-02T03:04:${String(i).padStart(2, "0")}.000000000Z `);
  let call = 0;
  const logs = async ({ since, abortSignal }: { since: number; abortSignal: AbortSignal }) => {
    const { upTo, then } = streams[call++] ?? { upTo: entries.length, then: "end" };
    return (async function* () {
      for (const [i, entry] of entries.slice(0, upTo).entries()) {
        if (Date.parse((times[i] ?? "").trim()) / 1000 >= since) yield frame(1, `${times[i] ?? ""}${entry}`);
      }
      if (then === "break") throw new Error("broken");
      if (then === "hang") {
        await new Promise((_, reject) => abortSignal.addEventListener("abort", () => reject(new Error("aborted"))));
      }
    })();
  };
  return { logs } as unknown as Pick<Container, "logs">;
}

async function copied(container: Pick<Container, "logs">): Promise<string> {
  let text = "";
  const log = { append: async (chunk: Uint8Array | string) => void (text += Buffer.from(chunk).toString()) };
  await new LogCopy(containerLog(container), log, 0).finish();
  return text;
}

test("a follower that the engine gives up, and one that breaks: each entry comes once, and the end comes", async () => {
  const entries = ["a\n", "b\n", "c\n", "d\n"];
  assert.equal(await copied(engine(entries, [{ upTo: 2, then: "end" }])), "a\nb\nc\nd\n");
  assert.equal(await copied(engine(entries, [{ upTo: 3, then: "break" }])), "a\nb\nc\nd\n");
});

test("a stream that breaks within an entry: the entry comes whole with the next one", async () => {
  const entries = ["a\n", `${"b".repeat(5_000)}\n`];
  const whole = Buffer.concat(entries.map((text, i) => frame(1, `2026-01-02T03:04:0${String(i)}.000000000Z ${text}`)));
  let call = 0;
  const logs = async () => {
    const cut = call++ === 0 ? whole.subarray(0, whole.length - 1_000) : whole;
    return (async function* () {
      yield cut;
      if (cut !== whole) throw new Error("broken");
    })();
  };
  assert.equal(await copied({ logs } as unknown as Pick<Container, "logs">), entries.join(""));
});

test("a follower that hangs though all is over is given up for a last look", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const reading = copied(engine(["a\n", "b\n"], [{ upTo: 1, then: "hang" }]));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(5000);
  assert.equal(await reading, "a\nb\n");
});

test("a container that is gone has no more to tell", async () => {
  const gone = { logs: async () => Promise.reject(Object.assign(new Error("gone"), { statusCode: 404 })) };
  assert.equal(await copied(gone as unknown as Pick<Container, "logs">), "");
});
