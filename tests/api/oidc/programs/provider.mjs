// A provider of OpenID Connect that others wrote (oidc-provider, certified), with its own pages for logging in.
// Its first argument: the settings as JSON. It prints its address once it listens.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const { client, secret, back, method } = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const address = `http://localhost:${server.address().port}`;
  const provider = new Provider(address, {
    clients: [{ client_id: client, client_secret: secret, redirect_uris: [back], token_endpoint_auth_method: method }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
    scopes: ["openid", "email", "groups"],
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: id !== "unverified", groups: id === "guard" ? ["guards"] : [] }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ["for tests"] },
    features: { devInteractions: { enabled: true } },
  });
  server.on("request", provider.callback());
  console.log(address);
});
