/**
 * Loaded in front of each Node process of a local network (`node --import …`): ends it when the process that started it is
 * gone, however that ended. File descriptor 3 is a pipe that only the parent holds open.
 */
import { Socket } from "node:net";

/** Where {@link Processes} puts the pipe. */
const PIPE = 3;

new Socket({ fd: PIPE, readable: true, writable: false })
  .on("error", () => undefined)
  .once("close", () => process.kill(process.pid, "SIGKILL"))
  .resume()
  .unref();
