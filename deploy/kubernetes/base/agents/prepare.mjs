// Runs before an agent: its own wallet becomes readable by nobody else, and ${POD_NAME} in the configuration its name.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const pod = process.env.POD_NAME;
for (const name of ["keystore.json", "passphrase"]) {
  let secret;
  try {
    secret = readFileSync(`/secret/${pod}.${name}`);
  } catch {
    console.error(`The secret drmp-agents-keys has no entry ${pod}.${name}: each agent needs a wallet of its own.`);
    process.exit(1);
  }
  writeFileSync(`/run/agent/${name}`, secret, { mode: 0o600 });
}
// The owner's, where it is here: with it the agent registers its node, claims, and follows what the cluster can schedule.
for (const name of ["owner.keystore.json", "owner.passphrase"]) {
  if (!existsSync(`/secret/${pod}.${name}`)) continue;
  writeFileSync(`/run/agent/${name}`, readFileSync(`/secret/${pod}.${name}`), { mode: 0o600 });
}
const config = readFileSync("/template/agent.json", "utf8").replaceAll("${POD_NAME}", pod);
JSON.parse(config);
writeFileSync("/run/agent/agent.json", config, { mode: 0o600 });
