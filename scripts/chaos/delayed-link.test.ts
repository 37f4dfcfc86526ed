import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";

import { DelayedLink } from "./delayed-link.ts";

test("a delayed link takes its time, and changes nothing of what it carries", async (context) => {
  const echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  const link = await DelayedLink.open((echo.address() as AddressInfo).port);
  context.after(async () => {
    await link.close();
    echo.close();
  });
  link.delayMs = 60;
  const socket = connect(link.port, "127.0.0.1");
  const started = performance.now();
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
  socket.end(sent);
  // A shorter delay lets nothing overtake what is on its way.
  link.delayMs = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(sent));
  assert.ok(performance.now() - started < 10_000);
  link.delayMs = 80;
  const asked = connect(link.port, "127.0.0.1");
  await once(asked, "connect");
  const at = performance.now();
  asked.write("?");
  await once(asked, "data");
  assert.ok(performance.now() - at >= 75, "too early");
  asked.destroy();
});

test("a link to a port where nobody listens ends the connection", async (context) => {
  const unused = createServer();
  unused.listen(0, "127.0.0.1");
  await once(unused, "listening");
  const { port } = unused.address() as AddressInfo;
  unused.close();
  await once(unused, "close");
  const link = await DelayedLink.open(port);
  context.after(() => link.close());
  const socket = connect(link.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "close");
});
