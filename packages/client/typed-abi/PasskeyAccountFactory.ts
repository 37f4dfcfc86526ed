// Written by `npm run abi` from the contracts; do not edit.

/** ABI of PasskeyAccountFactory, with literal types. @public */
export const passkeyAccountFactoryAbi = [
{"inputs":[],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[],"name":"FailedDeployment","type":"error"},
{"inputs":[{"internalType":"uint256","name":"balance","type":"uint256"},{"internalType":"uint256","name":"needed","type":"uint256"}],"name":"InsufficientBalance","type":"error"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"address","name":"account","type":"address"},{"indexed":true,"internalType":"bytes32","name":"x","type":"bytes32"},{"indexed":true,"internalType":"bytes32","name":"y","type":"bytes32"}],"name":"AccountCreated","type":"event"},
{"inputs":[],"name":"IMPLEMENTATION","outputs":[{"internalType":"contract PasskeyAccount","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"bytes32","name":"x","type":"bytes32"},{"internalType":"bytes32","name":"y","type":"bytes32"}],"name":"accountOf","outputs":[{"internalType":"address","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"bytes32","name":"x","type":"bytes32"},{"internalType":"bytes32","name":"y","type":"bytes32"}],"name":"create","outputs":[{"internalType":"address","name":"account","type":"address"}],"stateMutability":"nonpayable","type":"function"}
] as const;
