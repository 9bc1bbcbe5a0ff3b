// A real OpenID provider on loopback: whoever types a name and any password is let in under that name.
// Usage: node identity_provider.mjs PORT REDIRECT_URI KEYS_FILE ; prints "ready" once it answers.
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, redirectUri, keysFile] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'imaging-service',
    client_secret: 'a secret of the service',
    redirect_uris: [redirectUri],
  }],
  jwks: JSON.parse(readFileSync(keysFile, 'utf-8')),
  cookies: { keys: ['of this run only'] },
  pkce: { required: () => true },
  findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  loadExistingGrant: async (ctx) => {  // nobody is asked for consent: the service is the house's own
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
