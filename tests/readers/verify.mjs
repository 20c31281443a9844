// {"secret", "body", "headers"} on stdin → what `standardwebhooks` of npm says of it.

import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, body, headers } = JSON.parse(readFileSync(0, "utf8"));
try {
  new Webhook(secret).verify(body, headers);
  process.stdout.write("right");
} catch (error) {
  process.stdout.write(`wrong: ${error.message}`);
}
