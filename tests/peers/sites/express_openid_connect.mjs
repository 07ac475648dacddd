// A site on npm express-openid-connect, set up as its README says for any OpenID provider with the code flow.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.PEERS_FOLDER, 'package.json'));
const express = require('express');
const { auth, requiresAuth } = require('express-openid-connect');

const app = express();
app.use(
  auth({
    issuerBaseURL: process.env.ISSUER,
    baseURL: process.env.BASE,
    clientID: process.env.CLIENT_ID,
    clientSecret: process.env.CLIENT_SECRET,
    secret: 'a long random value that only this test knows',
    authRequired: false,
    idpLogout: true,
    authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access' },
  }),
);
app.get('/', (request, response) => response.json({ signed_in: request.oidc.isAuthenticated() }));
app.get('/me', requiresAuth(), async (request, response) => {
  response.json({ claims: request.oidc.idTokenClaims, userinfo: await request.oidc.fetchUserInfo() });
});
app.get('/refresh', requiresAuth(), async (request, response) => {
  const before = request.oidc.refreshToken;
  const renewed = await request.oidc.accessToken.refresh();
  response.json({ renewed: Boolean(renewed.access_token) && before !== request.oidc.refreshToken });
});
app.use((error, _request, response, _next) => {
  response.status(500).json({ failed: String(error), because: String(error.cause ?? '') });
});
app.listen(Number(process.env.PORT), '127.0.0.1');
