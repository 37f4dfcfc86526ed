/**
 * A wallet as a browser's extension injects it (EIP-1193), announced by EIP-6963: a script to be run before the page's own. It signs with an
 * account of a simulated chain, whose node holds the key. `window.testWallet` changes how it behaves: `reject` refuses the next
 * requests as a user does, `chainId` is the chain that it is on.
 */
export function injectedWallet(rpcUrl: string, account: string, chainId: number): string {
  return `(() => {
  const listeners = {};
  const state = (window.testWallet = { reject: false, chainId: ${String(chainId)}, connected: localStorage.testWallet === "1", sent: [] });
  const emit = (event, value) => (listeners[event] ?? []).forEach((each) => each(value));
  const hex = () => "0x" + state.chainId.toString(16);
  const ask = async (method, params) => {
    const response = await fetch(${JSON.stringify(rpcUrl)}, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
    const { result, error } = await response.json();
    if (error) throw Object.assign(new Error(error.message), error);
    return result;
  };
  const provider = {
    on(event, listener) { (listeners[event] ??= []).push(listener); return provider; },
    removeListener(event, listener) { listeners[event] = (listeners[event] ?? []).filter((each) => each !== listener); return provider; },
    async request({ method, params = [] }) {
      switch (method) {
        case "eth_requestAccounts": state.connected = true; localStorage.testWallet = "1"; return [${JSON.stringify(account)}];
        case "eth_accounts": return state.connected ? [${JSON.stringify(account)}] : [];
        case "eth_chainId": return hex();
        case "wallet_requestPermissions": state.connected = true; return [{ parentCapability: "eth_accounts" }];
        case "wallet_revokePermissions": state.connected = false; delete localStorage.testWallet; return null;
        case "wallet_switchEthereumChain": state.chainId = Number(params[0].chainId); emit("chainChanged", hex()); return null;
        case "eth_sendTransaction": {
          if (state.reject) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
          const { gas: _, ...rest } = params[0];
          const hash = await ask(method, [{ ...rest, from: ${JSON.stringify(account)} }]);
          state.sent.push(hash);
          return hash;
        }
        default: return ask(method, params);
      }
    },
  };
  window.ethereum = provider;
  const info = { uuid: "00000000-0000-4000-8000-000000000001", name: "Test Wallet", rdns: "test.wallet",
    icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>' };
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})()`;
}
