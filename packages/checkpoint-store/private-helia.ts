import { registerHooks } from "node:module";

import type { withLibp2pLight } from "@helia/libp2p";
import type { createHeliaLight } from "helia";

/** What a private node is made with. */
interface PrivateHelia {
  readonly createHeliaLight: typeof createHeliaLight;
  readonly withLibp2pLight: typeof withLibp2pLight;
}

/** What Helia's entry points also load for public nodes, by specifier, and what each exports. */
const PUBLIC_ONLY: Readonly<Record<string, string>> = {
  // Gateways and delegated routing over HTTP.
  "@helia/http": "withHTTP",
  // DHT, WebRTC, UPnP, mDNS, relays, certificates by ACME, with an HTTP client and a native library.
  "./utils/libp2p-defaults.js": "libp2pDefaults",
};
/** Where they are imported from. */
const IMPORTERS = /\/node_modules\/(helia|@helia\/libp2p)\/dist\//;

/**
 * Helia and its libp2p, without what only a public node uses: half of all modules, 55 MB of memory and half a second of CPU at
 * each start, and code that nobody can reach is code that nobody can attack. What is left out fails when it is called.
 */
export async function loadPrivateHelia(): Promise<PrivateHelia> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const name = IMPORTERS.test(context.parentURL ?? "") ? PUBLIC_ONLY[specifier] : undefined;
      if (name === undefined) return next(specifier, context);
      const source = `export function ${name}() { throw new Error("${name}: this peer is a private one"); }`;
      return { url: `data:text/javascript,${encodeURIComponent(source)}`, format: "module", shortCircuit: true };
    },
  });
  try {
    const [helia, libp2p] = await Promise.all([import("helia"), import("@helia/libp2p")]);
    return { createHeliaLight: helia.createHeliaLight, withLibp2pLight: libp2p.withLibp2pLight };
  } finally {
    hooks.deregister();
  }
}
