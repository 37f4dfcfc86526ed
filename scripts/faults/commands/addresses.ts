import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { configFindings as agentFindings } from "@verai/agent/check";
import { configFindings as keeperFindings } from "@verai/keepers/check";
import { keeperConfig } from "@verai/keepers/config";
import { takenFindings } from "@verai/process/check/ports";
import type { FaultCase } from "@verai/devnet/fault-case";
import { agentOf, keeperJson } from "./configs.ts";
import { requireFinding } from "./expect.ts";

const PEER = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const FORM = /a multiaddr such as \/ip4/;
const REACH = /others reach this machine/;

/** Announced addresses that nobody could dial, on a public chain. */
const ANNOUNCED = [
  ["a URL", "https://node.example.org:4001", /is a URL/, FORM, /write it in that form/],
  ["a bare host", "node.example.org", /is no multiaddr/, FORM, /write it/],
  ["a bare address with a port", "198.51.100.7:4001", /is no multiaddr/, FORM, /write it/],
  ["every interface", "/ip4/0.0.0.0/tcp/4001", /every interface/, REACH, /public address/],
  ["every IPv6 interface", "/ip6/::/tcp/4001", /every interface/, REACH, /public address/],
  ["port 0", "/dns4/node.example.org/tcp/0", /port 0/, /1 to 65535/, /forwarded/],
  ["loopback", "/ip4/127.0.0.1/tcp/4001", /loopback/, REACH, /public address/],
  ["a private address", "/ip4/192.168.1.4/tcp/4001", /private address/, REACH, /forward/],
  ["a private IPv6 address", "/ip6/fd00::4/tcp/4001", /private address/, REACH, /forward/],
  ["a private address in IPv6's clothes", "/ip6/::ffff:10.0.0.4/tcp/4001", /private address/, REACH, /forward/],
  ["an address behind a carrier's NAT", "/ip4/100.72.1.4/tcp/4001", /carrier's NAT/, REACH, /forward/],
  ["a link-local address", "/ip4/169.254.1.4/tcp/4001", /link-local/, REACH, /forward/],
  ["the guide's own example", "/ip4/203.0.113.7/tcp/4001", /documentation/, REACH, /public address/],
  ["localhost by name", "/dns4/localhost/tcp/4001", /this machine itself/, REACH, /public address/],
  [
    "a name of a cluster's inside",
    "/dns4/agent-0.drmp.svc.cluster.local/tcp/4001",
    /private network knows/,
    REACH,
    /public/,
  ],
  ["UDP", "/ip4/8.8.8.8/udp/4001/quic-v1", /only TCP/, FORM, /write it/],
  ["WebSockets", "/ip4/8.8.8.8/tcp/4001/ws", /\/ws, which is not spoken/, FORM, /write it/],
] as const;

const announced: readonly FaultCase[] = ANNOUNCED.map(([name, address, what, bound, remedy]) => ({
  name: `announcing ${name}`,
  run: async () => {
    const value = new RegExp(`^${address.replaceAll(/[.:/]/g, (one) => `\\${one}`)}$`);
    const agent = agentOf({ store: { listen: ["/ip4/0.0.0.0/tcp/4001"], announce: [address] } });
    requireFinding(agentFindings(agent, {}), { entry: "store.announce", value, what, bound, remedy });
    const keeper = keeperConfig.parse(keeperJson({ reports: { announce: [address] } }));
    requireFinding(keeperFindings(keeper), { entry: "reports.announce", value, what, bound, remedy });
    return Promise.resolve();
  },
}));

/** Keepers' addresses that reports could not be sent to. */
const KEEPERS = [
  ["without its peer", "/ip4/8.8.8.8/tcp/4003", /names no peer/],
  ["as a URL", "http://8.8.8.8:4003", /is a URL/],
  ["with every interface as its host", `/ip4/0.0.0.0/tcp/4003/p2p/${PEER}`, /every interface/],
  ["with a damaged peer id", `/ip4/8.8.8.8/tcp/4003/p2p/${PEER.slice(0, 20)}`, /is no multiaddr|peer that is none/],
  ["for HTTP", `/ip4/8.8.8.8/tcp/4003/http/p2p/${PEER}`, /for HTTP/],
] as const;

const keepers: readonly FaultCase[] = KEEPERS.map(([name, address, what]) => ({
  name: `a keeper named ${name}`,
  run: async () => {
    const findings = agentFindings(agentOf({ telemetry: { keepers: [address] } }), {});
    const said = { value: /./, what, bound: /with its peer/, remedy: /./ };
    requireFinding(findings, { entry: "telemetry.keepers", ...said });
    return Promise.resolve();
  },
}));

const others: readonly FaultCase[] = [
  {
    name: "listening on loopback alone, with nothing announced",
    run: async () => {
      const findings = agentFindings(agentOf({ store: { listen: ["/ip4/127.0.0.1/tcp/4001"] } }), {});
      requireFinding(findings, {
        entry: "store.listen",
        value: /127/,
        what: /this machine alone/,
        bound: /peers reach/,
        remedy: /announce/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "listening on a name",
    run: async () => {
      const findings = agentFindings(agentOf({ store: { listen: ["/dns4/node.example.org/tcp/4001"] } }), {});
      requireFinding(findings, {
        entry: "store.listen",
        value: /example/,
        what: /is a name/,
        bound: /interface/,
        remedy: /IP address/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "an HTTP address that is none",
    run: async () => {
      const store = { listen: ["/ip4/0.0.0.0/tcp/4001"], http: { listen: "/ip4/0.0.0.0/tcp/4002" } };
      const findings = agentFindings(agentOf({ store }), {});
      requireFinding(findings, {
        entry: "store.http.listen",
        value: /4002/,
        what: /no address for HTTP/,
        bound: /\/http$/,
        remedy: /append/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "the health port on the port for checkpoints",
    run: async () => {
      const findings = agentFindings(
        agentOf({ store: { listen: ["/ip4/0.0.0.0/tcp/9463"] }, service: { port: 9464 } }),
        {},
      );
      requireFinding(findings, {
        entry: "service.port",
        value: /9464/,
        what: /port of store\.http/,
        bound: /its own/,
        remedy: /choose another/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "a keeper's health port on the port for reports",
    run: async () => {
      const config = keeperConfig.parse(
        keeperJson({ reports: { listen: ["/ip4/0.0.0.0/tcp/4003"] }, service: { port: 4003 } }),
      );
      requireFinding(keeperFindings(config), {
        entry: "service.port",
        value: /4003/,
        what: /port of reports\.listen/,
        bound: /its own/,
        remedy: /choose another/,
      });
      return Promise.resolve();
    },
  },
  {
    name: "a port that another process listens on",
    run: async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const { port } = server.address() as AddressInfo;
        const findings = await takenFindings([{ entry: "service.port", host: "127.0.0.1", port }]);
        requireFinding(findings, {
          entry: "service.port",
          value: new RegExp(`:${String(port)}$`),
          what: /taken/,
          bound: /free port/,
          remedy: /stop that process/,
        });
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    },
  },
  {
    name: "listening on an address of another machine",
    run: async () => {
      const findings = await takenFindings([{ entry: "store.listen", host: "203.0.113.9", port: 0 }]);
      requireFinding(findings, {
        entry: "store.listen",
        value: /203/,
        what: /no address of this machine/,
        bound: /interfaces/,
        remedy: /0\.0\.0\.0/,
      });
    },
  },
];

/** Addresses and ports that `check` has to refuse. */
export const addressCases: readonly FaultCase[] = [...announced, ...keepers, ...others];
