/**
 * A wallet as a browser's extension injects it (EIP-1193), announced by EIP-6963: a script to be run before the page's own. It signs with an
 * account of a simulated chain, whose node holds the key. `window.testWallet` changes how it behaves: `reject` refuses the next
 * requests as a user does, `chainId` is the chain that it is on, `batches` says that it takes several calls as one (EIP-5792), and `replace`
 * sends another transaction in place of the last one.
 *
 * @param through A contract which is the wallet's account, and carries out what `account` tells it by `execute(address,bytes)`; left out: the
 * account itself is.
 */
export function injectedWallet(rpcUrl: string, account: string, chainId: number, through?: string): string {
  const shown = through ?? account;
  return `(() => {
  const listeners = {};
  const state = (window.testWallet = { reject: false, chainId: ${String(chainId)}, connected: localStorage.testWallet === "1", sent: [], batches: false, batched: 0,
    replace: () => state.last && ask("eth_sendTransaction", [{ ...state.last, to: state.last.from, data: "0x", value: "0x0",
      maxFeePerGas: "0x174876e800", maxPriorityFeePerGas: "0x174876e800" }]) });
  const emit = (event, value) => (listeners[event] ?? []).forEach((each) => each(value));
  const hex = () => "0x" + state.chainId.toString(16);
  const ask = async (method, params) => {
    const response = await fetch(${JSON.stringify(rpcUrl)}, { method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
    const { result, error } = await response.json();
    if (error) throw Object.assign(new Error(error.message), error);
    return result;
  };
  const batch = new Map();
  const word = (hex) => hex.replace(/^0x/, "").padStart(64, "0");
  const executed = ({ to, data }) => {
    const bytes = data.slice(2);
    return { to: ${JSON.stringify(shown)}, data: "0x1cff79cd" + word(to) + word("40") + word((bytes.length / 2).toString(16)) +
      bytes.padEnd(Math.ceil(bytes.length / 64) * 64, "0") };
  };
  const send = async ({ gas: _, ...rest }) => {
    const request = { ...(${String(through !== undefined)} ? executed(rest) : rest), from: ${JSON.stringify(account)} };
    const nonce = await ask("eth_getTransactionCount", [request.from, "pending"]);
    const hash = await ask("eth_sendTransaction", [{ ...request, nonce }]);
    state.last = { ...request, nonce };
    state.sent.push(hash);
    return hash;
  };
  const provider = {
    on(event, listener) { (listeners[event] ??= []).push(listener); return provider; },
    removeListener(event, listener) { listeners[event] = (listeners[event] ?? []).filter((each) => each !== listener); return provider; },
    async request({ method, params = [] }) {
      switch (method) {
        case "eth_requestAccounts": state.connected = true; localStorage.testWallet = "1"; return [${JSON.stringify(shown)}];
        case "eth_accounts": return state.connected ? [${JSON.stringify(shown)}] : [];
        case "eth_chainId": return hex();
        case "wallet_requestPermissions": state.connected = true; return [{ parentCapability: "eth_accounts" }];
        case "wallet_revokePermissions": state.connected = false; delete localStorage.testWallet; return null;
        case "wallet_switchEthereumChain": state.chainId = Number(params[0].chainId); emit("chainChanged", hex()); return null;
        case "eth_sendTransaction": {
          if (state.reject) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
          return send(params[0]);
        }
        case "wallet_getCapabilities": return { [hex()]: { atomic: { status: state.batches ? "supported" : "unsupported" } } };
        case "wallet_sendCalls": {
          if (state.reject) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
          const hashes = [];
          for (const { to, data } of params[0].calls) {
            const hash = await send({ to, data });
            while (!(await ask("eth_getTransactionReceipt", [hash]))) await new Promise((resolve) => setTimeout(resolve, 200));
            hashes.push(hash);
          }
          state.batched += 1;
          batch.set("0x" + String(state.batched).padStart(64, "0"), hashes);
          return { id: "0x" + String(state.batched).padStart(64, "0") };
        }
        case "wallet_getCallsStatus": {
          const receipts = await Promise.all(batch.get(params[0]).map((hash) => ask("eth_getTransactionReceipt", [hash])));
          return { version: "2.0.0", id: params[0], chainId: hex(), atomic: true, status: 200, receipts };
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
