import { Injectable, UseGuards, type ExecutionContext } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AnyValidKey,
  ApiKeyGuard,
  CurrentPrincipal,
  KeysOnly,
  type ApiKeyDecision,
  type Principal,
  type PrincipalSource,
} from 'nestjs-kinde-api-key';
import { kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import { startScenario, type Scenario } from '../support/scenario.js';
import { DRIVERS } from './support/graphql-drivers.js';
import { PLATFORMS } from './support/socket-clients.js';

const AUDIENCE = 'https://api.example.com';

@Resolver()
@UseGuards(ApiKeyGuard)
class CallersResolver {
  @Query(() => String, { nullable: true })
  @AnyValidKey()
  who(@CurrentPrincipal() { kind, userId }: Principal) {
    return `${kind} ${userId}`;
  }

  @Query(() => String, { nullable: true })
  @KeysOnly()
  key() {
    return 'a key';
  }
}

@WebSocketGateway()
@UseGuards(ApiKeyGuard)
class CallersGateway {
  @SubscribeMessage('who')
  @AnyValidKey()
  who(@CurrentPrincipal() { kind, userId }: Principal) {
    return { event: 'answer', data: `${kind} ${userId}` };
  }
}

@Injectable()
class Sessions implements PrincipalSource {
  static asked = 0;

  async authenticate(context: ExecutionContext): Promise<Principal | null> {
    Sessions.asked += 1;
    const [, , graphql] = context.getArgs<[unknown, unknown, { req: { headers: Record<string, unknown> } }]>();
    const { cookie } = graphql.req?.headers ?? {};
    return cookie === 'session=kp_1' ? { kind: 'session', scopes: [], orgCode: null, userId: 'kp_1' } : null;
  }
}

describe.each(DRIVERS.filter(([name]) => name.includes('code first')))(
  'callers without a key, on %s',
  (_name, driver) => {
    let scenario: Scenario;
    const decisions: ApiKeyDecision[] = [];

    beforeAll(async () => {
      scenario = await startScenario({
        adapter: driver.adapter,
        imports: [driver.module()],
        providers: [CallersResolver, CallersGateway, Sessions],
        options: {
          onDecision: (decision) => decisions.push(decision),
          principals: [kindeAccessTokens({ audience: AUDIENCE }), Sessions],
        },
        prepare: (app) => PLATFORMS[0]?.[1].use(app),
      });
    });
    afterAll(() => scenario.close());
    beforeEach(() => {
      decisions.length = 0;
      Sessions.asked = 0;
    });

    const ask = async (query: string, headers: Record<string, string>) => {
      const body = JSON.stringify({ query });
      return (
        await scenario.send('/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        })
      ).body;
    };

    it('are known by an access token, and decided about by the same rules', async () => {
      const authorization = `Bearer ${scenario.emulator.issueToken({ audience: AUDIENCE, userId: 'kp_2' })}`;
      expect(await ask('{ who key }', { authorization })).toMatchObject({
        data: { who: 'access_token kp_2', key: null },
        errors: [{ extensions: { code: 'KEY_REQUIRED' } }],
      });
      expect(decisions).toHaveLength(2);
      expect(decisions).toContainEqual(
        expect.objectContaining({ outcome: 'accepted', principal: { kind: 'access_token', id: 'kp_2' } }),
      );
      expect(decisions).toContainEqual(expect.objectContaining({ outcome: 'refused', code: 'KEY_REQUIRED' }));
    });

    it('are asked for once, for all resolvers of a request', async () => {
      expect(await ask('{ a: who b: who c: who }', { cookie: 'session=kp_1' })).toEqual({
        data: { a: 'session kp_1', b: 'session kp_1', c: 'session kp_1' },
      });
      expect(Sessions.asked).toBe(1);
      expect(await ask('{ who }', {})).toMatchObject({ errors: [{ extensions: { code: 'MISSING_KEY' } }] });
    });

    it('are known by the handshake of a socket', async () => {
      const authorization = `Bearer ${scenario.emulator.issueToken({ audience: AUDIENCE, userId: 'kp_2' })}`;
      const client = await PLATFORMS[0]?.[1].connect(scenario.url, { authorization });
      expect(await client?.ask('who')).toEqual({ event: 'answer', data: 'access_token kp_2' });
      client?.close();
    });
  },
);
