import { FetchRequest, JsonRpcProvider, Network } from "ethers";

import { connect } from "@verai/client/deployment";
import { Reader } from "@verai/client/readers";
import type { Config } from "../config.ts";

/** Time for an answer of the endpoint, milliseconds. */
const TIMEOUT_MS = 15_000;

/** Opens the reader of a configuration's chain. */
export function openReader({ rpcUrl, chainId, network, deployment }: Config): Reader {
  const request = new FetchRequest(rpcUrl);
  request.timeout = TIMEOUT_MS;
  const named = new Network(network, chainId);
  const provider = new JsonRpcProvider(request, named, { staticNetwork: named, batchMaxCount: 20, cacheTimeout: -1 });
  return new Reader(connect({ chainId, file: "config.json", addresses: deployment }, provider));
}
