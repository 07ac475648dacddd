// OpenID provider of the tests: npm oidc-provider with its own sign-in pages, as its documentation sets it up. It reads one line of
// JSON from standard input: {port, host, redirect_uri, alg, auth_method, secret, public_key, logout_uri}. It prints {ready} when it listens; a line
// {"rotate": true} makes it sign with another key from then on.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const kinds = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};
const key = (kid) => ({
  ...kinds[task.alg]().privateKey.export({ format: 'jwk' }),
  use: 'sig',
  alg: task.alg,
  kid,
});

function provider(kid) {
  const made = new Provider(`http://${task.host ?? '127.0.0.1'}:${task.port}`, {
    jwks: { keys: [key(kid)] },
    clients: [
      {
        client_id: 'doorward',
        redirect_uris: [task.redirect_uri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        id_token_signed_response_alg: task.alg,
        token_endpoint_auth_method: task.auth_method,
        ...(task.secret ? { client_secret: task.secret } : {}),
        ...(task.logout_uri
          ? { backchannel_logout_uri: task.logout_uri, backchannel_logout_session_required: true }
          : {}),
        ...(task.public_key ? { jwks: { keys: [task.public_key] } } : {}),
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    features: { backchannelLogout: { enabled: true } },
    // its own guard calls no server on this machine
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    cookies: { keys: ['only for tests'] },
    async findAccount(_context, id) {
      const claims = { sub: id, email: `${id}@example.net`, email_verified: true, name: `Person ${id}` };
      return { accountId: id, claims: async () => claims };
    },
  });
  return made.callback();
}

let answer = provider(randomUUID());
createServer((request, response) => answer(request, response)).listen(task.port, '127.0.0.1', () => say({ ready: true }));
for await (const line of lines) {
  if (JSON.parse(line).rotate) {
    answer = provider(randomUUID());
    say({ rotated: true });
  }
}
