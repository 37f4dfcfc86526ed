import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";

import type { V1Job, V1Node, V1Pod } from "@kubernetes/client-node";

import { type Manifest, schemaProblemOf } from "./manifests.ts";

/** A pod whose program really runs: as a process of this machine, in the directories that it would have mounted. */
interface LivePod {
  readonly pod: V1Pod;
  readonly job: V1Job;
  readonly index: number;
  child?: ChildProcess;
  log: string;
  readonly followers: Set<ServerResponse>;
  ended: boolean;
  disrupted: boolean;
  counted: boolean;
}

/**
 * As much of an API server, with its Job controller and kubelets, as the executor uses, over HTTP: objects are checked by
 * their schemas; a Job makes a pod for each index; a pod with a gate waits; without, its program runs, with the variables
 * and the subpaths of its annotations; deleting sends SIGTERM and after the grace SIGKILL; exit codes fail or complete an
 * index; a pod that is evicted is made anew.
 */
export class TestCluster {
  readonly jobs = new Map<string, V1Job>();
  readonly pods = new Map<string, LivePod>();
  readonly nodes: V1Node[] = [];
  /** Calls, such as "POST jobs". */
  readonly calls: string[] = [];
  /** While set, nothing is answered but 503. */
  outage = false;
  #count = 0;
  readonly #volume: string;
  readonly #program: readonly string[];
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => reply(response, 500, status(500, String(error))));
  });

  /** @param volume Directory of the shared volume's root. @param program What runs, with the container's args. */
  constructor(volume: string, program: readonly string[]) {
    this.#volume = volume;
    this.#program = program;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.#server.unref();
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const live of this.pods.values()) live.child?.kill("SIGKILL");
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Takes a pod away, as a machine's drain does. */
  evict(name: string): void {
    const live = this.pods.get(name);
    if (!live) throw new Error(`no pod ${name}`);
    live.disrupted = true;
    this.#terminate(live, live.pod.spec?.terminationGracePeriodSeconds ?? 30);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.outage) return reply(response, 503, status(503, "outage"));
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, resource = "", name, sub] =
      /(?:namespaces\/drmp\/|v1\/)(jobs|pods|nodes)(?:\/([^/]+))?(?:\/(log))?$/.exec(url.pathname) ?? [];
    const { method = "GET" } = request;
    this.calls.push(`${method} ${sub ?? resource}`);
    const body = await bodyOf(request);
    const selector = url.searchParams.get("labelSelector");
    const selected = (labels: Record<string, string> | undefined) => {
      const [key = "", value] = (selector ?? "").split("=");
      return selector === null || labels?.[key] === value;
    };
    if (url.pathname.includes("metrics.k8s.io")) return reply(response, 404, status(404, "no metrics server"));
    if (resource === "nodes") return reply(response, 200, { kind: "NodeList", apiVersion: "v1", items: this.nodes });
    if (resource === "jobs" && method === "POST") return this.#create(body as V1Job, response);
    if (name === undefined) {
      const items =
        resource === "jobs"
          ? [...this.jobs.values()].filter(({ metadata }) => selected(metadata?.labels))
          : [...this.pods.values()].map(({ pod }) => pod).filter(({ metadata }) => selected(metadata?.labels));
      return reply(response, 200, { kind: "List", apiVersion: "v1", items });
    }
    if (resource === "jobs") {
      const job = this.jobs.get(name);
      if (!job) return reply(response, 404, status(404, `jobs "${name}" not found`));
      if (method === "DELETE") {
        this.jobs.delete(name);
        for (const live of this.pods.values()) if (live.job === job) this.#terminate(live, 1);
      }
      return reply(response, 200, job);
    }
    const live = this.pods.get(name);
    if (!live) return reply(response, 404, status(404, `pods "${name}" not found`));
    if (sub === "log") return this.#log(live, response);
    if (method === "DELETE") this.#terminate(live, Number(url.searchParams.get("gracePeriodSeconds") ?? 30));
    if (method === "PATCH") this.#patch(live, request, body as V1Pod);
    return reply(response, 200, live.pod);
  }

  async #create(job: V1Job, response: ServerResponse): Promise<void> {
    const problem = await schemaProblemOf(job as Manifest);
    if (problem !== undefined) return reply(response, 422, status(422, problem));
    const name = job.metadata?.name ?? "";
    if (this.jobs.has(name)) return reply(response, 409, status(409, `jobs "${name}" already exists`));
    this.jobs.set(name, { ...job, status: {} });
    for (let index = 0; index < (job.spec?.completions ?? 0); index++) this.#makePod(name, index);
    reply(response, 201, job);
  }

  #makePod(job: string, index: number): void {
    const owner = this.jobs.get(job);
    const template = owner?.spec?.template;
    if (!owner || !template?.spec) return;
    const name = `${job}-${index}-${(this.#count++).toString(36)}`;
    const pod: V1Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: "drmp",
        labels: template.metadata?.labels ?? {},
        annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
        creationTimestamp: new Date(Date.now() + this.#count),
        ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: job, uid: job }],
      },
      spec: structuredClone(template.spec),
      status: { phase: "Pending" },
    };
    const fresh = { log: "", followers: new Set<ServerResponse>(), ended: false, disrupted: false, counted: false };
    this.pods.set(name, { pod, job: owner, index, ...fresh });
  }

  #patch(live: LivePod, request: IncomingMessage, patch: V1Pod): void {
    if (request.headers["content-type"] !== "application/merge-patch+json") throw new Error("not a merge patch");
    const { metadata, spec } = live.pod;
    if (metadata) metadata.annotations = { ...metadata.annotations, ...patch.metadata?.annotations };
    if ((patch.spec as { schedulingGates?: null } | undefined)?.schedulingGates !== null || !spec?.schedulingGates)
      return;
    delete spec.schedulingGates;
    this.#run(live);
  }

  /** What a kubelet does, without the container. */
  #run(live: LivePod): void {
    const [container] = live.pod.spec?.containers ?? [];
    const annotations = live.pod.metadata?.annotations ?? {};
    const env: Record<string, string> = {};
    for (const { name, value, valueFrom } of container?.env ?? []) {
      const annotation = /^metadata\.annotations\['(.*)'\]$/.exec(valueFrom?.fieldRef?.fieldPath ?? "")?.[1];
      env[name] =
        annotation === undefined ? (value ?? "").replaceAll("$$(", () => "$(") : (annotations[annotation] ?? "");
    }
    const mounted = (path: string) => {
      const mount = container?.volumeMounts?.find(({ mountPath }) => mountPath === path);
      const expanded = mount?.subPathExpr?.replace(/\$\((\w+)\)/g, (_, variable: string) => env[variable] ?? "");
      return join(this.#volume, expanded ?? "unmounted");
    };
    for (const variable of ["VERAI_CHECKPOINT_DIR", "VERAI_INPUT_DIR", "VERAI_OUTPUT_DIR"]) {
      env[variable] = mounted(env[variable] ?? "");
    }
    const [program = "", ...args] = [...this.#program, ...(container?.args ?? []).slice(1)];
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    live.child = child;
    live.pod.status = { phase: "Running" };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        live.log += String(chunk);
        for (const follower of live.followers) follower.write(chunk);
      });
    }
    const deadline = setTimeout(
      () => {
        if (live.pod.status) live.pod.status.reason = "DeadlineExceeded";
        this.#terminate(live, live.pod.spec?.terminationGracePeriodSeconds ?? 30);
      },
      (live.pod.spec?.activeDeadlineSeconds ?? 1e6) * 1000,
    );
    void once(child, "close").then(([code, signal]) => {
      clearTimeout(deadline);
      this.#ended(live, (code as number | null) ?? 128 + constants.signals[signal as NodeJS.Signals]);
    });
  }

  #terminate(live: LivePod, grace: number): void {
    if (live.pod.metadata) live.pod.metadata.deletionTimestamp = new Date();
    if (!live.child || live.ended) {
      this.#ended(live, 137);
      return;
    }
    live.child.kill("SIGTERM");
    setTimeout(() => live.child?.kill("SIGKILL"), grace * 1000).unref();
  }

  /** The Job controller's part: counts the index, or makes another pod for it. */
  #ended(live: LivePod, code: number): void {
    const { pod, job, index } = live;
    const started = live.child !== undefined;
    live.ended = true;
    for (const follower of live.followers) follower.end();
    pod.status = {
      ...pod.status,
      phase: code === 0 ? "Succeeded" : "Failed",
      ...(live.disrupted ? { conditions: [{ type: "DisruptionTarget", status: "True" }] } : {}),
      ...(started
        ? {
            containerStatuses: [
              {
                name: "unit",
                image: "",
                imageID: "",
                ready: false,
                restartCount: 0,
                state: {
                  terminated: {
                    exitCode: code,
                    reason: this.oomKilled.has(pod.metadata?.name ?? "") ? "OOMKilled" : "Error",
                  },
                },
              },
            ],
          }
        : {}),
    };
    const jobStatus = job.metadata?.name === undefined ? undefined : this.jobs.get(job.metadata.name)?.status;
    if (jobStatus && !live.counted && started && !live.disrupted) {
      live.counted = true;
      const key = code === 0 ? "completedIndexes" : "failedIndexes";
      jobStatus[key] = [...(jobStatus[key] ?? "").split(",").filter(Boolean), index].join(",");
    }
    if (live.disrupted) this.#makePod(job.metadata?.name ?? "", index);
    // A pod that was deleted is gone once it has ended.
    if (pod.metadata?.deletionTimestamp) setTimeout(() => this.pods.delete(pod.metadata?.name ?? ""), 300).unref();
  }

  /** Names of pods whose end is to be told as one for want of memory. */
  readonly oomKilled = new Set<string>();

  #log(live: LivePod, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write(live.log);
    if (live.ended) response.end();
    else live.followers.add(response);
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === "" ? undefined : JSON.parse(text);
}

function reply(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function status(code: number, message: string): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, message };
}
