// Written by `npm run abi` from the contracts; do not edit.

/** ABI of TestnetFaucet, with literal types. @public */
export const testnetFaucetAbi = [
{"inputs":[{"internalType":"contract IERC20","name":"token","type":"address"},{"internalType":"uint256","name":"drip_","type":"uint256"}],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[{"internalType":"address","name":"account","type":"address"},{"internalType":"uint256","name":"next","type":"uint256"}],"name":"AlreadyServed","type":"error"},
{"inputs":[{"internalType":"uint256","name":"balance","type":"uint256"},{"internalType":"uint256","name":"drip_","type":"uint256"}],"name":"FaucetEmpty","type":"error"},
{"inputs":[{"internalType":"address","name":"token","type":"address"}],"name":"SafeERC20FailedOperation","type":"error"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"address","name":"account","type":"address"},{"indexed":false,"internalType":"uint256","name":"amount","type":"uint256"}],"name":"Dripped","type":"event"},
{"inputs":[],"name":"DRIP","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"PERIOD","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"TOKEN","outputs":[{"internalType":"contract IERC20","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"drip","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"address","name":"account","type":"address"}],"name":"nextDrip","outputs":[{"internalType":"uint256","name":"time","type":"uint256"}],"stateMutability":"view","type":"function"}
] as const;
