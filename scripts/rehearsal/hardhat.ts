import { readFile } from "node:fs/promises";

import { Doors } from "@verai/devnet/doors";
import { type Processes, type Running, tail } from "@verai/devnet/processes";
import type { KeystoreWallet } from "@verai/devnet/wallets";

/** Runs this project's commands against a chain, as people type them. */
export class Tasks {
  readonly #processes: Processes;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #deployment: string;
  readonly #doors = new Doors();
  #count = 0;

  /**
   * @param environment Where the endpoint of `--network baseSepolia` is found.
   * @param deployment File with the deployed addresses.
   */
  constructor(processes: Processes, environment: Readonly<Record<string, string>>, deployment: string) {
    this.#processes = processes;
    this.#environment = environment;
    this.#deployment = deployment;
  }

  /** Starts a task; its output is in its log. */
  start(id: string, options: readonly string[], by?: KeystoreWallet): Running {
    this.#count += 1;
    const name = `task-${String(this.#count).padStart(2, "0")}-${id.replace(":", "-")}`;
    const args = [
      this.#doors.of(id),
      id,
      "--network",
      "baseSepolia",
      "--deployment",
      this.#deployment,
      "--json",
      ...options,
    ];
    const signer = by ? ["--keystore", by.keystore, "--passphrase-file", by.passphraseFile, "--yes"] : [];
    return this.#processes.start(name, [...args, ...signer], this.#environment);
  }

  /**
   * Runs a task to its end.
   *
   * @returns What it printed as JSON.
   * @throws Error with the end of its log if its exit code is not 0.
   */
  async run<T>(id: string, options: readonly string[] = [], by?: KeystoreWallet): Promise<T> {
    return this.result<T>(this.start(id, options, by));
  }

  /** Waits for a task that was started. */
  async result<T>(running: Running): Promise<T> {
    const code = await running.exit;
    if (code !== 0) throw new Error(`${running.name} failed (${String(code)}):\n${await tail(running.log)}`);
    const lines = (await readFile(running.log, "utf8")).trimEnd().split("\n");
    const last = lines.filter((line) => line.startsWith("{")).at(-1);
    if (last === undefined) throw new Error(`${running.name} printed no result:\n${await tail(running.log)}`);
    return JSON.parse(last) as T;
  }
}
