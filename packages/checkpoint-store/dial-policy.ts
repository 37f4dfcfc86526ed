import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import type { LookupFunction } from "node:net";

import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";

/** Which addresses that others tell may be dialled: all, for a network on one machine, or only those of the Internet. */
export type Reach = "any" | "public";

const HOSTS = ["ip4", "ip6", "dns", "dns4", "dns6"];

/** IPv4 addresses that do not belong to the Internet (IANA's registry of special purposes). */
const SPECIAL = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8], // this host
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carriers' NAT
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, where clouds keep their metadata
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
] as const) {
  SPECIAL.addSubnet(network, prefix, "ipv4");
}

/** IPv6 unicast of the Internet, and what of it is not. All else (loopback, private, mapped, multicast…) is refused. */
const GLOBAL6 = new BlockList();
GLOBAL6.addSubnet("2000::", 3, "ipv6");
const SPECIAL6 = new BlockList();
SPECIAL6.addSubnet("2001::", 23, "ipv6"); // protocol assignments, Teredo among them: it carries IPv4 addresses
SPECIAL6.addSubnet("2002::", 16, "ipv6"); // 6to4: carries IPv4 addresses
SPECIAL6.addSubnet("3fff::", 20, "ipv6"); // documentation

/** Top-level names that mean this machine or network. */
const LOCAL_NAMES = [
  "localhost",
  "local",
  "internal",
  "lan",
  "home",
  "corp",
  "intranet",
  "private",
  "localdomain",
  "arpa",
];

/**
 * Whether an IP address belongs to the Internet: no loopback, private, link-local, multicast, unspecified or reserved one,
 * nor one of these within an IPv6 address. Pure.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !SPECIAL.check(address, "ipv4");
  // A zone (%eth0) belongs to link-local addresses alone.
  if (!isIPv6(address) || address.includes("%")) return false;
  return GLOBAL6.check(address, "ipv6") && !SPECIAL6.check(address, "ipv6");
}

/**
 * Whether a name may be looked up: a full domain name, and no number that resolvers read as an IPv4 address ("2130706433",
 * "0x7f.1", "127.1"). What it resolves to is checked apart. Pure.
 */
export function isPublicName(name: string): boolean {
  const labels = name.toLowerCase().replace(/\.$/, "").split(".");
  const top = labels.at(-1) ?? "";
  return (
    name.length <= 253 &&
    labels.length >= 2 &&
    labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label)) &&
    // Top-level names are letters, or begin with xn--.
    /^([a-z]+|xn--[a-z0-9-]+)$/.test(top) &&
    !LOCAL_NAMES.includes(top)
  );
}

/** Resolves names; `dns.lookup` with `all` fits. */
export type Resolve = (
  name: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Says which addresses may be dialled. Those that come from the chain or from peers are anybody's words: without this, a
 * stranger could have an agent call on the machines of its owner's network. Addresses from the own configuration are
 * trusted.
 */
export class DialPolicy {
  readonly reach: Reach;
  readonly #trusted: ReadonlySet<string>;
  readonly #resolve: Resolve;

  /**
   * @param trusted - multiaddrs from the own configuration
   * @param resolve - resolver of names
   */
  constructor(reach: Reach, trusted: readonly string[] = [], resolve: Resolve = lookup) {
    this.reach = reach;
    this.#resolve = resolve;
    this.#trusted = new Set(
      trusted.flatMap((text) => {
        try {
          const host = hostOf(multiaddr(text));
          return host === undefined ? [] : [host];
        } catch {
          return [];
        }
      }),
    );
  }

  /** Why a host, a name or an IP address without brackets, may not be dialled; undefined if it may. */
  refusal(host: string): string | undefined {
    if (this.reach === "any" || this.#trusted.has(host)) return undefined;
    if (isIP(host) !== 0 || host.includes(":")) {
      if (isPublicAddress(host)) return undefined;
      return `${host} is no address of the Internet (loopback, private, link-local, multicast or reserved)`;
    }
    if (isPublicName(host)) return undefined;
    return `${JSON.stringify(host.slice(0, 64))} is no public domain name`;
  }

  /** As {@link refusal}, of a multiaddr. */
  refusalOf(address: Multiaddr): string | undefined {
    const host = hostOf(address);
    return host === undefined ? "it does not begin with an IP address or a domain name" : this.refusal(host);
  }

  /**
   * A lookup for `net.connect`: a name that resolves to an address that may not be dialled is refused, at the moment of
   * connecting, so that no second answer of its name server can follow a good first one.
   */
  readonly lookup: LookupFunction = (name, options, callback) => {
    this.#resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      const open = this.reach === "any" || this.#trusted.has(name);
      const refused = open ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        const why = refused === undefined ? "nothing" : `${refused.address}, which is no address of the Internet`;
        callback(Object.assign(new Error(`${name} resolves to ${why}`), { code: "ENOTFOUND" }), []);
      } else if (options.all === true) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

/** The host that a multiaddr begins with; undefined if it begins otherwise. */
function hostOf(address: Multiaddr): string | undefined {
  const [host] = address.getComponents();
  return host !== undefined && HOSTS.includes(host.name) ? host.value : undefined;
}
