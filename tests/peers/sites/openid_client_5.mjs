// A site on npm openid-client 5, which many frameworks still build on, used as its README says for a web application.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const express = require('express');
const { Issuer, generators } = require('openid-client-5');

const base = process.env.BASE;
const issuer = await Issuer.discover(process.env.ISSUER);
const client = new issuer.Client({
  client_id: process.env.CLIENT_ID,
  client_secret: process.env.CLIENT_SECRET,
  redirect_uris: [`${base}/callback`],
  response_types: ['code'],
});
const verifier = generators.codeVerifier();
let tokens = null;

const app = express();
const said = (work) => async (request, response) => {
  try {
    await work(request, response);
  } catch (error) {
    response.status(500).json({ failed: String(error) });
  }
};
app.get('/', (_request, response) => response.json({ signed_in: tokens !== null }));
app.get('/login', (_request, response) => {
  response.redirect(
    client.authorizationUrl({
      scope: 'openid email profile offline_access',
      code_challenge: generators.codeChallenge(verifier),
      code_challenge_method: 'S256',
    }),
  );
});
app.get('/callback', said(async (request, response) => {
  tokens = await client.callback(`${base}/callback`, client.callbackParams(request), { code_verifier: verifier });
  response.redirect('/');
}));
app.get('/me', said(async (_request, response) => {
  response.json({ claims: tokens.claims(), userinfo: await client.userinfo(tokens.access_token) });
}));
app.get('/refresh', said(async (_request, response) => {
  const before = tokens.refresh_token;
  tokens = await client.refresh(before);
  response.json({ renewed: tokens.refresh_token !== before && tokens.claims().sub !== undefined });
}));
app.get('/logout', (_request, response) => {
  const leaving = client.endSessionUrl({ id_token_hint: tokens.id_token, post_logout_redirect_uri: base });
  tokens = null;
  response.redirect(leaving);
});
app.listen(Number(process.env.PORT), '127.0.0.1');
