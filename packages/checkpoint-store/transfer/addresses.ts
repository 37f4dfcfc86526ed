import { isIP } from "node:net";

import { multiaddr } from "@multiformats/multiaddr";

import { CheckpointError } from "../errors.ts";

/** Longest endpoint that a node can register, bytes. */
const MAX_ENDPOINT_BYTES = 256;

const HOSTS = ["ip4", "ip6", "dns", "dns4", "dns6"];

/** Where a peer serves blocks over HTTP. */
export interface HttpAddress {
  /** IP address or name, without brackets. */
  host: string;
  port: number;
  /** Multiaddrs of libp2p of the same node, if they are known. */
  owner?: readonly string[];
}

/**
 * Splits addresses as nodes register them, each node's addresses of libp2p before those of HTTP, so that an HTTP address is known
 * to belong to the addresses of libp2p right before it. What is no multiaddr is among `libp2p`.
 */
export function splitAddresses(addresses: readonly string[]): {
  libp2p: string[];
  http: { readonly text: string; readonly address: HttpAddress }[];
} {
  const libp2p: string[] = [];
  const http: { text: string; address: HttpAddress }[] = [];
  let owner: string[] = [];
  let wasHttp = false;
  for (const text of addresses) {
    const address = readHttpAddress(text);
    if (address === undefined) {
      const id = peerOf(text);
      // A node's addresses all name the same peer.
      if (wasHttp || owner.some((other) => peerOf(other) !== id)) owner = [];
      if (id !== undefined) owner = [...owner, text];
      libp2p.push(text);
      wasHttp = false;
      continue;
    }
    http.push({ text, address: { ...address, ...(owner.length > 0 && { owner }) } });
    wasHttp = true;
  }
  return { libp2p, http };
}

function peerOf(address: string): string | undefined {
  return /\/p2p\/([A-Za-z0-9]+)$/.exec(address)?.[1];
}

/**
 * Reads `/ip4/1.2.3.4/tcp/4002/http` (or ip6, dns, dns4, dns6; a peer id after it is passed over).
 *
 * @returns undefined if it is a multiaddr of another kind.
 * @throws TypeError or another error if it is none at all.
 */
export function parseHttpAddress(text: string): HttpAddress | undefined {
  const [host, tcp, http, ...rest] = multiaddr(text).getComponents();
  if (host === undefined || !HOSTS.includes(host.name) || tcp?.name !== "tcp" || http?.name !== "http")
    return undefined;
  if (rest.some(({ name }) => name !== "p2p")) return undefined;
  if (host.value === undefined || tcp.value === undefined) return undefined;
  return { host: host.value, port: Number(tcp.value) };
}

/** As {@link parseHttpAddress}, but undefined also for what is no multiaddr at all. */
function readHttpAddress(text: string): HttpAddress | undefined {
  try {
    return parseHttpAddress(text);
  } catch {
    return undefined;
  }
}

/**
 * Where to listen for HTTP: where it says, else at the port above that of libp2p's first TCP address.
 *
 * @throws {@link CheckpointError} `LISTEN_FAILED`
 */
export function listenAddress(wanted: string | undefined, libp2p: readonly string[]): HttpAddress {
  const [, kind = "", host = "", , tcp = "0"] = libp2p.find((each) => each.includes("/tcp/"))?.split("/") ?? [];
  const port = Number(tcp) === 0 ? 0 : Number(tcp) + 1;
  const text = wanted ?? (HOSTS.includes(kind) ? `/${kind}/${host}/tcp/${port}/http` : "/ip4/127.0.0.1/tcp/0/http");
  const address = readHttpAddress(text);
  if (address !== undefined) return address;
  throw new CheckpointError(
    "LISTEN_FAILED",
    `Cannot serve blocks on "${text}": give a multiaddr such as /ip4/0.0.0.0/tcp/4002/http`,
  );
}

/** The multiaddr of an address. */
export function formatHttpAddress({ host, port }: HttpAddress): string {
  const kind = { 4: "ip4", 6: "ip6" }[isIP(host)] ?? "dns";
  return `/${kind}/${host}/tcp/${port}/http`;
}

/**
 * HTTP addresses under the hosts that libp2p is reached by.
 *
 * @param multiaddrs - libp2p's
 */
export function besideLibp2p(multiaddrs: readonly string[], port: number): string[] {
  const hosts = multiaddrs.flatMap((text) => {
    const [host] = multiaddr(text).getComponents();
    return host?.value !== undefined && HOSTS.includes(host.name)
      ? [`/${host.name}/${host.value}/tcp/${port}/http`]
      : [];
  });
  return [...new Set(hosts)];
}

/**
 * The comma-separated addresses that fit into a node's endpoint: one for libp2p and one for HTTP at least, what is
 * reached from afar before what is not, loopback last.
 */
export function toEndpoint(addresses: readonly string[], maxBytes = MAX_ENDPOINT_BYTES): string {
  const isHttp = (address: string): boolean => address.endsWith("/http");
  const ranked = addresses.toSorted((a, b) => remoteness(a) - remoteness(b));
  const first = [ranked.find((each) => !isHttp(each)), ranked.find(isHttp)].filter((each) => each !== undefined);
  let chosen: string[] = [];
  for (const address of new Set([...first, ...ranked])) {
    if (Buffer.byteLength([...chosen, address].join(",")) <= maxBytes) chosen = [...chosen, address];
  }
  // in the order given, so that the same addresses always make the same text
  return addresses.filter((each) => chosen.includes(each)).join(",");
}

function remoteness(address: string): number {
  const [, kind = "", host = ""] = address.split("/");
  if (/^127\.|^::1$|^localhost$/.test(host)) return 3;
  if (kind === "ip4" && /^10\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(host)) return 2;
  if (kind === "ip6" && /^f[cde]/i.test(host)) return 2;
  return 1;
}
