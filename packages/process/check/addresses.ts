import { BlockList, isIP } from "node:net";

import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";

import type { Finding } from "./finding.ts";

/** A TCP address of a peer, read from a multiaddr. */
export interface PeerAddress {
  readonly kind: "ip4" | "ip6" | "dns" | "dns4" | "dns6";
  readonly host: string;
  readonly port: number;
  /** Whether checkpoints are served there over HTTP. */
  readonly http: boolean;
  /** The peer's identity, if the address names it. */
  readonly peerId?: string;
}

const KINDS = ["ip4", "ip6", "dns", "dns4", "dns6"] as const;
const FORM = "a multiaddr such as /ip4/198.51.100.7/tcp/4001 or /dns4/node.example.org/tcp/4001";

/** Networks that nobody on the Internet can reach, by why. IANA's special-purpose registries. */
const UNREACHABLE = [
  ["a loopback address, which only this machine reaches", ["127.0.0.0/8", "::1/128"]],
  [
    "a private address, which only its own network reaches",
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
  ],
  ["an address behind a carrier's NAT", ["100.64.0.0/10"]],
  ["a link-local address, which only its own network reaches", ["169.254.0.0/16", "fe80::/10"]],
  [
    "an address for documentation, which belongs to nobody",
    ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"],
  ],
  ["a multicast or reserved address", ["224.0.0.0/3", "ff00::/8", "198.18.0.0/15", "0.0.0.0/8"]],
] as const;

const LISTS = UNREACHABLE.map(([why, networks]) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits = "0"] = network.split("/");
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return { why, list };
});

/** Why nobody on the Internet can reach a host; undefined if somebody may. Names are not resolved. Pure. */
export function unreachable(host: string): string | undefined {
  const family = isIP(host);
  if (family === 0) {
    if (/^localhost$|\.localhost$/i.test(host)) return "a name of this machine itself";
    if (/\.(local|internal|lan|home|localdomain|home\.arpa|test|invalid|example)$/i.test(host))
      return "a name that only a private network knows";
    return host.includes(".") ? undefined : "a bare name, which only its own network knows";
  }
  // An IPv4 address in IPv6's clothes is judged as what it is.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped !== undefined) return unreachable(mapped);
  return LISTS.find(({ list }) => list.check(host, family === 6 ? "ipv6" : "ipv4"))?.why;
}

/** Whether an address means "every interface". */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || /^(0{0,4}:){2,7}0{0,4}$/.test(host);
}

/**
 * Reads a multiaddr over TCP: `/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>`, then `/http` and `/p2p/<peer>` if they are given.
 *
 * @returns The address, or in words why it is none. Pure.
 */
export function readPeerAddress(text: string): PeerAddress | string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return "is a URL, and peers are dialled by multiaddr";
  if (!text.startsWith("/")) return "is no multiaddr, which begins with /ip4, /ip6 or /dns";
  let parts: { name: string; value?: string | undefined }[];
  try {
    parts = multiaddr(text).getComponents();
  } catch (error) {
    return `is no multiaddr (${error instanceof Error ? error.message : String(error)})`;
  }
  const [host, tcp, ...rest] = parts;
  const kind = KINDS.find((one) => one === host?.name);
  if (kind === undefined || host?.value === undefined) return `begins with /${host?.name ?? ""} instead of a host`;
  if (tcp?.name !== "tcp") return `uses ${tcp === undefined ? "no port" : `/${tcp.name}`}, and only TCP is spoken`;
  const http = rest[0]?.name === "http";
  const [peer, ...more] = http ? rest.slice(1) : rest;
  if ((peer !== undefined && peer.name !== "p2p") || more.length > 0) {
    return `has /${(peer?.name === "p2p" ? more[0]?.name : peer?.name) ?? ""}, which is not spoken`;
  }
  if (peer?.value !== undefined && !isPeerId(peer.value)) return "names a peer that is none";
  const port = Number(tcp.value);
  return { kind, host: host.value, port, http, ...(peer?.value !== undefined && { peerId: peer.value }) };
}

function isPeerId(text: string): boolean {
  try {
    return peerIdFromString(text).toString() === text;
  } catch {
    return false;
  }
}

/** Where an address is used. */
export interface AddressUse {
  /** Entry of the configuration. */
  readonly entry: string;
  readonly addresses: readonly string[];
  /** Whether strangers have to reach it over the Internet: on every chain but a local one. */
  readonly onInternet: boolean;
}

/** What is wrong with addresses to listen on. Pure; whether they are this machine's own and free is for the ports' check. */
export function listenFindings({ entry, addresses }: Omit<AddressUse, "onInternet">): Finding[] {
  const findings = addresses.flatMap((text): Finding[] => {
    const read = readPeerAddress(text);
    const bound = "a multiaddr of an interface of this machine, such as /ip4/0.0.0.0/tcp/4001";
    if (typeof read === "string") return [wrong(entry, text, read, bound, "write it in that form")];
    if (read.kind !== "ip4" && read.kind !== "ip6") {
      return [wrong(entry, text, "is a name, and a process listens on addresses", bound, "write the IP address")];
    }
    if (read.peerId !== undefined) return [wrong(entry, text, "names a peer", bound, "leave /p2p/… out")];
    return [];
  });
  if (addresses.length > 0) return findings;
  return [
    wrong(
      entry,
      "[]",
      "names no address, so that nobody can connect",
      "at least one multiaddr",
      "name one, or leave the entry out",
    ),
  ];
}

/** What is wrong with addresses that others are told. Pure. O(addresses²). */
export function announceFindings({ entry, addresses, onInternet }: AddressUse): Finding[] {
  return addresses.flatMap((text, i): Finding[] => {
    const read = readPeerAddress(text);
    if (typeof read === "string") return [wrong(entry, text, read, FORM, "write it in that form")];
    const reach = "an address at which others reach this machine";
    if (isUnspecified(read.host)) {
      return [
        wrong(
          entry,
          text,
          "means every interface of this machine, which nobody can dial",
          reach,
          "announce the public address of this machine",
        ),
      ];
    }
    if (read.port === 0)
      return [
        wrong(
          entry,
          text,
          "has port 0, which nobody can dial",
          "a port from 1 to 65535",
          "name the port that is forwarded to this machine",
        ),
      ];
    const why = onInternet ? unreachable(read.host) : undefined;
    if (why !== undefined) {
      return [
        wrong(
          entry,
          text,
          `is ${why}`,
          `${reach} over the Internet`,
          "announce the public address, and forward its port",
        ),
      ];
    }
    if (addresses.indexOf(text) < i)
      return [{ ...wrong(entry, text, "is announced twice", "announced once", "remove one"), level: "warning" }];
    return [];
  });
}

/**
 * What is wrong with listening only where strangers cannot come, while nothing else is announced. Pure.
 *
 * @param announced The addresses that others are told; empty: those listened on.
 */
export function reachFindings(use: AddressUse, announced: readonly string[]): Finding[] {
  if (!use.onInternet || announced.length > 0) return [];
  const hosts = use.addresses.map(readPeerAddress).filter((one) => typeof one !== "string");
  const loopback = hosts.filter(({ host }) => /^127\.|^::1$/.test(host));
  if (hosts.length === 0 || loopback.length < hosts.length) return [];
  return [
    wrong(
      use.entry,
      use.addresses.join(", "),
      "is reached by this machine alone, and nothing else is announced",
      "an address that peers reach",
      "listen on /ip4/0.0.0.0/tcp/…, and name the public address in announce",
    ),
  ];
}

/** What is wrong with the addresses of keepers that reports are sent to; several of one keeper by commas. Pure. */
export function keeperFindings(entry: string, keepers: readonly string[]): Finding[] {
  const bound = "the keeper's address with its peer, such as /ip4/198.51.100.7/tcp/4003/p2p/12D3KooW…";
  return keepers.flatMap((keeper) =>
    keeper.split(",").flatMap((text): Finding[] => {
      const read = readPeerAddress(text.trim());
      if (typeof read === "string")
        return [wrong(entry, text, read, bound, 'copy it from the keeper\'s log line "taking reports"')];
      if (read.http)
        return [wrong(entry, text, "is an address for HTTP, and reports go over libp2p", bound, "leave /http out")];
      if (isUnspecified(read.host))
        return [
          wrong(
            entry,
            text,
            "means every interface of the keeper, which nobody can dial",
            bound,
            "name the keeper's public address",
          ),
        ];
      if (read.port === 0)
        return [wrong(entry, text, "has port 0, which nobody can dial", bound, "name the keeper's port")];
      if (read.peerId === undefined)
        return [
          wrong(
            entry,
            text,
            "names no peer, so that nobody knows whether it is the keeper that answers",
            bound,
            'append /p2p/<peer id> from the keeper\'s log line "taking reports"',
          ),
        ];
      return [];
    }),
  );
}

function wrong(entry: string, value: string, what: string, bound: string, remedy: string): Finding {
  return { level: "error", entry, value, what, bound, remedy };
}
