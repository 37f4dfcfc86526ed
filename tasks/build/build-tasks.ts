import { overrideTask } from "hardhat/config";

/** Builds only what has changed; see {@link keptBuild}. */
export const buildTasks = [
  overrideTask("build")
    .setAction(() => import("./kept-build.ts"))
    .build(),
];
