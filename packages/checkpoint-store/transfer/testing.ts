import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

import { CID } from "multiformats/cid";

import { blockName } from "../cids.ts";
import type { CheckpointStore } from "../store.ts";
import { atEnd, blockFiles } from "../testing.ts";

/** What a {@link Gateway} does with a request, whose answer it has at hand; `count` counts from 1. */
export type Behaviour = (response: ServerResponse, bytes: Buffer, count: number) => void;

/** A server of a store's blocks that need not behave. */
export interface Gateway {
  /** Multiaddr. */
  address: string;
  /** Names of the blocks asked for, in order. */
  asked: string[];
  /** Bytes of bodies given to sockets. */
  served: number;
  behave: Behaviour;
  /** Ends all connections and listens no more. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
}

/** Answers as it should. */
export const honest: Behaviour = (response, bytes) => {
  response.writeHead(200, { "content-length": bytes.byteLength });
  response.end(bytes);
};

/** Serves the blocks that the store's directory has. */
export async function startGateway(test: TestContext, store: CheckpointStore, behave = honest): Promise<Gateway> {
  const server = createServer((request, response) => {
    void (async () => {
      const name = blockName(CID.parse(/^\/ipfs\/(\w+)\?format=raw$/.exec(request.url ?? "")?.[1] ?? "")) ?? "";
      const file = (await blockFiles(store)).get(name);
      const count = gateway.asked.push(name);
      if (file === undefined) {
        response.writeHead(404, { "content-length": 0 }).end();
        return;
      }
      const bytes = await readFile(file);
      gateway.behave(response, bytes, count);
      response.once("finish", () => (gateway.served += bytes.byteLength));
    })();
  });
  const listen = async (port: number): Promise<void> => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const gateway: Gateway = {
    address: `/ip4/127.0.0.1/tcp/${port}/http`,
    asked: [],
    served: 0,
    behave,
    start: () => listen(port),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  atEnd(test, () => gateway.stop());
  return gateway;
}
