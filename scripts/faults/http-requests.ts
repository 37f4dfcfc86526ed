/** A request as bytes, and what a guarded port has to answer. */
export interface OddRequest {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  /** Status; 0 for a connection that is ended without an answer. */
  readonly status: number;
}

const HOST = "Host: x\r\n";
const get = (target: string, headers = HOST): string => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;

/** The first bytes of a TLS handshake. */
const TLS_HELLO = Buffer.concat([
  Buffer.from("16030100c8010000c40303", "hex"),
  Buffer.alloc(32, 7),
  Buffer.from("20", "hex"),
  Buffer.alloc(160, 9),
]);

/**
 * Requests that no page answers.
 *
 * @param path - one that exists
 */
export function oddRequests(path: string): OddRequest[] {
  const rows: [string, string | Uint8Array, number][] = [
    ["an absolute URL as the target, as to a proxy", get(`http://other.example${path}`), 400],
    ["an absolute URL that cannot be parsed", get("http://[::1"), 400],
    ["CONNECT, as to a proxy", `CONNECT 10.0.0.1:443 HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["OPTIONS *", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["OPTIONS of a page", `OPTIONS ${path} HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["POST with a body", `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 405],
    ["POST whose body never comes", `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n`, 405],
    [
      "PUT with an endless chunked body",
      `PUT ${path} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nffff\r\n`,
      405,
    ],
    ["TRACE", `TRACE ${path} HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["a method that does not exist", `BREW ${path} HTTP/1.1\r\n${HOST}\r\n`, 400],
    ["a method in small letters", `get ${path} HTTP/1.1\r\n${HOST}\r\n`, 400],
    ["GET * as the target", get("*"), 400],
    ["a percent sign without digits", get("/%zz"), 400],
    ["a percent-encoding that is cut off", get("/%4"), 400],
    ["percent-encoded bytes that are no UTF-8", get("/a?b=%ff%fe"), 400],
    ["a percent-encoded NUL", get("/a%00b"), 400],
    ["a NUL in the target", get("/a\0b"), 400],
    ["bytes above 127 in the target", Buffer.from(get("/a\xffb"), "latin1"), 400],
    ["a backslash in the path", get("/\\evil.example"), 400],
    ["a fragment in the target", get("/a#b"), 400],
    ["a target of 3 KiB", get(`/${"a".repeat(3_000)}`), 414],
    ["a request line of 100 KiB", get(`/${"a".repeat(100_000)}`), 431],
    ["a header of 16 KiB", get(path, `${HOST}X: ${"y".repeat(16_384)}\r\n`), 431],
    ["two thousand headers", get(path, HOST + "X: y\r\n".repeat(2_000)), 431],
    ["a NUL in a header", get(path, `${HOST}X: a\0b\r\n`), 400],
    ["a header without a colon", get(path, `${HOST}X\r\n`), 400],
    ["a space before a header's colon", get(path, `${HOST}X : y\r\n`), 400],
    ["no Host header", get(path, ""), 400],
    ["an HTTP/0.9 request", `GET ${path}\r\n`, 408],
    ["HTTP/3.7", `GET ${path} HTTP/3.7\r\n${HOST}\r\n`, 400],
    ["HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["a TLS hello", TLS_HELLO, 400],
    ["an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n", 400],
    ["NUL bytes", new Uint8Array(1_024), 400],
    ["a negative Content-Length", get(path, `${HOST}Content-Length: -1\r\n`), 400],
    ["two different Content-Lengths", get(path, `${HOST}Content-Length: 0\r\nContent-Length: 5\r\n`), 400],
    [
      "Content-Length beside Transfer-Encoding",
      get(path, `${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`),
      400,
    ],
    ["GET with a chunked body", `${get(path, `${HOST}Transfer-Encoding: chunked\r\n`)}1\r\na\r\n0\r\n\r\n`, 400],
    ["GET with a body", `${get(path, `${HOST}Content-Length: 5\r\n`)}hello`, 400],
    ["GET that announces a body of 10 TB", get(path, `${HOST}Content-Length: 9999999999999\r\n`), 413],
    ["Expect: 100-continue", `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n`, 405],
    ["an expectation that nobody meets", get(path, `${HOST}Expect: miracles\r\n`), 417],
    ["a page named after what every object has", get("/__proto__"), 404],
    ["a path out of the root", get("/../../etc/passwd"), 404],
    ["the same path, percent-encoded", get("/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), 404],
  ];
  return rows.map(([name, bytes, status]) => ({ name, bytes, status }));
}
