// MCP client of the tests: npm @modelcontextprotocol/sdk, used as its documentation says. The task comes as the first line of
// standard input, commands as further lines; it answers in JSON lines.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const load = async (part) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/client/${part}.js`)).href);
const { Client } = await load('index');
const { StreamableHTTPClientTransport } = await load('streamableHttp');
const { auth, UnauthorizedError } = await load('auth');

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const task = await read();
const kept = { client: task.client, tokens: undefined, verifier: undefined, asked: undefined };
const provider = {
  get redirectUrl() {
    return task.redirect;
  },
  clientMetadataUrl: task.document ?? undefined,
  clientMetadata: {
    client_name: 'Assistant',
    redirect_uris: [task.redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...task.metadata,
  },
  state: () => 'state-of-the-assistant',
  clientInformation: () => kept.client ?? undefined,
  saveClientInformation: (information) => void (kept.client = information),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  redirectToAuthorization: (url) => void (kept.asked = url.href),
};

let client;
let transport;
async function connect() {
  client = new Client({ name: 'assistant', version: '1' });
  transport = new StreamableHTTPClientTransport(new URL(task.address), { authProvider: provider });
  await client.connect(transport);
}

// The person opens the address in a browser; the next line is where the browser came back to.
async function comeBack() {
  say({ url: kept.asked });
  const { url } = await read();
  await transport.finishAuth(new URL(url).searchParams.get('code'));
}

const commands = {
  async connect() {
    try {
      await connect();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await comeBack();
      await connect();
    }
    return { connected: true };
  },
  async call({ tool, args }) {
    const answer = await client.callTool({ name: tool, arguments: args ?? {} });
    return { answer: answer.structuredContent, failed_tool: answer.isError ?? false };
  },
  // This SDK refreshes before it asks for more, so a host that wants more forgets the old tokens, and asks for what the challenge
  // named.
  async more({ scope }) {
    kept.tokens = undefined;
    await auth(provider, { serverUrl: task.address, scope });
    await comeBack();
    return { scope: kept.tokens.scope };
  },
  // An access token that no server accepts, as an expired one: the SDK refreshes.
  async expire() {
    kept.tokens = { ...kept.tokens, access_token: 'expired' };
    return {};
  },
  async kept() {
    return { client: kept.client, scope: kept.tokens?.scope, refreshes: Boolean(kept.tokens?.refresh_token), token: kept.tokens?.access_token };
  },
};

for (;;) {
  let command;
  try {
    command = await read();
  } catch {
    break;
  }
  try {
    say(await commands[command.do](command));
  } catch (error) {
    say({ error: `${error.name}: ${error.message}`, code: error.code });
  }
}
process.exit(0);
