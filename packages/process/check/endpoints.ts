import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { MAX_BLOCKS_BEHIND, openProvider, proxyFor } from "@verai/client/provider";
import { failure, type Finding } from "./finding.ts";

/** An RPC endpoint of a configuration. */
export interface EndpointUse {
  readonly entry: string;
  readonly url: string;
}

/** How an endpoint was found. */
export interface EndpointState {
  readonly findings: readonly Finding[];
  /** Newest block, and its time in seconds; undefined if the endpoint cannot be used. */
  readonly block?: { readonly number: number; readonly timestamp: number };
}

/** Longest time that an endpoint gets for an answer, milliseconds. */
const TIMEOUT_MS = 10_000;
/** Largest difference between this machine's clock and the newest block, seconds. BASE makes a block every two. */
export const MAX_SKEW_SECONDS = 60;
/** What is wrong with an endpoint's address, before it is asked. Pure. */
function urlFindings({ entry, url }: EndpointUse): Finding[] {
  const shown = publicPart(url);
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: "" };
  if (protocol === "http:" || protocol === "https:") return [];
  return [
    {
      level: "error",
      entry,
      value: shown,
      what: `is asked over ${protocol === "" ? "nothing that is known" : protocol.slice(0, -1)}`,
      bound: "an http:// or https:// URL",
      remedy: "name the endpoint's address for HTTP",
    },
  ];
}

/** Asks one endpoint by itself for its chain and its newest block. */
export async function askEndpoint({ entry, url }: EndpointUse, chainId: number): Promise<EndpointState> {
  const wrong = urlFindings({ entry, url });
  if (wrong.length > 0) return { findings: wrong };
  try {
    const provider = await openProvider(url, { chainId, timeoutMs: TIMEOUT_MS, attempts: 2 });
    try {
      const block = await provider.getBlock("latest");
      if (!block) throw new Error("it has no block yet. Wait until it has synced, or name another");
      return { findings: [], block: { number: block.number, timestamp: block.timestamp } };
    } finally {
      provider.destroy();
    }
  } catch (error) {
    return {
      findings: [{ ...failure(entry, `an endpoint of chain ${String(chainId)}`, error), value: publicPart(url) }],
    };
  }
}

/**
 * What is wrong between the endpoints, and between them and this machine's clock. Pure.
 *
 * @param now This machine's time, seconds since 1970.
 * @param maxLag Blocks that an endpoint may be behind another.
 */
export function timeFindings(
  asked: readonly (EndpointUse & EndpointState)[],
  chainId: number,
  now: number,
  maxLag = MAX_BLOCKS_BEHIND,
): Finding[] {
  const seen = asked.flatMap(({ entry, url, block }) => (block ? [{ entry, url, block }] : []));
  const newest = Math.max(...seen.map(({ block }) => block.number));
  const findings: Finding[] = [];
  for (const { entry, url, block } of seen) {
    if (newest - block.number > maxLag) {
      findings.push({
        level: "error",
        entry,
        value: publicPart(url),
        what: `is ${String(newest - block.number)} blocks behind the others`,
        bound: `at most ${String(maxLag)} blocks behind`,
        remedy: "wait until it has caught up, or name another endpoint",
        retryable: true,
      });
    }
  }
  const best = seen.find(({ block }) => block.number === newest);
  const skew = best === undefined ? 0 : Math.round(best.block.timestamp - now);
  if (Math.abs(skew) > MAX_SKEW_SECONDS) {
    const when = new Date((best?.block.timestamp ?? 0) * 1000).toISOString();
    findings.push({
      // A local chain's clock goes by what its users set.
      level: chainId === LOCAL_CHAIN_ID ? "warning" : "error",
      entry: "clock",
      value: new Date(now * 1000).toISOString(),
      what: `this machine's clock is ${String(Math.abs(skew))} s ${skew > 0 ? "behind" : "ahead of"} the chain's newest block (${when})`,
      bound: `within ${String(MAX_SKEW_SECONDS)} s of it`,
      remedy:
        skew > 0 ? "set the clock (NTP)" : "set the clock (NTP); if it is right, the endpoint is stale: name another",
    });
  }
  return findings;
}

/** Endpoints that are named more than once, so that one failure takes them all. Pure. */
export function sameFindings(endpoints: readonly EndpointUse[]): Finding[] {
  return endpoints.flatMap(({ entry, url }, i) => {
    const other = endpoints.slice(0, i).find((one) => one.url === url);
    if (!other) return [];
    return [
      {
        level: "warning" as const,
        entry,
        value: publicPart(url),
        what: `is the same as ${other.entry}`,
        bound: "another endpoint",
        remedy: "name an endpoint of somebody else's, or leave it out",
      },
    ];
  });
}

/** What the environment's proxies mean for the endpoints. Pure. */
export function proxyFindings(
  endpoints: readonly EndpointUse[],
  env: Readonly<Record<string, string | undefined>>,
): Finding[] {
  const named = (names: readonly string[]) => names.find((name) => (env[name] ?? "") !== "");
  const finding = (name: string, what: string, remedy: string): Finding => ({
    level: "warning",
    entry: name,
    value: publicPart(env[name] ?? ""),
    what,
    bound: "a proxy that reaches the endpoints, or none",
    remedy,
  });
  const through = endpoints.find(({ url }) => URL.canParse(url) && proxyFor(new URL(url), env) !== undefined);
  if (through) {
    const { protocol, host } = new URL(through.url);
    const name = named(protocol === "https:" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"]);
    return [
      finding(
        name ?? "HTTPS_PROXY",
        "is the way to the RPC endpoints that NO_PROXY does not name; peers and remote signers are reached directly",
        `name ${host} in NO_PROXY to ask it directly`,
      ),
    ];
  }
  const all = named(["ALL_PROXY", "all_proxy"]);
  if (all === undefined || named(["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])) return [];
  return [finding(all, "is not used: RPC endpoints are asked directly", "set HTTPS_PROXY to ask them through it")];
}

/** Origin of a URL; its path and credentials often hold an access key. */
function publicPart(url: string): string {
  return URL.canParse(url)
    ? new URL(url).origin.replace(/^null$/, `${new URL(url).protocol}//${new URL(url).host}`)
    : "(not a URL)";
}
