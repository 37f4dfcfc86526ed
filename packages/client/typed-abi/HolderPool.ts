// Written by `npm run abi` from the contracts; do not edit.

/** ABI of HolderPool, with literal types. @public */
export const holderPoolAbi = [
{"inputs":[],"name":"AlreadyInitialised","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"NotDeployer","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"NotModule","type":"error"},
{"anonymous":false,"inputs":[{"indexed":false,"internalType":"address","name":"supply","type":"address"}],"name":"SupplySet","type":"event"},
{"inputs":[],"name":"activeNodes","outputs":[{"internalType":"uint32","name":"","type":"uint32"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"position","type":"uint32"},{"internalType":"uint32","name":"count","type":"uint32"},{"internalType":"uint40","name":"average","type":"uint40"},{"internalType":"uint256","name":"chance","type":"uint256"}],"name":"drawn","outputs":[{"internalType":"uint32","name":"","type":"uint32"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"count","type":"uint32"}],"name":"freeze","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"address","name":"supply","type":"address"}],"name":"initialise","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"isInitialised","outputs":[{"internalType":"bool","name":"","type":"bool"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"nodeId","type":"uint32"},{"internalType":"uint256","name":"stake","type":"uint256"}],"name":"join","outputs":[{"internalType":"uint32","name":"position","type":"uint32"}],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"lastFreeze","outputs":[{"internalType":"uint32","name":"","type":"uint32"},{"internalType":"uint32","name":"","type":"uint32"},{"internalType":"uint40","name":"","type":"uint40"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"position","type":"uint32"}],"name":"leave","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"uint32","name":"position","type":"uint32"},{"internalType":"bool","name":"active","type":"bool"}],"name":"setActive","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"uint32","name":"position","type":"uint32"},{"internalType":"uint256","name":"stake","type":"uint256"}],"name":"setStake","outputs":[],"stateMutability":"nonpayable","type":"function"}
] as const;
