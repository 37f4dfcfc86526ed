import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";

import type { V1Job, V1Node, V1Pod, V1PodStatus, V1SelfSubjectAccessReview } from "@kubernetes/client-node";

import { type Manifest, schemaProblemOf } from "./manifests.ts";

/** A pod whose program really runs: as a process of this machine, in the directories that it would have mounted. */
interface LivePod {
  readonly pod: V1Pod;
  readonly job: V1Job;
  readonly index: number;
  child?: ChildProcess;
  /** Whole lines, each with its time, nanoseconds since 1970. */
  readonly log: { readonly time: bigint; readonly line: string }[];
  /** What has come of a line that is not at its end. */
  part: string;
  readonly followers: Set<Follower>;
  ended: boolean;
  disrupted: boolean;
  counted: boolean;
}

/** Somebody who follows a pod's log. */
interface Follower {
  readonly response: ServerResponse;
  readonly timestamps: boolean;
}

/** Milliseconds until pods that were deleted, and that no machine has, are collected; in a real cluster up to 20 seconds. */
const COLLECT_MS = 2000;

/** What an API server does instead of answering a call. */
export type CallFault =
  /** Never answers. */
  | "hang"
  /** Cuts the connection. */
  | "reset"
  /** Answers 200 with a page for people. */
  | "page"
  /** Begins an answer, and never ends it. */
  | "stall"
  /** Answers with an HTTP status. */
  | number;

/**
 * As much of an API server, with its Job controller and kubelets, as the executor uses, over HTTP: objects are checked by
 * their schemas; a Job makes a pod for each index; a pod with a gate waits; without, its program runs, with the variables
 * and the subpaths of its annotations; deleting sends SIGTERM and after the grace SIGKILL; exit codes fail or complete an
 * index; a pod that is evicted is made again.
 *
 * It misbehaves as real clusters do: calls that hang, break, are forbidden or answered by a proxy's page; followed logs
 * that are cut, within a line too, ended, or fall silent; machines that are lost, so that their pods are Terminating for
 * ever, or are taken out of the cluster; pods that are turned away, fit nowhere, wait, or end for reasons of the cluster; Jobs that
 * make no pods for want of quota, or until their queue admits them.
 */
export class TestCluster {
  readonly jobs = new Map<string, V1Job>();
  readonly pods = new Map<string, LivePod>();
  readonly nodes: V1Node[] = [];
  /** Calls, such as "POST jobs". */
  readonly calls: string[] = [];
  /** While set, nothing is answered but 503. */
  outage = false;
  /** What is done to calls, such as "GET pods", or "*" for all. */
  readonly faults = new Map<string, CallFault>();
  /** What calls wait for, such as "DELETE jobs", before anything is done. */
  readonly held = new Map<string, Promise<void>>();
  /** What the answers to calls about one object wait for, such as "GET jobs": they tell what was before. */
  readonly lateAnswers = new Map<string, Promise<void>>();
  /** What the agent's role does not allow, such as "list pods.metrics.k8s.io"; asked and done. */
  readonly denied = new Set<string>();
  /** CPUs in use by pod, such as "250m"; undefined: there is no metrics server. */
  metrics: ReadonlyMap<string, string> | undefined;
  /** While set, followers get nothing, though their connections stand. */
  silent = false;
  /** While set, pods whose gate is opened wait for this. */
  startsWith: { readonly reason: string; readonly message: string } | undefined;
  /** While set, no machine has room for pods whose gate is opened, in the scheduler's words. */
  fitsNowhere: string | undefined;
  /** While set, pods whose gate is opened are turned away with this status. */
  turnsAway: V1PodStatus | undefined;
  /** While set, Jobs make no pods. */
  makesNoPods = false;
  readonly #lost = new Set<string>();
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

  /** Loses the machine of a pod: it runs on there, nothing is heard of it, and it is never seen to end. */
  loseMachineOf(name: string): void {
    this.#lost.add(name);
    const live = this.pods.get(name);
    if (live?.pod.status) live.pod.status.conditions = [{ type: "Ready", status: "False", reason: "NodeNotReady" }];
  }

  /** Takes the lost machine of a pod out of the cluster: its pod is gone, and is made again. */
  removeMachineOf(name: string): void {
    const live = this.#lost.delete(name) ? this.pods.get(name) : undefined;
    if (!live) throw new Error(`no lost machine of a pod ${name}`);
    live.disrupted = true;
    live.child?.kill("SIGKILL");
    this.#terminate(live, 1);
  }

  /** Lets a suspended Job make its pods, as a queue does that has quota for it. */
  admit(name: string): void {
    const spec = this.jobs.get(name)?.spec;
    if (!spec?.suspend) throw new Error(`no suspended Job ${name}`);
    spec.suspend = false;
    for (let index = 0; index < (spec.completions ?? 0); index++) this.#makePod(name, index);
  }

  /** Takes a Job's quota back: its pods are deleted, and are not made again before it is admitted. */
  suspend(name: string): void {
    const job = this.jobs.get(name);
    if (!job?.spec) throw new Error(`no Job ${name}`);
    job.spec.suspend = true;
    for (const live of this.pods.values()) {
      if (live.job.metadata?.name === name) this.#terminate(live, live.pod.spec?.terminationGracePeriodSeconds ?? 30);
    }
  }

  /** Ends a pod's program, and has the cluster say so in its own words. */
  endWith(name: string, status: V1PodStatus): void {
    const live = this.pods.get(name);
    if (!live) throw new Error(`no pod ${name}`);
    this.endings.set(name, status);
    live.child?.kill("SIGKILL");
  }

  /** How pods' ends are told, by name. */
  readonly endings = new Map<string, V1PodStatus>();

  /** Cuts all followed logs. @param withinLine After half of a line. */
  cutLogs(withinLine = false): void {
    for (const { response } of this.#followers()) {
      if (withinLine) response.write(`${new Date().toISOString().replace("Z", "000000Z")} half of a li`);
      response.destroy();
    }
  }

  /** Ends all followed logs, as if they were complete. */
  endLogs(): void {
    for (const { response } of this.#followers()) response.end();
  }

  *#followers(): Generator<Follower> {
    for (const live of this.pods.values()) {
      yield* live.followers;
      live.followers.clear();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.outage) return reply(response, 503, status(503, "outage"));
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, resource = "", name, sub] =
      /(?:namespaces\/drmp\/|v1\/)(jobs|pods|nodes)(?:\/([^/]+))?(?:\/(log))?$/.exec(url.pathname) ?? [];
    const { method = "GET" } = request;
    const metrics = url.pathname.includes("metrics.k8s.io");
    const review = url.pathname.endsWith("/selfsubjectaccessreviews");
    const call = `${method} ${metrics ? "metrics" : review ? "reviews" : (sub ?? resource)}`;
    this.calls.push(call);
    const body = await bodyOf(request);
    const fault = this.faults.get(call) ?? this.faults.get("*");
    if (fault !== undefined) return misbehave(fault, response);
    await this.held.get(call);
    if (review) return this.#review(body as V1SelfSubjectAccessReview, response);
    const verbs: Record<string, string> = {
      GET: name === undefined ? "list" : "get",
      POST: "create",
      PATCH: "patch",
      DELETE: "delete",
    };
    const asked = `${verbs[method] ?? method} ${metrics ? "pods.metrics.k8s.io" : `${resource}${sub === undefined ? "" : `/${sub}`}`}`;
    if (this.denied.has(asked)) return reply(response, 403, status(403, `agent may not ${asked}`));
    const selector = url.searchParams.get("labelSelector");
    const selected = (labels: Record<string, string> | undefined) => {
      const [key = "", value] = (selector ?? "").split("=");
      return selector === null || labels?.[key] === value;
    };
    if (metrics) {
      if (!this.metrics) return reply(response, 404, status(404, "no metrics server"));
      const items = [...this.metrics].map(([pod, cpu]) => ({
        metadata: { name: pod },
        containers: [{ usage: { cpu } }],
      }));
      return reply(response, 200, { kind: "PodMetricsList", apiVersion: "metrics.k8s.io/v1beta1", items });
    }
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
      await this.lateAnswers.get(call);
      return reply(response, 200, job);
    }
    const live = this.pods.get(name);
    if (!live) return reply(response, 404, status(404, `pods "${name}" not found`));
    if (sub === "log") return this.#log(live, url.searchParams, response);
    if (method === "DELETE") this.#terminate(live, Number(url.searchParams.get("gracePeriodSeconds") ?? 30));
    if (method === "PATCH") this.#patch(live, request, body as V1Pod);
    return reply(response, 200, live.pod);
  }

  #review(review: V1SelfSubjectAccessReview, response: ServerResponse): void {
    const { verb = "", resource = "", subresource, group = "" } = review.spec.resourceAttributes ?? {};
    const full = `${resource}${subresource === undefined ? "" : `/${subresource}`}`;
    const named = group === "metrics.k8s.io" ? `${full}.${group}` : full;
    reply(response, 201, { ...review, status: { allowed: !this.denied.has(`${verb} ${named}`) } });
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
    if (!owner || !template?.spec || owner.spec?.suspend === true || this.makesNoPods) return;
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
    const fresh = { log: [], part: "", followers: new Set<Follower>(), ended: false, disrupted: false, counted: false };
    this.pods.set(name, { pod, job: owner, index, ...fresh });
  }

  #patch(live: LivePod, request: IncomingMessage, patch: V1Pod): void {
    if (request.headers["content-type"] !== "application/merge-patch+json") throw new Error("not a merge patch");
    const { metadata, spec } = live.pod;
    if (metadata) metadata.annotations = { ...metadata.annotations, ...patch.metadata?.annotations };
    if ((patch.spec as { schedulingGates?: null } | undefined)?.schedulingGates !== null || !spec?.schedulingGates)
      return;
    delete spec.schedulingGates;
    if (this.fitsNowhere === undefined) spec.nodeName = "machine";
    if (this.turnsAway) {
      this.endings.set(metadata?.name ?? "", this.turnsAway);
      this.#ended(live, 137);
    } else if (this.fitsNowhere !== undefined) {
      const message = this.fitsNowhere;
      const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
      live.pod.status = { phase: "Pending", conditions };
    } else if (this.startsWith) {
      const waiting = { ...this.startsWith };
      live.pod.status = {
        phase: "Pending",
        containerStatuses: [
          { name: "unit", image: "", imageID: "", ready: false, restartCount: 0, state: { waiting } },
        ],
      };
    } else this.#run(live);
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
    for (const variable of ["DRMP_CHECKPOINT_DIR", "DRMP_INPUT_DIR", "DRMP_OUTPUT_DIR"]) {
      env[variable] = mounted(env[variable] ?? "");
    }
    const [program = "", ...args] = [...this.#program, ...(container?.args ?? []).slice(1)];
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    live.child = child;
    live.pod.status = {
      phase: "Running",
      containerStatuses: [
        {
          name: "unit",
          image: "",
          imageID: "",
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: new Date() } },
        },
      ],
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => this.#wrote(live, String(chunk)));
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

  /** A program's output, by lines, as a kubelet keeps it. */
  #wrote(live: LivePod, text: string): void {
    const lines = (live.part + text).split("\n");
    live.part = lines.pop() ?? "";
    for (const line of lines) {
      const entry = { time: BigInt(Date.now()) * 1_000_000n + BigInt(live.log.length % 1_000_000), line: `${line}\n` };
      live.log.push(entry);
      if (this.silent) continue;
      for (const { response, timestamps } of live.followers) response.write(shown(entry, timestamps));
    }
  }

  #terminate(live: LivePod, grace: number): void {
    const { metadata } = live.pod;
    if (metadata) {
      metadata.deletionTimestamp = new Date();
      metadata.deletionGracePeriodSeconds = grace;
    }
    if (this.#lost.has(metadata?.name ?? "")) return;
    if (!live.child && !live.ended && live.pod.spec?.nodeName === undefined) {
      // No machine tells of its end: it stays until the cluster collects what no machine has.
      setTimeout(() => this.#ended(live, 137), COLLECT_MS).unref();
      return;
    }
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
    if (live.part !== "") this.#wrote(live, "\n");
    for (const { response } of live.followers) response.end();
    const name = pod.metadata?.name ?? "";
    pod.status = this.endings.get(name) ?? {
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
    // A pod that was turned away, or evicted without a word about it, fails its index as well.
    const failed = started || this.endings.has(name);
    // The pods of a Job that is suspended count for nothing.
    const suspended = job.spec?.suspend === true && code !== 0;
    if (jobStatus && !live.counted && failed && !live.disrupted && !suspended) {
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

  #log(live: LivePod, query: URLSearchParams, response: ServerResponse): void {
    if (!live.child) return reply(response, 400, status(400, "container unit is waiting to start"));
    const timestamps = query.get("timestamps") === "true";
    // To the second, as in a real one.
    const since = BigInt(Date.parse(query.get("sinceTime") ?? "1970-01-01T00:00:00Z")) * 1_000_000n;
    response.writeHead(200, { "content-type": "text/plain" });
    response.flushHeaders();
    response.on("error", () => undefined);
    // Nothing ever comes of it, whatever is written from now on.
    if (this.silent) return;
    for (const entry of live.log) if (entry.time >= since) response.write(shown(entry, timestamps));
    if (live.ended || query.get("follow") !== "true") response.end();
    else live.followers.add({ response, timestamps });
  }
}

/** A log's line, with its time as a kubelet writes it. */
function shown({ time, line }: LivePod["log"][number], timestamps: boolean): string {
  if (!timestamps) return line;
  const seconds = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, "0")}Z ${line}`;
}

function misbehave(fault: CallFault, response: ServerResponse): void {
  if (fault === "hang") return;
  if (fault === "reset") response.destroy();
  else if (fault === "page") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html>Sign in to continue</html>");
  } else if (fault === "stall") {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"items": [');
  } else reply(response, fault, status(fault, `status ${String(fault)}`));
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
