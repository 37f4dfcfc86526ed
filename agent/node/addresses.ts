import { multiaddr } from "@multiformats/multiaddr";

/**
 * Where blocks are served over HTTP: beside libp2p's first TCP address, one port above it; on any free port where libp2p
 * takes any.
 *
 * @param listen Multiaddrs that libp2p listens on.
 * @throws Error if none of them is a TCP address.
 */
export function httpBeside(listen: readonly string[]): string {
  for (const text of listen) {
    const [host, tcp] = multiaddr(text).getComponents();
    if (host?.value === undefined || tcp?.name !== "tcp" || tcp.value === undefined) continue;
    const port = Number(tcp.value);
    return `/${host.name}/${host.value}/tcp/${String(port === 0 ? 0 : port + 1)}/http`;
  }
  throw new Error(`None of the addresses to listen on (${listen.join(", ")}) is a TCP one: name /ip4/0.0.0.0/tcp/4001`);
}
