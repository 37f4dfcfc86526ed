import assert from "node:assert/strict";
import { test } from "node:test";

import { parseSpec, specBytes, type TaskSpecInput } from "../spec.ts";
import { accounts, usualVariables } from "../inside.ts";
import { testSpec, testUnit } from "../testing.ts";
import { containerRefusal, userFor } from "./fit.ts";
import { Gpus } from "./gpus.ts";
import { imagesToRemove, withoutTag } from "./images.ts";
import { type ContainerLimits, containerName, containerOptions, runLabel } from "./options.ts";
import { unwanted } from "./stragglers.ts";

const IMAGE = `lab.example:5000/trainer@sha256:${"ab".repeat(32)}`;
const LIMITS: ContainerLimits = {
  user: "65532:65532",
  pids: 100,
  tmpMiB: 16,
  scratchMiB: 1000,
  diskMiB: 1000,
  logBytes: 2001,
};
const local = { id: "sha256:1234", volumes: ["/data"] };

function spec(changes: Partial<TaskSpecInput> = {}) {
  const { trainer: _, ...rest } = testSpec({});
  return parseSpec(specBytes({ ...rest, image: IMAGE, ...changes }));
}

test("what the engine is asked for: everything off that is not needed", () => {
  const unit = testUnit("/unit", spec({ resources: { cpus: 0.5, memoryMiB: 100 }, args: ["--x"] }));
  const options = containerOptions(unit, { image: local, args: unit.spec.args }, LIMITS, "me", []);
  const { HostConfig: host } = options;
  assert.equal(options.User, "65532:65532");
  assert.equal(options.Image, "sha256:1234");
  assert.equal(options.Entrypoint, undefined, "the image's own");
  assert.deepEqual(options.Cmd, ["--x"]);
  assert.equal(host?.NetworkMode, "none");
  assert.equal(host?.ReadonlyRootfs, true);
  assert.deepEqual(host?.CapDrop, ["ALL"]);
  assert.deepEqual(host?.SecurityOpt, ["no-new-privileges"]);
  assert.equal(host?.Privileged, false);
  assert.deepEqual([host?.Memory, host?.MemorySwap], [104_857_600, 104_857_600]);
  assert.deepEqual([host?.NanoCpus, host?.PidsLimit], [500_000_000, 100]);
  const tmpfs = "nosuid,nodev,size=16m,mode=1777";
  assert.deepEqual(host?.Tmpfs, { "/data": `rw,noexec,${tmpfs}`, "/tmp": `rw,exec,${tmpfs}` });
  assert.deepEqual([host?.ShmSize, options.Hostname, host?.ExtraHosts], [16 * 2 ** 20, "unit", ["unit:127.0.0.1"]]);
  assert.deepEqual(
    host?.Mounts?.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
    [
      ["/unit/accounts/passwd", "/etc/passwd", true],
      ["/unit/accounts/group", "/etc/group", true],
      ["/unit/checkpoint", "/verai/checkpoint", false],
      ["/unit/input", "/verai/input", true],
      ["/unit/output", "/verai/output", false],
    ],
  );
  assert.deepEqual(host?.LogConfig?.Config, { "max-size": "1001", "max-file": "2" });
  assert.equal(host?.DeviceRequests, undefined);
  assert.equal(host?.Runtime, undefined);
});

test("GPUs by device id, never more than were given; the network by the owner's name for it", () => {
  const wants = spec({ resources: { cpus: 1, memoryMiB: 100, gpus: 2 }, network: "outbound", command: ["/run"] });
  const limits = { ...LIMITS, outboundNetwork: "rented", runtime: "runsc", usernsMode: "keep-id" as const };
  const program = { image: local, entrypoint: wants.command, args: [] };
  const {
    HostConfig: host,
    Env,
    Entrypoint,
  } = containerOptions(testUnit("/u", wants), program, limits, "me", ["0", "3"]);
  assert.deepEqual(host?.DeviceRequests, [
    { Driver: "", Count: 0, DeviceIDs: ["0", "3"], Capabilities: [["gpu"]], Options: {} },
  ]);
  assert.deepEqual([host?.NetworkMode, host?.Runtime, host?.UsernsMode], ["rented", "runsc", "keep-id"]);
  assert.deepEqual(Entrypoint, ["/run"]);
  assert.ok(!Env?.some((each) => each.startsWith("NVIDIA_")));
});

test("scratch space and shared memory as the spec asks, threads by its CPUs; the spec's own variables win", () => {
  const resources = { cpus: 3.5, memoryMiB: 4096, ephemeralMiB: 17, shmMiB: 1024 };
  const unit = testUnit("/unit", spec({ resources, env: { OMP_NUM_THREADS: "1", HOME: "/drmp/output" } }));
  const { HostConfig: host, Env = [] } = containerOptions(unit, { image: local, args: [] }, LIMITS, "me", []);
  assert.deepEqual(Object.keys(host?.Tmpfs ?? {}), ["/data"]);
  assert.deepEqual(
    host?.Mounts?.filter(({ Target }) => Target === "/tmp").map(({ Source, ReadOnly }) => [Source, ReadOnly]),
    [["/unit/scratch", false]],
  );
  assert.equal(host?.ShmSize, 1024 * 2 ** 20);
  for (const each of [
    "OMP_NUM_THREADS=1",
    "MKL_NUM_THREADS=3",
    "PYTHON_CPU_COUNT=3",
    "HOME=/drmp/output",
    "USER=unit",
  ]) {
    assert.ok(Env.includes(each), each);
  }
  assert.equal(usualVariables(0.1)["OMP_NUM_THREADS"], "1");
  const { passwd, group } = accounts(65532, 100);
  assert.match(passwd, /^unit:x:65532:100:unit:\/tmp:\/bin\/sh$/m);
  assert.match(group, /^unit:x:100:$/m);
  assert.doesNotMatch(accounts(65534, 65534).passwd, /unit/);
});

test("the same unit has the same name and the same label for the same work, whatever the attempt", () => {
  const unit = testUnit("/unit", spec());
  assert.equal(containerName({ root: "/unit" }), containerName(unit.folder));
  assert.notEqual(containerName({ root: "/unit" }), containerName({ root: "/unit2" }));
  const label = runLabel(unit, local);
  assert.equal(runLabel({ ...unit, attempt: 9 }, local), label);
  const others = [
    runLabel({ ...unit, unitIndex: 1, unitCount: 2 }, local),
    runLabel({ ...unit, spec: spec({ args: ["x"] }) }, local),
    runLabel(unit, { ...local, id: "sha256:other" }),
  ];
  for (const other of others) assert.notEqual(other, label);
});

test("what is refused, with its remedy", () => {
  const offer = { cpus: 2, memoryMiB: 1000, gpus: 1, trainers: ["digits"], trainerImage: true, network: false };
  const refused = (changes: Partial<TaskSpecInput>, message: RegExp, changed = {}) =>
    assert.match(containerRefusal(spec(changes), { ...offer, ...changed }) ?? "accepted", message);
  refused({ network: "outbound" }, /does not give: set network to "none"/);
  refused({ resources: { cpus: 1, memoryMiB: 64, gpus: 2 } }, /wants 2 GPUs .* rents out 1/);
  refused({ resources: { cpus: 3, memoryMiB: 64 } }, /wants 3 CPUs .* has 2 CPUs/);
  refused({ resources: { cpus: 1, memoryMiB: 1001 } }, /1001 MiB .* 1000 MiB: lower/);
  refused({ resources: { cpus: 1, memoryMiB: 64, ephemeralMiB: 101 } }, /101 MiB for \/tmp.*100 MiB.*scratchMiB/, {
    scratchMiB: 100,
  });
  assert.match(containerRefusal(testSpec({ trainer: "other" }), offer) ?? "", /no trainer "other".*digits/);
  const noImage = { ...offer, trainerImage: false };
  assert.match(containerRefusal(testSpec({ trainer: "digits" }), noImage) ?? "", /set executor\.trainerImage/);
  assert.equal(containerRefusal(testSpec({ trainer: "digits" }), offer), undefined);
  assert.equal(containerRefusal(spec({ network: "outbound" }), { ...offer, network: true }), undefined);
});

test("whom programs run as: never root, and nobody whom the agent could not give files to", () => {
  assert.equal(userFor(undefined, 0, 0, "65532:65532"), "65532:65532");
  assert.equal(userFor(undefined, 1000, 100, "65532:65532"), "1000:100");
  assert.equal(userFor("7:8", 0, 0, "65532:65532"), "7:8");
  for (const user of ["0:0", "0:5", "5:0", "nobody", "5", "-1:1", "00:1"]) {
    assert.throws(() => userFor(user, 0, 0, ""), { code: "REFUSED", message: /neither of them root/ }, user);
  }
  assert.throws(() => userFor("7:8", 1000, 1000, ""), { code: "REFUSED", message: /leave it out/ });
});

test("a GPU is one unit's at a time", () => {
  const gpus = new Gpus(["0", "1", "2"]);
  const first = gpus.take(2);
  assert.deepEqual(first, ["0", "1"]);
  assert.throws(() => gpus.take(2), { code: "START_FAILED", message: /wants 2 GPUs, but only 1 of 3 are free/ });
  assert.deepEqual(gpus.claim(["2", "9"]), ["2"]);
  assert.throws(() => gpus.take(1), { code: "START_FAILED" });
  gpus.giveBack(first);
  assert.deepEqual(gpus.take(2), ["0", "1"]);
});

test("images: the longest unused go first, those in use never, and no more than needed", () => {
  const image = (id: string, bytes: number, usedAt: number) => ({ id, reference: id, bytes, usedAt });
  const images = [image("new", 40, 3), image("old", 30, 1), image("middle", 50, 2)];
  const removed = (bound: number, ...inUse: string[]) =>
    imagesToRemove(images, bound, new Set(inUse)).map(({ id }) => id);
  assert.deepEqual(removed(120), []);
  assert.deepEqual(removed(119), ["old"]);
  assert.deepEqual(removed(89), ["old", "middle"]);
  assert.deepEqual(removed(89, "old"), ["middle"]);
  assert.deepEqual(removed(0, "new", "old", "middle"), []);
  assert.equal(
    withoutTag(`lab.example:5000/a/b:v1@sha256:${"0".repeat(64)}`),
    `lab.example:5000/a/b@sha256:${"0".repeat(64)}`,
  );
  assert.equal(withoutTag(IMAGE), IMAGE);
  assert.equal(withoutTag("drmp/trainer:1"), "drmp/trainer:1");
});

test("containers that nobody will ask for", () => {
  const containers = ["busy", "gone", "waits"].map((name) => ({ name, root: `/${name}` }));
  const names = (upMs: number) =>
    unwanted(containers, new Set(["busy"]), (root) => root !== "/gone", upMs, 1000).map(({ name }) => name);
  assert.deepEqual(names(1000), ["gone"]);
  assert.deepEqual(names(1001), ["gone", "waits"]);
});
