import type { PeerId } from "@libp2p/interface";

import type { NetworkNode } from "./network.ts";

/** Peers that are asked at a time: more would measure one another. */
const PARALLEL = 8;

/**
 * Round-trip times to connected peers, by libp2p's ping: a packet of 32 bytes there and back on a stream of its own.
 *
 * @param timeout - ms for each; who does not answer by then is left out
 * @returns milliseconds by peer id
 */
export async function roundTrips(
  node: NetworkNode,
  peers: readonly PeerId[],
  timeout: number,
): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const left = [...peers];
  const workers = Array.from({ length: Math.min(PARALLEL, left.length) }, async () => {
    for (let peer = left.pop(); peer !== undefined; peer = left.pop()) {
      try {
        const ms = await node.libp2p.services.ping.ping(peer, { signal: AbortSignal.timeout(timeout) });
        times.set(peer.toString(), ms);
      } catch {
        // not there, too slow, or full of other pings
      }
    }
  });
  await Promise.all(workers);
  return times;
}
