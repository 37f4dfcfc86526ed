import { type ChildProcess, spawn } from "node:child_process";

import { ROOT } from "./known.ts";

/** A command that runs in a terminal of its own. */
export interface Running {
  /** What it has shown so far, without colours. */
  readonly shown: () => string;
  /** Its exit code. */
  readonly exit: Promise<number>;
  /** Ctrl-C. */
  readonly interrupt: () => void;
  readonly kill: () => void;
}

/** Whatever ends this process, nothing stays behind: without its terminal a command is hung up on. */
const kills = new Set<() => void>();
process.once("exit", () => {
  for (const kill of kills) kill();
});

/**
 * Runs a command as somebody at a terminal does: it is asked its questions there, and each is answered with yes.
 * util-linux' `script` makes the terminal.
 */
export function atTerminal(command: string, environment: Readonly<Record<string, string>>): Running {
  const child: ChildProcess = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    cwd: ROOT,
    env: { ...process.env, ...environment, SHELL: "/bin/bash", TERM: "dumb", NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let [shown, answered] = ["", 0];
  for (const pipe of [child.stdout, child.stderr]) {
    pipe?.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      const asked = shown.split("[y/N]").length - 1;
      for (; answered < asked; answered++) child.stdin?.write("y\n");
    });
  }
  child.stdin?.on("error", () => undefined);
  const exit = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code ?? 1);
    });
  });
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  kills.add(kill);
  void exit.then(
    () => kills.delete(kill),
    () => kills.delete(kill),
  );
  return {
    // oxlint-disable-next-line no-control-regex -- terminals are told colours and positions by escape sequences
    shown: () => shown.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", ""),
    exit,
    interrupt: () => {
      // The terminal turns the character into the signal, as for somebody who types it.
      child.stdin?.write("\u0003");
    },
    kill,
  };
}
