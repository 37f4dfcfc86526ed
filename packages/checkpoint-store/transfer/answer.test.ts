import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { MAX_HEAD_BYTES, MalformedAnswerError, parseHead } from "./answer.ts";

const parse = (text: string, most = 1000) => parseHead(Buffer.from(text, "latin1"), most);
const head = (...lines: string[]) => ["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n");

test("a head says where the body begins, how long it is, and whether the connection stays", () => {
  const text = head("Content-Type: application/vnd.ipld.raw", "content-LENGTH:  17 ", "Connection: keep-alive");
  assert.deepEqual(parse(`${text}body`), { status: 200, headBytes: text.length, bodyBytes: 17, keepAlive: true });
  assert.equal(parse(head("Content-Length: 0", "Connection: Close"))?.keepAlive, false);
  assert.equal(parse("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n")?.status, 404);
  assert.equal(parse("HTTP/1.1 304 Not Modified\r\n\r\n")?.bodyBytes, 0);
});

test("a head that is not whole yet is waited for, at whatever byte it is cut", () => {
  const text = head("Content-Length: 5");
  for (let length = 0; length < text.length; length++) assert.equal(parse(text.slice(0, length)), undefined);
  assert.ok(parse(text));
});

test("what is no answer of a block server is refused", () => {
  const bad = [
    "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "SSH-2.0-OpenSSH\r\n\r\n",
    head(),
    head("Content-Length: -1"),
    head("Content-Length: 1e3"),
    head("Content-Length: 0x10"),
    head("Content-Length: 1, 2"),
    head("Content-Length: 1", "Content-Length: 2"),
    head("Content-Length: 1001"),
    head("Content-Length: 1", "Transfer-Encoding: chunked"),
    head("Content-Length: 1", "Content-Encoding: gzip"),
    head("Content-Length: 1", "no header at all"),
    head("Content-Length: 1", " folded: 2"),
    "x".repeat(MAX_HEAD_BYTES),
  ];
  for (const text of bad) assert.throws(() => parse(text), MalformedAnswerError, JSON.stringify(text.slice(0, 80)));
});

test("no bytes make it do anything else than wait, refuse, or tell a length within the bound", () => {
  const pieces = fc.constantFrom(
    "HTTP/1.1 ",
    "200",
    " OK",
    "\r\n",
    "\r\n\r\n",
    "Content-Length: ",
    "12",
    ":",
    " ",
    "\n",
  );
  const garbage = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }).map((all) => all.join(""));
  fc.assert(
    fc.property(garbage, (text) => {
      try {
        const parsed = parse(text);
        if (parsed === undefined) return;
        assert.ok(parsed.bodyBytes >= 0 && parsed.bodyBytes <= 1000 && parsed.headBytes <= text.length);
      } catch (error) {
        assert.ok(error instanceof MalformedAnswerError);
      }
    }),
  );
});
