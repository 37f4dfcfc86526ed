import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import type { ControlPlane } from "./control-plane.ts";

const [GROUP, VERSION] = ["external.metrics.k8s.io", "v1beta1"];

/**
 * Serves external metrics to a cluster, as an adapter of Prometheus' does: an extension of the API server, found by its service's
 * endpoints.
 */
export class MetricsAdapter {
  /** Values by name and selector, such as `drmp_wanted_units class=cpu-eu`. */
  readonly values = new Map<string, number>();
  readonly #server;

  constructor(plane: ControlPlane) {
    // Any certificate does: the extension is registered without a check of it.
    const read = (name: string) => readFileSync(join(plane.directory, "apiserver", name));
    this.#server = createServer({ cert: read("apiserver.crt"), key: read("apiserver.key") }, (request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const name = url.pathname.split("/").at(-1) ?? "";
      const value = this.values.get(`${name} ${url.searchParams.get("labelSelector") ?? ""}`);
      const apiVersion = `${GROUP}/${VERSION}`;
      const timestamp = new Date().toISOString();
      const body = url.pathname.includes("/namespaces/")
        ? {
            ...{ kind: "ExternalMetricValueList", apiVersion, metadata: {} },
            items: value === undefined ? [] : [{ metricName: name, metricLabels: {}, timestamp, value: String(value) }],
          }
        : { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersion, resources: [] };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  }

  /** Makes the cluster ask here. @param address By which the API server reaches this machine; not its loopback. */
  async start(plane: ControlPlane, address: string): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, resolve));
    const { port } = this.#server.address() as AddressInfo;
    const [namespace, name] = ["kube-system", "metrics-adapter"];
    const labels = { "kubernetes.io/service-name": name };
    const objects = [
      {
        ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace } },
        spec: { ports: [{ name: "https", port: 443, targetPort: port }] },
      },
      {
        ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
        metadata: { name, namespace, labels },
        ports: [{ name: "https", port, protocol: "TCP" }],
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
      },
      {
        ...{ apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: `${VERSION}.${GROUP}` } },
        spec: {
          ...{ group: GROUP, version: VERSION, groupPriorityMinimum: 100, versionPriority: 100 },
          ...{ service: { name, namespace }, insecureSkipTLSVerify: true },
        },
      },
    ];
    const file = join(plane.directory, "adapter.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await plane.kubectl("apply", "--server-side", "--filename", file);
    const service = `apiservice/${VERSION}.${GROUP}`;
    try {
      await plane.kubectl("wait", "--for=condition=available", "--timeout=120s", service);
    } catch (error) {
      throw new Error(`${String(error)}\n${await plane.kubectl("get", service, "--output", "json")}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
