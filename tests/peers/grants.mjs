// An app of the tests that gets tokens without a redirect: npm openid-client or oauth4webapi, used as their documentation says. It reads the
// task from standard input, and the next line once a person has allowed its device; it answers in JSON lines.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const refusal = (error) => ({ error: error.error, status: error.status });

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

// what an app says of itself when it registers (RFC 7591)
const newcomer = (method) => ({
  client_name: 'Newcomer',
  grant_types: [DEVICE, 'refresh_token'],
  response_types: [],
  token_endpoint_auth_method: method,
});

const exchanged = (task, token) => ({
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  resource: task.next_api,
});

async function openidClient(task) {
  const client = await load('openid-client');
  const auth = client.ClientSecretBasic(task.client_secret);
  const config = await client.discovery(new URL(task.issuer), task.client_id, {}, auth);
  client.enableNonRepudiationChecks(config);
  const begin = () => client.initiateDeviceAuthorization(config, { scope: task.scope, resource: task.api });
  const codes = await begin();
  say({ codes });
  await read();
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...codes, interval: task.interval });
  const refused = await begin();
  say({ codes: refused });
  await read();
  const denied = await client
    .pollDeviceAuthorizationGrant(config, { ...refused, interval: task.interval })
    .catch(refusal);
  const next = await client.genericGrantRequest(config, EXCHANGE, exchanged(task, tokens.access_token));
  const form = { assertion: task.assertion, resource: task.api, scope: task.job_scope };
  const job = await client.genericGrantRequest(config, JWT_BEARER, form);
  const again = await client.genericGrantRequest(config, JWT_BEARER, form).catch(refusal);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const own = await client.dynamicClientRegistration(new URL(task.issuer), newcomer('client_secret_post'));
  const registered = own.clientMetadata();
  const device = await client.initiateDeviceAuthorization(own, { scope: 'openid' });
  say({ tokens, claims: tokens.claims(), denied, next, job, again, refreshed, registered, device });
}

async function oauth4webapi(task) {
  const oauth = await load('oauth4webapi');
  const issuer = new URL(task.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
  const app = { client_id: task.client_id };
  const auth = oauth.ClientSecretBasic(task.client_secret);
  const begin = async () => {
    const parameters = new URLSearchParams({ scope: task.scope, resource: task.api });
    const answer = await oauth.deviceAuthorizationRequest(as, app, auth, parameters);
    return oauth.processDeviceAuthorizationResponse(as, app, answer);
  };
  const poll = async (codes) => {
    const answer = await oauth.deviceCodeGrantRequest(as, app, auth, codes.device_code);
    return oauth.processDeviceCodeResponse(as, app, answer);
  };
  const get = async (grant, form) => {
    const answer = await oauth.genericTokenEndpointRequest(as, app, auth, grant, form);
    return oauth.processGenericTokenEndpointResponse(as, app, answer);
  };
  const codes = await begin();
  const pending = await poll(codes).catch(refusal);
  const hurried = await poll(codes).catch(refusal);
  say({ codes });
  await read();
  const tokens = await poll(codes);
  const refused = await begin();
  say({ codes: refused });
  await read();
  const denied = await poll(refused).catch(refusal);
  const next = await get(EXCHANGE, exchanged(task, tokens.access_token));
  const form = { assertion: task.assertion, resource: task.api, scope: task.job_scope };
  const job = await get(JWT_BEARER, form);
  const again = await get(JWT_BEARER, form).catch(refusal);
  const refreshed = await oauth.processRefreshTokenResponse(
    as,
    app,
    await oauth.refreshTokenGrantRequest(as, app, auth, tokens.refresh_token),
  );
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const registered = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(as, newcomer('client_secret_basic')),
  );
  const own = oauth.ClientSecretBasic(registered.client_secret);
  const device = await oauth.processDeviceAuthorizationResponse(
    as,
    registered,
    await oauth.deviceAuthorizationRequest(as, registered, own, new URLSearchParams({ scope: 'openid' })),
  );
  say({ tokens, claims, pending, hurried, denied, next, job, again, refreshed, registered, device });
}

const task = await read();
try {
  await { 'openid-client': openidClient, oauth4webapi }[task.library](task);
} catch (error) {
  say({ failed: `${error.name}: ${error.message}`, code: error.code, cause: JSON.stringify(error.cause?.body ?? String(error.cause ?? '')) });
  process.exitCode = 1;
}
process.stdin.destroy();
