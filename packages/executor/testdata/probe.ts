/** Looks around inside a container, and tells what it finds: what its argument asks for. */
import { spawn, spawnSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname, networkInterfaces, userInfo } from "node:os";
import { join } from "node:path";

import { readUnitEnvironment } from "../environment.ts";

const { directories } = readUnitEnvironment(process.env);
const [what, ...rest] = process.argv.slice(2);

function report(content: unknown): void {
  writeFileSync(join(directories.output, "result.json"), JSON.stringify(content));
}

/** The code of the error that an action ends with; else the text that it returns, or "allowed". */
function attempt(action: () => unknown): string {
  try {
    const done = action();
    return typeof done === "string" ? done : "allowed";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

async function reach(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, timeout: 3000 });
  return new Promise((resolve) => {
    socket.on("connect", () => resolve("allowed"));
    socket.on("timeout", () => resolve("timeout"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** A counter of the cgroup, of version 2 or 1. */
function cgroup(v1: string, v2: string): string {
  const path = [join("/sys/fs/cgroup", v2), join("/sys/fs/cgroup", v1)].find((file) => existsSync(file));
  return path === undefined ? "" : readFileSync(path, "utf8").trim();
}

switch (what) {
  case "rights": {
    const status = readFileSync("/proc/self/status", "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1];
    report({
      user: [process.getuid?.(), process.getgid?.(), process.getgroups?.()],
      capabilities: [field("CapEff"), field("CapPrm"), field("CapBnd")],
      noNewPrivileges: field("NoNewPrivs"),
      seccomp: field("Seccomp"),
      writeRoot: attempt(() => writeFileSync("/escaped", "")),
      writeUsr: attempt(() => writeFileSync("/usr/local/bin/node2", "")),
      writeInput: attempt(() => writeFileSync(join(directories.input, "changed"), "")),
      volume: /^\S+ \/declared (\S+) (\S+)/m.exec(readFileSync("/proc/mounts", "utf8"))?.slice(1),
      name: attempt(() => userInfo().username),
      writePasswd: attempt(() => writeFileSync("/etc/passwd", "")),
      writeTmp: attempt(() => writeFileSync("/tmp/file", "")),
      writeCheckpoint: attempt(() => writeFileSync(join(directories.checkpoint, "note"), "")),
      fillTmp: attempt(() => writeFileSync("/tmp/large", Buffer.alloc(Number(rest[0]) * 2 ** 20))),
      interfaces: Object.keys(networkInterfaces()),
      reach: await reach(rest[1] ?? "", Number(rest[2])),
      input: readFileSync(join(directories.input, "data.txt"), "utf8"),
      environment: process.env,
    });
    break;
  }
  case "libraries": {
    // What PyTorch and its like need: a user's name, their host's address, room, and libraries that are loaded from there.
    const program = "/tmp/program";
    writeFileSync(program, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    report({
      user: userInfo().username,
      home: userInfo().homedir,
      host: (await lookup(hostname())).address,
      run: spawnSync(program).status,
      tmp: attempt(() => writeFileSync("/tmp/large", Buffer.alloc(Number(rest[0]) * 2 ** 20))),
      shm: attempt(() => writeFileSync("/dev/shm/large", Buffer.alloc(Number(rest[1]) * 2 ** 20))),
    });
    break;
  }
  case "fill-tmp":
    for (let i = 0; ; i++) writeFileSync(`/tmp/part-${i}`, Buffer.alloc(2 ** 20, 1));
  case "burn": {
    const started = process.hrtime.bigint();
    const before = process.cpuUsage();
    while (process.hrtime.bigint() - started < BigInt(rest[0] ?? 0) * 1_000_000n);
    const { user, system } = process.cpuUsage(before);
    report({
      share: (user + system) / 1000 / Number(rest[0]),
      quota: cgroup("cpu/cpu.cfs_quota_us", "cpu.max"),
      throttled: Number(/^nr_throttled (\d+)$/m.exec(cgroup("cpu/cpu.stat", "cpu.stat"))?.[1] ?? 0),
    });
    break;
  }
  case "fork": {
    let children = 0;
    let refused = "none";
    while (children < Number(rest[0]) && refused === "none") {
      const child = spawn("/bin/sh", ["-c", "read x"], { stdio: ["pipe", "ignore", "ignore"] });
      const [error] = (await Promise.race([once(child, "spawn").then(() => [undefined]), once(child, "error")]).catch(
        (failure: unknown) => [failure],
      )) as [NodeJS.ErrnoException | undefined];
      if (error) refused = error.code ?? error.message;
      else children += 1;
    }
    report({ children, refused });
    process.exit(0);
    break;
  }
  case "fill":
    for (let i = 0; i < 10_000; i++) writeFileSync(join(directories.output, `part-${i}`), Buffer.alloc(2 ** 20, 1));
    break;
  case "large-file":
    report(attempt(() => writeFileSync(join(directories.output, "large"), Buffer.alloc(Number(rest[0]) * 2 ** 20))));
    break;
  default:
    throw new Error(`unknown: ${String(what)}`);
}
