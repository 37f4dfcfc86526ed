import { createServer } from "node:net";

/** The first port of the devnet, unless it is told another: that of network `localhost`. */
export const FIRST_PORT = 8545;

/** Ports that the devnet may use, from its first one on. */
export const PORTS = 30;

/** Ports of a node. */
export interface NodePorts {
  /** `/health` and `/metrics`. */
  readonly service: number;
  /** libp2p. */
  readonly peers: number;
  /** Checkpoints over HTTP: the port above that of libp2p. */
  readonly checkpoints: number;
  /** The door for web pages, of a node that has one. */
  readonly door: number;
}

/** Which port is whose. */
export interface PortPlan {
  readonly chain: number;
  /** The devnet's own: the list of services, and orders. */
  readonly control: number;
  /** The web application. */
  readonly web: number;
  /** The keeper's `/health`. */
  readonly keeper: number;
  /** Where the keeper collects reports. */
  readonly reports: number;
  /** History over HTTP. */
  readonly history: number;
  /** The indexer's `/health`. */
  readonly indexer: number;
  /** Where the sponsor takes operations. */
  readonly relay: number;
  /** The sponsor's `/health`. */
  readonly sponsor: number;
  /** The node with this place in the list, from 0. */
  readonly node: (place: number) => NodePorts;
}

/** Where nodes' ports begin, and how many each has. */
const NODES_FROM = 10;
const EACH_NODE = 4;

/** The ports of a devnet. Pure. @throws RangeError if they are no ports that everybody may listen on. */
export function portPlan(first: number): PortPlan {
  const last = 65_535 - PORTS + 1;
  if (!Number.isInteger(first) || first < 1024 || first > last) {
    throw new RangeError(
      `--ports ${String(first)} is no first port: it has to be a whole number from 1024 to ${String(last)}, as the devnet takes ${String(PORTS)} from it on.`,
    );
  }
  return {
    chain: first,
    control: first + 1,
    web: first + 2,
    keeper: first + 4,
    reports: first + 5,
    history: first + 6,
    indexer: first + 7,
    relay: first + 8,
    sponsor: first + 9,
    node: (place) => {
      const service = first + NODES_FROM + EACH_NODE * place;
      if (service + EACH_NODE > first + PORTS) throw new RangeError(`There are no ports for a node ${String(place)}.`);
      return { service, peers: service + 1, checkpoints: service + 2, door: service + 3 };
    },
  };
}

/** Whether nobody listens on a port of the loopback interface. */
export async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
