import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";

import type { ContainerExecutor } from "@verai/executor/container";
import { CONTAINER_DEFAULTS } from "@verai/executor/container";
import { Bench, PROBE, skip } from "./setup.ts";

let bench: Bench;
let executor: ContainerExecutor;
before(async () => {
  if (skip) return;
  bench = await Bench.start();
  executor = await bench.executor({ pids: 40, diskMiB: 32, tmpMiB: 8, scratchMiB: 64 });
});
after(() => (skip ? undefined : bench.stop()));

test("nobody: no root, no capabilities, no new privileges, no network, no writing", { skip }, async (context) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const spec = bench.spec(["rights", "32", "127.0.0.1", String(port)], {
    command: PROBE,
    env: { NVIDIA_VISIBLE_DEVICES: "all", MINE: "1" },
  });
  process.env["AGENT_PRIVATE_KEY"] = "0xsecret";
  context.after(() => delete process.env["AGENT_PRIVATE_KEY"]);
  const { unit, running, result } = await bench.run(context, executor, spec);
  const exit = await running.exited;
  assert.equal(exit.reason, "done", await running.logTail(2000));
  const [uid = 0, gid = 0] = (
    process.getuid?.() === 0 ? CONTAINER_DEFAULTS.user : `${process.getuid?.()}:${process.getgid?.()}`
  )
    .split(":")
    .map(Number);
  const none = "0000000000000000";
  assert.deepEqual(await result(), {
    user: [uid, gid, [gid]],
    capabilities: [none, none, none],
    noNewPrivileges: "1",
    seccomp: "2",
    writeRoot: "EROFS",
    writeUsr: "EROFS",
    writeInput: "EROFS",
    volume: ["tmpfs", "rw,nosuid,nodev,noexec,relatime,size=8192k"],
    name: "unit",
    writePasswd: "EROFS",
    writeTmp: "allowed",
    writeCheckpoint: "allowed",
    fillTmp: "ENOSPC",
    interfaces: ["lo"],
    // The same address is the agent's machine outside, and nobody inside.
    reach: "ECONNREFUSED",
    input: "for the workload",
    environment: {
      HOME: "/tmp",
      HOSTNAME: "unit",
      LANG: "C.UTF-8",
      LOGNAME: "unit",
      MINE: "1",
      MKL_NUM_THREADS: "1",
      NUMEXPR_MAX_THREADS: "1",
      NVIDIA_VISIBLE_DEVICES: "void",
      OMP_NUM_THREADS: "1",
      OPENBLAS_NUM_THREADS: "1",
      PATH: "/usr/local/bin:/bin",
      PYTHONUNBUFFERED: "1",
      PYTHON_CPU_COUNT: "1",
      RAYON_NUM_THREADS: "1",
      TMPDIR: "/tmp",
      TZ: "UTC",
      USER: "unit",
      XDG_CACHE_HOME: "/tmp/.cache",
      DRMP_ATTEMPT: "1",
      DRMP_CHECKPOINT_DIR: "/verai/checkpoint",
      DRMP_INPUT_DIR: "/verai/input",
      DRMP_OUTPUT_DIR: "/verai/output",
      DRMP_TASK_ID: "1",
      DRMP_UNIT_COUNT: "1",
      DRMP_UNIT_INDEX: "0",
    },
  });
  assert.deepEqual(await readdir(unit.folder.input), ["data.txt"]);
});

test("what libraries expect: a name, a host, an executable /tmp on disk, shared memory", { skip }, async (context) => {
  const resources = { cpus: 1, memoryMiB: 256, ephemeralMiB: 64, shmMiB: 48 };
  const { unit, running, result } = await bench.run(
    context,
    executor,
    bench.spec(["libraries", "31", "40"], { command: PROBE, resources }),
  );
  const exit = await running.exited;
  assert.equal(exit.reason, "done", await running.logTail(2000));
  assert.deepEqual(await result(), {
    user: "unit",
    home: "/tmp",
    host: "127.0.0.1",
    run: 0,
    tmp: "allowed",
    shm: "allowed",
  });
  assert.ok(!(await readdir(unit.folder.root)).includes("scratch"), "nothing stays of /tmp");
  const small = { cpus: 1, memoryMiB: 256 };
  const inMemory = await bench.run(
    context,
    executor,
    bench.spec(["libraries", "9", "9"], { command: PROBE, resources: small }),
  );
  assert.equal((await inMemory.running.exited).reason, "done");
  const { run, tmp, shm } = await inMemory.result();
  assert.deepEqual([run, tmp, shm], [0, "ENOSPC", "ENOSPC"]);
});

test("a /tmp on disk is bounded by the agent", { skip }, async (context) => {
  const resources = { cpus: 1, memoryMiB: 256, ephemeralMiB: 16 };
  const { running } = await bench.run(context, executor, bench.spec(["fill-tmp"], { command: PROBE, resources }));
  const { reason, detail } = await running.exited;
  assert.equal(reason, "failed");
  assert.match(detail, /more than 16 MiB for its log and \/tmp .*16 MiB of disk.*ephemeralMiB/);
  const refused = bench.run(
    context,
    executor,
    bench.spec(["fill-tmp"], { resources: { ...resources, ephemeralMiB: 65 } }),
  );
  await assert.rejects(refused, { code: "REFUSED", message: /scratchMiB/ });
});

test("too much memory: the kernel ends it, and the agent says why", { skip }, async (context) => {
  const spec = bench.spec(["hog"], { resources: { cpus: 1, memoryMiB: 128 } });
  const { running } = await bench.run(context, executor, spec);
  const { reason, code, detail } = await running.exited;
  assert.deepEqual([reason, code], ["failed", 137]);
  assert.match(detail, /used more than 128 MiB: raise resources\.memoryMiB/);
});

test("a SIGKILL from somebody else is not taken for too much memory", { skip }, async (context) => {
  const { running, ready } = await bench.run(context, executor, bench.spec(["wait"]));
  await ready();
  await bench.docker.getContainer(running.id.replace("container ", "")).kill({ signal: "SIGKILL" });
  const { reason, code, detail } = await running.exited;
  assert.deepEqual([reason, code, detail], ["failed", 137, "exit code 137 (SIGKILL)"]);
});

test("a CPU quota: a fifth of a CPU, however idle the machine is", { skip }, async (context) => {
  const spec = bench.spec(["burn", "3000"], { command: PROBE, resources: { cpus: 0.2, memoryMiB: 256 } });
  const { running, result } = await bench.run(context, executor, spec);
  const exit = await running.exited;
  assert.equal(exit.reason, "done");
  const { share, quota, throttled } = await result();
  assert.ok(Number(share) < 0.3, `share ${String(share)}`);
  assert.match(String(quota), /^20000( 100000)?$/);
  // A busy machine may give it less than that by itself, but not in each of thirty periods.
  assert.ok(Number(throttled) > 0, `throttled ${String(throttled)} times at ${String(share)}`);
  assert.ok(exit.cpuSeconds > 0 && exit.cpuSeconds < 3, String(exit.cpuSeconds));
});

test("a fork bomb ends at the pids limit", { skip }, async (context) => {
  const { running, result } = await bench.run(context, executor, bench.spec(["fork", "100"], { command: PROBE }));
  assert.equal((await running.exited).reason, "done");
  const { children, refused } = await result();
  assert.equal(refused, "EAGAIN");
  assert.ok(Number(children) > 5 && Number(children) < 40, String(children));
});

test("disk space is bounded: one file by the kernel, all of them by the agent", { skip }, async (context) => {
  const large = await bench.run(context, executor, bench.spec(["large-file", "33"], { command: PROBE }));
  assert.equal((await large.running.exited).reason, "done");
  assert.equal(await large.result(), "EFBIG");
  const fill = await bench.run(context, executor, bench.spec(["fill"], { command: PROBE }));
  const { reason, detail } = await fill.running.exited;
  assert.equal(reason, "failed");
  assert.match(detail, /more than the 32 MiB of disk/);
});
