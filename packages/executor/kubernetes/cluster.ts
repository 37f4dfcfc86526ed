import * as http from "node:http";
import * as https from "node:https";

import {
  ApiException,
  AuthorizationV1Api,
  BatchV1Api,
  type ConfigurationOptions,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type ObservableMiddleware,
  PatchStrategy,
  setHeaderOptions,
  type V1Job,
  type V1Node,
  type V1Pod,
} from "@kubernetes/client-node";

import type { LogSource } from "../container/log-copy.ts";
import { linesOf } from "../container/stream.ts";
import { settles, withDeadline } from "../time-outs.ts";
import { quantity } from "./capacity.ts";
import { NAMES } from "./job.ts";

/** Longest wait for an answer of the API server, milliseconds. */
const CALL_MS = 15_000;
/** The same for lists of all that a cluster has. */
const LIST_MS = 60_000;
/** Bytes of an error's body that are read. */
const ERROR_BYTES = 4096;

type Options = ConfigurationOptions<ObservableMiddleware>;

/** Something that a role lets one do, or not. */
export interface Permission {
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  /** In all namespaces. */
  readonly everywhere?: boolean;
}

/**
 * The few calls to a cluster's API server that the executor makes. Each ends in time, whatever the server does; followed
 * logs are bounded by their silence (see {@link LogSource}).
 */
export class Cluster {
  readonly #config: KubeConfig;
  readonly #namespace: string;
  readonly #callMs: number;
  readonly #batch: BatchV1Api;
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;
  readonly #authorization: AuthorizationV1Api;

  /** @param callMs Longest wait for an answer, milliseconds. */
  constructor(config: KubeConfig, namespace: string, callMs = CALL_MS) {
    this.#config = config;
    this.#namespace = namespace;
    this.#callMs = callMs;
    this.#batch = config.makeApiClient(BatchV1Api);
    this.#core = config.makeApiClient(CoreV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
    this.#authorization = config.makeApiClient(AuthorizationV1Api);
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
      await this.#call("to make a Job", (options) =>
        this.#batch.createNamespacedJob({ namespace: this.#namespace, body }, options),
      );
    } catch (error) {
      if (codeOf(error) !== 409) throw error;
    }
  }

  async job(name: string): Promise<V1Job | undefined> {
    try {
      return await this.#call(`for the Job ${name}`, (options) =>
        this.#batch.readNamespacedJob({ namespace: this.#namespace, name }, options),
      );
    } catch (error) {
      if (codeOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** This agent's Jobs. */
  async jobs(owner: string): Promise<V1Job[]> {
    const labelSelector = `${NAMES.owner}=${owner}`;
    const list = await this.#call("for its Jobs", (options) =>
      this.#batch.listNamespacedJob({ namespace: this.#namespace, labelSelector }, options),
    );
    return itemsOf(list, "Jobs");
  }

  /** Deletes a Job and its pods. */
  async deleteJob(name: string): Promise<void> {
    await this.#call(`to delete the Job ${name}`, (options) =>
      this.#batch.deleteNamespacedJob({ namespace: this.#namespace, name, propagationPolicy: "Background" }, options),
    ).catch(unlessGone);
  }

  /** This agent's pods. */
  async pods(owner: string): Promise<V1Pod[]> {
    const labelSelector = `${NAMES.owner}=${owner}`;
    const list = await this.#call("for its pods", (options) =>
      this.#core.listNamespacedPod({ namespace: this.#namespace, labelSelector }, options),
    );
    return itemsOf(list, "pods");
  }

  async patchPod(name: string, body: object): Promise<void> {
    await this.#call(`to change the pod ${name}`, (options) =>
      this.#core.patchNamespacedPod(
        { namespace: this.#namespace, name, body },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch, options),
      ),
    ).catch(unlessGone);
  }

  /** SIGTERM now, SIGKILL after the grace, seconds. */
  async deletePod(name: string, gracePeriodSeconds: number): Promise<void> {
    await this.#call(`to delete the pod ${name}`, (options) =>
      this.#core.deleteNamespacedPod({ namespace: this.#namespace, name, gracePeriodSeconds }, options),
    ).catch(unlessGone);
  }

  /** A pod's log, with a time to each line. */
  openLog(pod: string): LogSource {
    return {
      open: async (sinceSeconds, signal, last) => linesOf(await this.#followLog(pod, sinceSeconds, signal), last),
      isGone: (error) => codeOf(error) === 404,
    };
  }

  /** Machines, and all pods on them. */
  async whatRuns(): Promise<{ nodes: V1Node[]; pods: V1Pod[] }> {
    const [nodes, pods] = await Promise.all([
      this.#call("for its machines", (options) => this.#core.listNode({}, options), LIST_MS),
      this.#call("for all pods", (options) => this.#core.listPodForAllNamespaces({}, options), LIST_MS),
    ]);
    return { nodes: itemsOf(nodes, "machines"), pods: itemsOf(pods, "pods") };
  }

  /** CPUs that this agent's pods are using now, by name. @throws `ApiException` 404 where the cluster has no metrics server. */
  async cpusInUse(owner: string): Promise<Map<string, number>> {
    const list = (await this.#call("for what its pods use", (options) =>
      this.#custom.listNamespacedCustomObject(
        {
          group: "metrics.k8s.io",
          version: "v1beta1",
          namespace: this.#namespace,
          plural: "pods",
          labelSelector: `${NAMES.owner}=${owner}`,
        },
        options,
      ),
    )) as { items?: { metadata: { name: string }; containers: { usage: { cpu: string } }[] }[] };
    return new Map(
      (list.items ?? []).map(({ metadata, containers }) => [
        metadata.name,
        containers.reduce((sum, { usage }) => sum + quantity(usage.cpu), 0),
      ]),
    );
  }

  /** Whether the agent's role lets it do something. */
  async may({ group = "", resource, subresource, verb, everywhere }: Permission): Promise<boolean> {
    const namespace = everywhere === true ? {} : { namespace: this.#namespace };
    const attributes = { group, resource, verb, ...namespace, ...(subresource === undefined ? {} : { subresource }) };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: attributes },
    };
    const review = await this.#call("what the agent may do", (options) =>
      this.#authorization.createSelfSubjectAccessReview({ body }, options),
    );
    return review.status?.allowed === true;
  }

  async #call<T>(what: string, call: (options: Options) => Promise<T>, ms = this.#callMs): Promise<T> {
    return withDeadline((signal) => call(abortable(signal)), ms, `The API server, asked ${what},`);
  }

  /** The client's own follower has no handler for a stream that breaks, and gives up one that is silent. */
  async #followLog(pod: string, sinceSeconds: number, signal: AbortSignal): Promise<http.IncomingMessage> {
    const server = this.#config.getCurrentCluster()?.server ?? "";
    const url = new URL(
      `${server.replace(/\/$/, "")}/api/v1/namespaces/${this.#namespace}/pods/${encodeURIComponent(pod)}/log`,
    );
    url.searchParams.set("container", NAMES.container);
    url.searchParams.set("follow", "true");
    url.searchParams.set("timestamps", "true");
    if (sinceSeconds >= 1) url.searchParams.set("sinceTime", new Date(Math.floor(sinceSeconds) * 1000).toISOString());
    const options: https.RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const request = (url.protocol === "https:" ? https : http).request(url, { ...options, signal });
    // For good: it may break at any time.
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("error", () => undefined);
      resolve(response);
    });
    request.end();
    const response = await withDeadline(
      () => promise,
      this.#callMs,
      `The API server, asked for the log of ${pod},`,
    ).catch((error: unknown) => {
      request.destroy();
      throw error;
    });
    const { statusCode = 0 } = response;
    if (statusCode === 200) return response;
    const body = await firstBytes(response);
    throw new ApiException(statusCode, `The log of ${pod} cannot be had`, body, {});
  }
}

/** HTTP status of the API server's answer; undefined if it did not answer. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 404) throw error;
}

/** A list that is none must not be taken for an empty one: units would be taken for gone. */
function itemsOf<T>({ items }: { items?: T[] }, what: string): T[] {
  if (!Array.isArray(items)) throw new Error(`The API server's answer has no list of ${what}`);
  return items;
}

/** Options by which a call ends with a signal. */
function abortable(signal: AbortSignal): Options {
  const options = setHeaderOptions("Accept", "application/json");
  const [header] = options.middleware ?? [];
  if (!header) return options;
  const pre: ObservableMiddleware["pre"] = (context) => {
    context.setSignal(signal);
    return header.pre(context);
  };
  return { ...options, middleware: [{ pre, post: (context) => header.post(context) }] };
}

async function firstBytes(response: http.IncomingMessage): Promise<string> {
  let text = "";
  const reading = (async () => {
    for await (const part of response) {
      text += String(part);
      if (text.length > ERROR_BYTES) return;
    }
  })();
  await settles(reading, 1000);
  response.destroy();
  return text.slice(0, ERROR_BYTES);
}
