import { Writable } from "node:stream";

import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  Log,
  PatchStrategy,
  setHeaderOptions,
  type V1Job,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";

import { quantity } from "./capacity.ts";
import { NAMES } from "./job.ts";

/** The few calls to a cluster's API server that the executor makes. */
export class Cluster {
  readonly #config: KubeConfig;
  readonly #namespace: string;
  readonly #batch: BatchV1Api;
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;

  constructor(config: KubeConfig, namespace: string) {
    this.#config = config;
    this.#namespace = namespace;
    this.#batch = config.makeApiClient(BatchV1Api);
    this.#core = config.makeApiClient(CoreV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
  }

  /** That of the pod that the agent runs in, or of a kubeconfig file. */
  static open(namespace: string, kubeconfig?: string): Cluster {
    const config = new KubeConfig();
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
    return new Cluster(config, namespace);
  }

  /** Creates a Job; one of that name that is there already is left as it is. */
  async createJob(body: V1Job): Promise<void> {
    try {
      await this.#batch.createNamespacedJob({ namespace: this.#namespace, body });
    } catch (error) {
      if (codeOf(error) !== 409) throw error;
    }
  }

  async job(name: string): Promise<V1Job | undefined> {
    try {
      return await this.#batch.readNamespacedJob({ namespace: this.#namespace, name });
    } catch (error) {
      if (codeOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** This agent's Jobs. */
  async jobs(owner: string): Promise<V1Job[]> {
    const labelSelector = `${NAMES.owner}=${owner}`;
    return (await this.#batch.listNamespacedJob({ namespace: this.#namespace, labelSelector })).items;
  }

  /** Deletes a Job and its pods. */
  async deleteJob(name: string): Promise<void> {
    await this.#batch
      .deleteNamespacedJob({ namespace: this.#namespace, name, propagationPolicy: "Background" })
      .catch(unlessGone);
  }

  /** This agent's pods. */
  async pods(owner: string): Promise<V1Pod[]> {
    const labelSelector = `${NAMES.owner}=${owner}`;
    return (await this.#core.listNamespacedPod({ namespace: this.#namespace, labelSelector })).items;
  }

  async patchPod(name: string, body: object): Promise<void> {
    await this.#core
      .patchNamespacedPod(
        { namespace: this.#namespace, name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      )
      .catch(unlessGone);
  }

  /** SIGTERM now, SIGKILL after the grace, seconds. */
  async deletePod(name: string, gracePeriodSeconds: number): Promise<void> {
    await this.#core.deleteNamespacedPod({ namespace: this.#namespace, name, gracePeriodSeconds }).catch(unlessGone);
  }

  /** Follows a pod's log to its end. @param onPart Waited for, so that a fast program is held back. */
  async followLog(pod: string, onPart: (part: Buffer) => Promise<void>): Promise<void> {
    const sink = new Writable({
      write: (part: Buffer, _encoding, done) => {
        onPart(part).then(() => done(), done);
      },
    });
    const ended = new Promise<void>((resolve) => sink.once("close", resolve).once("finish", resolve));
    await new Log(this.#config).log(this.#namespace, pod, NAMES.container, sink, { follow: true });
    await ended;
  }

  /** Machines, and all pods on them. */
  async whatRuns(): Promise<{ nodes: V1Node[]; pods: V1Pod[] }> {
    const [nodes, pods] = await Promise.all([this.#core.listNode(), this.#core.listPodForAllNamespaces()]);
    return { nodes: nodes.items, pods: pods.items };
  }

  /** CPUs that this agent's pods are using now, by name; empty where the cluster has no metrics server. */
  async cpusInUse(owner: string): Promise<Map<string, number>> {
    const list = (await this.#custom.listNamespacedCustomObject({
      group: "metrics.k8s.io",
      version: "v1beta1",
      namespace: this.#namespace,
      plural: "pods",
      labelSelector: `${NAMES.owner}=${owner}`,
    })) as { items?: { metadata: { name: string }; containers: { usage: { cpu: string } }[] }[] };
    return new Map(
      (list.items ?? []).map(({ metadata, containers }) => [
        metadata.name,
        containers.reduce((sum, { usage }) => sum + quantity(usage.cpu), 0),
      ]),
    );
  }
}

/** HTTP status of the API server's answer; undefined if it did not answer. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 404) throw error;
}
