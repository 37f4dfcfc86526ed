import { type ReactNode, useMemo } from "react";
import { createConfig, injected, WagmiProvider } from "wagmi";

import { chainOf, transportOf } from "../chain/client.ts";
import type { Config } from "../config.ts";

/** Wallets for everything below: those that announce themselves (EIP-6963), and the injected one. */
export function WalletProvider({ config, children }: { config: Config; children: ReactNode }) {
  const wagmi = useMemo(() => {
    const chain = chainOf(config);
    return createConfig({ chains: [chain], connectors: [injected()], transports: { [chain.id]: transportOf(config) } });
  }, [config]);
  return <WagmiProvider config={wagmi}>{children}</WagmiProvider>;
}
