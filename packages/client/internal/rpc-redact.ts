/** Shortest part of an address that is taken for an access key where a stranger's text repeats it. */
const LEAST = 6;
/** What stands for a part that is not shown. */
const HIDDEN = "…";

/**
 * Scheme, host and port of an endpoint's address: what may be shown of it. Path, query and user info often hold an
 * access key; so does, with some providers, a label of the host's name.
 */
export function shownName(url: string): string {
  if (!URL.canParse(url)) return "(not a URL)";
  const { protocol, hostname, port } = new URL(url);
  const labels = hostname.split(".").map((label) => (isKeyLike(label) ? HIDDEN : label));
  return `${protocol}//${labels.join(".")}${port === "" ? "" : `:${port}`}`;
}

/**
 * Makes a function that takes an endpoint's secrets out of a text: every part of path and query, user name and password,
 * plain, as written in the address, and as a basic authorization's header; and every address but for its host.
 */
export function secretsOf(url: string): (text: string) => string {
  if (!URL.canParse(url)) return (text) => text.replaceAll(url === "" ? HIDDEN : url, HIDDEN);
  const { pathname, searchParams, username, password, hostname, search } = new URL(url);
  const user = [decoded(username), decoded(password)];
  const parts = [
    pathname,
    search,
    ...pathname.split("/"),
    ...[...searchParams].flat(),
    ...search.slice(1).split(/[&=]/),
    username,
    password,
    ...user,
    ...hostname.split(".").filter(isKeyLike),
    ...(username + password === "" ? [] : [Buffer.from(user.join(":")).toString("base64")]),
  ];
  const secrets = [...new Set(parts.flatMap((part) => [part, decoded(part)]))]
    .filter((part) => part.length >= LEAST)
    .sort((a, b) => b.length - a.length)
    .map((part) => new RegExp(part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi"));
  return (text) => {
    const hidden = secrets.reduce((left, secret) => left.replace(secret, HIDDEN), text);
    return hidden.replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, (found) => shownName(found.replace(HIDDEN, "")));
  };
}

function isKeyLike(label: string): boolean {
  return label.length >= 20 && /^[a-z0-9]+$/i.test(label) && (label.match(/\d/g)?.length ?? 0) >= 4;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
