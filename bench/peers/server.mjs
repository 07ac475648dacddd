// Peer of the benchmark: oidc-provider 9 with its own in-memory adapter, on one process.
//
// The configuration, and why it is fair to both sides:
// - ES256 access tokens as JWTs (RFC 9068) for client_credentials and for refresh, one audience, the same scopes.
//   oidc-provider does not store JWT access tokens, so its adapter holds only grants and refresh tokens.
// - No `openid` scope, so neither side signs an ID token with a refresh.
// - Refresh tokens rotate at every use, as Doorward's do. Sessions do not bind them.
// - client_secret_basic on both sides.
// - Everything that a deployment would disable is disabled: the development login pages, PAR, device flow, userinfo,
//   logout. NODE_ENV is production, and no event listener is attached.
// - Its in-memory adapter keeps 1,000 to 2,000 entries and iterates over every valid refresh token of a grant when a
//   new one is stored. A family that rotates thousands of times would slow it down for a reason that no deployment
//   has; so there are as many families as fit without eviction, and the bench requests new ones (SIGUSR2)
//   before each round.
// - Refresh tokens are minted through the provider's own models, just as its token endpoint does after a code: the
//   sign-in is not part of what is measured.
//
// Environment: PORT, FAMILIES. Prints one JSON line when it listens: {client_id, client_secret, resource, scope, node,
// version}, and for each SIGUSR2 one line with an array of FAMILIES refresh tokens.
import { createRequire } from 'node:module';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The packages are in the working directory, not beside this file.
const require = createRequire(join(process.cwd(), 'package.json'));
const entry = require.resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(entry).href);
const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));

const port = Number(process.env.PORT);
const families = Number(process.env.FAMILIES ?? '160');
const clientId = 'bench';
const clientSecret = randomBytes(32).toString('base64url');
const resource = 'https://orders.example.com';
const scope = 'orders:read orders:write';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'bench-es256' };

const resourceServer = {
  scope,
  audience: resource,
  accessTokenFormat: 'jwt',
  accessTokenTTL: 600,
  jwt: { sign: { alg: 'ES256' } },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [jwk] },
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: ['https://app.example.com/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  scopes: ['openid', 'offline_access'],
  clientAuthMethods: ['client_secret_basic'],
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  ttl: {
    AccessToken: 600,
    ClientCredentials: 600,
    RefreshToken: 14 * 24 * 3600,
    Grant: 14 * 24 * 3600,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => resourceServer,
    },
  },
});

provider.on('server_error', (_ctx, error) => {
  process.stderr.write(`${error.stack}\n`);
});

const client = await provider.Client.find(clientId);
let accounts = 0;

async function mintFamily() {
  accounts += 1;
  const accountId = `person-${accounts}`;
  const grant = new provider.Grant({ accountId, clientId });
  grant.addResourceScope(resource, scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId,
    client,
    grantId,
    scope,
    resource,
    gty: 'authorization_code',
    authTime: Math.floor(Date.now() / 1000),
    expiresWithSession: false,
    rotations: 0,
  });
  return token.save();
}

process.on('SIGUSR2', async () => {
  const tokens = [];
  for (let number = 0; number < families; number += 1) {
    tokens.push(await mintFamily());
  }
  process.stdout.write(`${JSON.stringify(tokens)}\n`);
});

provider.listen(port, '127.0.0.1', () => {
  process.stdout.write(
    `${JSON.stringify({
      client_id: clientId,
      client_secret: clientSecret,
      resource,
      scope,
      node: process.version,
      version,
    })}\n`,
  );
});
