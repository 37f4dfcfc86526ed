// Written by `npm run abi` from the contracts; do not edit.

/** ABI of Parameters, with literal types. @public */
export const parametersAbi = [
{"inputs":[{"internalType":"address","name":"authority","type":"address"},{"components":[{"internalType":"uint64","name":"value","type":"uint64"},{"internalType":"uint64","name":"min","type":"uint64"},{"internalType":"uint64","name":"max","type":"uint64"}],"internalType":"struct IParameters.Bounded[]","name":"initial","type":"tuple[]"}],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[{"internalType":"address","name":"authority","type":"address"}],"name":"AccessManagedInvalidAuthority","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"},{"internalType":"uint32","name":"delay","type":"uint32"}],"name":"AccessManagedRequiredDelay","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"AccessManagedUnauthorized","type":"error"},
{"inputs":[{"internalType":"enum Param","name":"param","type":"uint8"},{"internalType":"uint64","name":"value","type":"uint64"},{"internalType":"uint64","name":"min","type":"uint64"},{"internalType":"uint64","name":"max","type":"uint64"}],"name":"ParameterOutOfBounds","type":"error"},
{"inputs":[{"internalType":"enum Param","name":"lower","type":"uint8"},{"internalType":"uint256","name":"needed","type":"uint256"},{"internalType":"enum Param","name":"higher","type":"uint8"},{"internalType":"uint256","name":"value","type":"uint256"}],"name":"ParametersOutOfStep","type":"error"},
{"inputs":[{"internalType":"uint256","name":"given","type":"uint256"},{"internalType":"uint256","name":"expected","type":"uint256"}],"name":"WrongParameterCount","type":"error"},
{"anonymous":false,"inputs":[{"indexed":false,"internalType":"address","name":"authority","type":"address"}],"name":"AuthorityUpdated","type":"event"},
{"anonymous":false,"inputs":[{"indexed":false,"internalType":"bool","name":"paused","type":"bool"}],"name":"IntakePausedSet","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"enum Param","name":"param","type":"uint8"},{"indexed":false,"internalType":"uint64","name":"previous","type":"uint64"},{"indexed":false,"internalType":"uint64","name":"value","type":"uint64"}],"name":"ParameterSet","type":"event"},
{"inputs":[],"name":"all","outputs":[{"components":[{"internalType":"uint64","name":"value","type":"uint64"},{"internalType":"uint64","name":"min","type":"uint64"},{"internalType":"uint64","name":"max","type":"uint64"}],"internalType":"struct IParameters.Bounded[]","name":"params","type":"tuple[]"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"authority","outputs":[{"internalType":"address","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"enum Param","name":"param","type":"uint8"}],"name":"bounded","outputs":[{"components":[{"internalType":"uint64","name":"value","type":"uint64"},{"internalType":"uint64","name":"min","type":"uint64"},{"internalType":"uint64","name":"max","type":"uint64"}],"internalType":"struct IParameters.Bounded","name":"","type":"tuple"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"enum Param","name":"param","type":"uint8"}],"name":"get","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"intakePaused","outputs":[{"internalType":"bool","name":"","type":"bool"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"isConsumingScheduledOp","outputs":[{"internalType":"bytes4","name":"","type":"bytes4"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"enum Param","name":"param","type":"uint8"},{"internalType":"uint64","name":"value","type":"uint64"}],"name":"set","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"address","name":"newAuthority","type":"address"}],"name":"setAuthority","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"bool","name":"paused","type":"bool"}],"name":"setIntakePaused","outputs":[],"stateMutability":"nonpayable","type":"function"}
] as const;
