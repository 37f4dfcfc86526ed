import type { HardhatPlugin } from "hardhat/types/plugins";

/**
 * Has every compiler output name its contracts, also where there are none.
 *
 * The compiler leaves the key `contracts` out if no file of a job has a contract, as with a file of constants that is
 * compiled by itself. Hardhat stores the output as it is, and its simulated network then refuses every build info of the
 * project ("Failed to parse build info: missing field `contracts`"), so that no chain can be started.
 */
export const completeBuildInfos: HardhatPlugin = {
  id: "drmp-complete-build-infos",
  hookHandlers: {
    solidity: () =>
      Promise.resolve({
        default: () =>
          Promise.resolve({
            invokeSolc: async (context, compiler, input, config, next) => {
              const output = await next(context, compiler, input, config);
              return { ...output, contracts: output.contracts ?? {} };
            },
          }),
      }),
  },
};
