import assert from "node:assert/strict";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import type { ContainerStats } from "dockerode";

import { temporaryDirectory } from "../testing.ts";
import { usedBytes } from "./disk.ts";
import { engineSockets } from "./engine.ts";
import { oomKills, ranOutOfMemory, usageOf } from "./usage.ts";

const MIB = 2 ** 20;

test("statistics of both versions of cgroups; none of a container that has ended", () => {
  const stats = (memory: object, total = 2_500_000_000) =>
    ({ cpu_stats: { cpu_usage: { total_usage: total } }, memory_stats: memory }) as ContainerStats;
  assert.deepEqual(usageOf(stats({ usage: 5, max_usage: 9 })), { cpuSeconds: 2.5, memoryBytes: 9 });
  assert.deepEqual(usageOf(stats({ usage: 5 })), { cpuSeconds: 2.5, memoryBytes: 5 });
  assert.equal(usageOf(stats({}, 0)), undefined);
  assert.equal(usageOf({} as ContainerStats), undefined);
});

test("kills for want of memory are counted under cgroup v1, v2 and both at once", async (context) => {
  const root = await temporaryDirectory(context);
  const roots = { proc: join(root, "proc"), cgroup: join(root, "cgroup") };
  const put = async (path: string, text: string) => {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await put("proc/1/cgroup", "4:memory:/docker/a\n3:cpuset:/docker/a\n0::/\n");
  await put("cgroup/memory/docker/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  assert.equal(await oomKills(1, roots), 3);
  await put("proc/2/cgroup", "0::/system.slice/docker-b.scope\n");
  await put("cgroup/system.slice/docker-b.scope/memory.events", "low 0\nmax 7\noom 2\noom_kill 1\n");
  assert.equal(await oomKills(2, roots), 1);
  assert.equal(await oomKills(3, roots), 0, "gone");
});

test("told from other ends: the engine's word first, then the signs", () => {
  const signs = { told: false, kills: 0, code: 137, killedByUs: false, peakBytes: 95 * MIB, limitBytes: 100 * MIB };
  assert.equal(ranOutOfMemory({ ...signs, told: true, code: 1, peakBytes: 0 }), true);
  assert.equal(ranOutOfMemory({ ...signs, told: true, code: 0 }), false, "it ended well all the same");
  assert.equal(ranOutOfMemory(signs), true);
  assert.equal(ranOutOfMemory({ ...signs, peakBytes: 80 * MIB }), false);
  assert.equal(ranOutOfMemory({ ...signs, code: 143 }), false);
  assert.equal(ranOutOfMemory({ ...signs, killedByUs: true }), false);
  assert.equal(ranOutOfMemory({ ...signs, kills: 1, code: 1, peakBytes: 0 }), true);
});

test("disk space: blocks, not lengths, without following links; counting ends beyond the bound", async (context) => {
  const root = await temporaryDirectory(context);
  await mkdir(join(root, "a/b"), { recursive: true });
  await writeFile(join(root, "a/b/full"), Buffer.alloc(MIB, 1));
  await writeFile(join(root, "a/sparse"), "");
  await truncate(join(root, "a/sparse"), 100 * MIB);
  await symlink("/", join(root, "a/everything"));
  const used = await usedBytes([join(root, "a"), join(root, "missing")], Infinity);
  assert.ok(used >= MIB && used < 1.2 * MIB, String(used));
  assert.ok((await usedBytes([join(root, "a")], 1000)) > 1000);
});

test("where engines are looked for", () => {
  assert.deepEqual(engineSockets({ DOCKER_HOST: "unix:///x/d.sock" }), ["/x/d.sock"]);
  assert.deepEqual(engineSockets({ XDG_RUNTIME_DIR: "/run/user/7", DOCKER_HOST: "tcp://far:2375" }), [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/7/podman/podman.sock",
    "/run/user/7/docker.sock",
  ]);
});
