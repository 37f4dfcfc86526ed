/** What a request asks for. */
export interface Target {
  /** As it was sent: begins with a slash, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Why a request's target is refused. */
export interface TargetRefusal {
  readonly status: 400 | 414;
  readonly why: string;
}

/** Longest path with its query, bytes. */
const MAX_TARGET_BYTES = 2_048;

/**
 * Takes a request's target apart. Only what a page of ours can have is taken: a path in
 * visible ASCII, with whole percent-encodings of UTF-8 and without NUL. Pure; never throws; O(length).
 *
 * @param text - as it stands in the request line, from anybody
 */
export function parseTarget(text: string): Target | TargetRefusal {
  if (text.length > MAX_TARGET_BYTES) {
    return { status: 414, why: `the request target has more than ${MAX_TARGET_BYTES} bytes` };
  }
  if (!text.startsWith("/")) return { status: 400, why: "the request target has to be a path: this is no proxy" };
  if (!/^[\x21-\x7e]*$/.test(text) || /[\\#<>"^`{|}]/.test(text)) {
    return { status: 400, why: "the request target has characters that a URL must encode" };
  }
  try {
    if (decodeURIComponent(text).includes("\0")) return { status: 400, why: "the request target contains NUL" };
  } catch {
    return { status: 400, why: "the request target has an invalid percent-encoding" };
  }
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)) };
}
