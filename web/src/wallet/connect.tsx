import { useState } from "react";
import { useConnect, useConnection, useConnectors, useDisconnect, useSwitchChain } from "wagmi";

import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { Failure } from "../ui/failure.tsx";
import { foreign } from "../ui/format.ts";
import { Card } from "../ui/page.tsx";
import { usePasskey } from "./account.ts";
import { type ActionError, explained } from "./explain.ts";
import { FindPasskey } from "./passkey-card.tsx";
import { createPasskey, hostHasPasskeys, passkeysHere } from "./passkey.ts";

/** The wallets of this browser, each once: one that announces itself also is the injected one. */
function useWallets() {
  const connectors = useConnectors();
  const announced = connectors.filter(({ id }) => id !== "injected");
  return announced.length > 0 ? announced : connectors;
}

/** How somebody begins: a wallet of the browser, or a passkey. */
export function Connect() {
  const config = useConfig();
  const client = useChainClient();
  const wallets = useWallets();
  const { mutateAsync: connect } = useConnect();
  const [, setPasskey] = usePasskey();
  const [error, setError] = useState<ActionError>();
  const attempt = async (work: () => Promise<unknown>) => {
    setError(undefined);
    await work().catch(async (reason: unknown) => {
      setError(await explained(reason));
    });
  };
  return (
    <Card title="Connect">
      <p>Reading needs no account. To act on the network, use a wallet, or let this device make a passkey.</p>
      <div className="row">
        {wallets.map((connector) => (
          <button key={connector.uid} type="button" onClick={() => void attempt(() => connect({ connector }))}>
            {foreign(connector.name, 40)}
          </button>
        ))}
        {passkeysHere(config) && hostHasPasskeys() && (
          <button
            type="button"
            onClick={() =>
              void attempt(async () => {
                setPasskey(await createPasskey(config, client));
              })
            }
          >
            New passkey account
          </button>
        )}
      </div>
      {wallets.length === 0 && <p className="soft">No wallet is installed in this browser.</p>}
      {passkeysHere(config) && !hostHasPasskeys() && (
        <p className="soft">
          A passkey belongs to a host with a name: open this page as http://localhost or at its own domain to use one. A
          copy at a numeric address or on another gateway offers wallets only.
        </p>
      )}
      {passkeysHere(config) && hostHasPasskeys() && <FindPasskey />}
      {error && <Failure title="Not connected" error={error} />}
    </Card>
  );
}

/** Says that the wallet is on another chain, and switches it. */
export function WrongNetwork() {
  const { network, chainId } = useConfig();
  const connection = useConnection();
  const [passkey] = usePasskey();
  const { mutate, error } = useSwitchChain();
  if (passkey || connection.chainId === undefined || connection.chainId === chainId) return null;
  return (
    <div className="note warn" role="alert">
      <strong>Your wallet is on another network.</strong> It is on chain {connection.chainId}; this page is about{" "}
      {foreign(network, 40)}, chain {chainId}.
      <p>
        <button
          type="button"
          onClick={() => {
            mutate({ chainId });
          }}
        >
          Switch to {foreign(network, 40)}
        </button>
      </p>
      {error && <Failure title="Not switched" error={error} />}
    </div>
  );
}

/** Lets go of wallet and passkey; the device keeps the passkey. */
export function Leave() {
  const { mutate: disconnect } = useDisconnect();
  const [passkey, setPasskey] = usePasskey();
  return (
    <button
      type="button"
      onClick={() => {
        if (passkey) setPasskey(undefined);
        else disconnect();
      }}
    >
      Disconnect
    </button>
  );
}
