import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Time for a Python to say where it is, milliseconds. */
const ASK_MS = 10_000;

/** The Python that this shell has, by its own word: what the name leads to may be a shim. Undefined if there is none. */
export async function findPython(): Promise<string | undefined> {
  try {
    const print = ["-c", "import sys; print(sys.executable)"];
    const { stdout } = await promisify(execFile)("python3", print, { timeout: ASK_MS });
    const path = stdout.trim();
    return path.startsWith("/") ? path : undefined;
  } catch {
    return undefined;
  }
}
