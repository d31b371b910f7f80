/**
 * Serve npm's oidc-provider at the paths of Zoho Accounts, on loopback: node provider.mjs FOLDER PORT CLIENTS
 * CLIENTS is JSON: [{client_id, client_secret, redirect_uris}]. Whoever signs in is called as they say.
 *
 * Codes, tokens, keys, PKCE, forms and signatures are the provider's own. What is bent to Zoho: the paths, the
 * comma between scopes, and claims in the id token.
 */

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, port, clients] = process.argv.slice(2);
const library = join(folder, "node_modules/oidc-provider/lib/index.js");
const { default: Provider } = await import(pathToFileURL(library));

const key = (use) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use, alg: "RS256" };
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: JSON.parse(clients).map((client) => ({
    ...client,
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_post",
    id_token_signed_response_alg: "RS256",
  })),
  routes: { authorization: "/oauth/v2/auth", token: "/oauth/v2/token", jwks: "/oauth/v2/keys" },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  findAccount: async (_ctx, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      email: `${id.replace(/^unverified-/, "")}@example.com`,
      email_verified: !id.startsWith("unverified-"),
      name: "Ada Fontaine",
    }),
  }),
  // Two keys: a verifier has to find the one that the token names.
  jwks: { keys: [key("sig"), key("sig")] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  pkce: { required: () => true },
  scopes: ["openid", "email", "profile"],
  features: { devInteractions: { enabled: true } },
});

provider.use(async (ctx, next) => {
  if (ctx.path === "/oauth/v2/auth" && ctx.query.scope) {
    ctx.query = { ...ctx.query, scope: ctx.query.scope.replaceAll(",", " ") };
  }
  await next();
});

provider.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
