import { connectEngine } from "@verai/executor/container/engine";

/** What of a container engine there is on this machine. */
export interface EngineHere {
  /** Such as "Docker 27.1"; undefined if there is none that can be used. */
  readonly engine: string | undefined;
  /** Image of the built-in trainers; undefined if it has not been built. */
  readonly trainerImage: string | undefined;
  /** What is missing, and the remedy; empty if nothing is. */
  readonly missing: string;
}

/** Looks for a container engine and for the image of the built-in trainers. Changes nothing. */
export async function engineHere(trainerImage: string): Promise<EngineHere> {
  try {
    const { docker, name } = await connectEngine();
    const built = await docker
      .getImage(trainerImage)
      .inspect()
      .then(
        () => true,
        () => false,
      );
    return {
      engine: name,
      trainerImage: built ? trainerImage : undefined,
      missing: built
        ? ""
        : `There is no image ${trainerImage}, so that it runs images alone, and no built-in trainers: build it with \`npm run images -- trainer\`.`,
    };
  } catch (error) {
    return {
      engine: undefined,
      trainerImage: undefined,
      missing: error instanceof Error ? error.message : String(error),
    };
  }
}
