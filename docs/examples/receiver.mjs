// A server that takes webhooks of yizhan: node receiver.mjs PORT SECRET. It needs nothing but node.
// It verifies the signature, refuses old messages, does nothing twice, answers at once, and prints what is free.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const MINUTES_OLD = 5;
const SEEN_MOST = 10_000;
const [port, secret] = process.argv.slice(2);
const seen = new Set();

// Whether yizhan sent this body a few minutes ago at most.
function verified(headers, body, nowS) {
  const { "webhook-id": message = "", "webhook-timestamp": stamp = "", "webhook-signature": signatures = "" } = headers;
  if (!/^\d+$/.test(stamp) || Math.abs(nowS - Number(stamp)) > MINUTES_OLD * 60) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const right = createHmac("sha256", key).update(`${message}.${stamp}.`).update(body).digest();
  return signatures.split(" ").some((signature) => {
    const offered = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return offered.length === right.length && timingSafeEqual(offered, right);
  });
}

function told({ type, data }) {
  if (type === "alert") return `${data.station}: ${data.kind} ${data.action}`;
  const counts = data.summary.map((row) => `${row.kind} ${row.usable_min}-${row.usable_max}/${row.total}`);
  return `${data.station}: ${counts.join(", ")} until ${data.valid_until}`;
}

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const good = verified(request.headers, body, Date.now() / 1000);
  response.writeHead(good ? 204 : 401).end();
  const id = request.headers["webhook-id"];
  if (!good || seen.has(id)) return;
  seen.add(id);
  if (seen.size > SEEN_MOST) seen.delete(seen.values().next().value);
  console.log(told(JSON.parse(body.toString("utf8"))));
}).listen(Number(port), "127.0.0.1");
