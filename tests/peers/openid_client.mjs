// Relying party of the tests: npm openid-client, used as its documentation says. It reads two lines from standard input
// (the task; the address to which the browser returned) and answers in JSON lines.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const client = await import(pathToFileURL(require.resolve('openid-client')).href);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const authentications = {
  client_secret_basic: (task) => client.ClientSecretBasic(task.client_secret),
  client_secret_post: (task) => client.ClientSecretPost(task.client_secret),
  none: () => client.None(),
  private_key_jwt: async (task) => {
    const der = createPrivateKey(task.private_key).export({ type: 'pkcs8', format: 'der' });
    const key = await crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    return client.PrivateKeyJwt({ key, kid: task.kid });
  },
};

async function configuration(task) {
  const authentication = await authentications[task.auth_method](task);
  const options = task.issuer.startsWith('http:') ? { execute: [client.allowInsecureRequests] } : {};
  const config = await client.discovery(new URL(task.issuer), task.client_id, task.metadata, authentication, options);
  // Without this call the library trusts answers over TLS; with it, it checks every signature with the server's keys.
  client.enableNonRepudiationChecks(config);
  return config;
}

async function signIn(task) {
  const config = await configuration(task);
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: task.redirect_uri,
    scope: task.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...task.parameters,
  });
  say({ url: url.href });
  const back = await read();
  const arrived = back.form
    ? new Request(task.redirect_uri, { method: 'POST', body: new URLSearchParams(back.form) })
    : new URL(back.url);
  const tokens = await client.authorizationCodeGrant(config, arrived, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    ...(task.parameters?.max_age !== undefined ? { maxAge: Number(task.parameters.max_age) } : {}),
  });
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub);
  const end = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: task.after,
    id_token_hint: tokens.id_token,
    state: 'bye',
  });
  const revoked = await client.refreshTokenGrant(config, refreshed.refresh_token);
  await client.tokenRevocation(config, revoked.refresh_token);
  let refusal = null;
  try {
    await client.refreshTokenGrant(config, revoked.refresh_token);
  } catch (error) {
    refusal = { name: error.name, error: error.error, status: error.status };
  }
  say({
    claims,
    userinfo,
    again,
    first: tokens,
    refreshed,
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    end_session: end.href,
    refusal,
  });
}

async function clientCredentials(task) {
  const config = await configuration(task);
  const tokens = await client.clientCredentialsGrant(config, task.parameters);
  const said = await client.tokenIntrospection(config, tokens.access_token);
  say({ tokens, introspection: said });
}

const task = await read();
try {
  await { sign_in: signIn, client_credentials: clientCredentials }[task.do](task);
} catch (error) {
  say({ failed: `${error.name}: ${error.message}`, code: error.code, cause: String(error.cause?.message ?? error.cause ?? '') });
  process.exitCode = 1;
}
process.stdin.destroy();
