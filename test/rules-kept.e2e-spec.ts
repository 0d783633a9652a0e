import { Controller, Get, mixin, UseGuards, type OnModuleInit, type Type } from '@nestjs/common';
import { ApiKeyGuard, RequireScopes } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

/** Replaces the method by another function without copying its metadata. */
function Wrapped(): MethodDecorator {
  return (_target, _property, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (...args: unknown[]) => unknown;
    descriptor.value = function (this: unknown, ...args: unknown[]) {
      return original.apply(this, args);
    };
  };
}

/** Replaces the method and copies its metadata, as tracing libraries do. */
function Traced(): MethodDecorator {
  return (_target, _property, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (...args: unknown[]) => unknown;
    const traced = (...args: unknown[]) => original.apply(undefined, args);
    Object.defineProperty(traced, 'name', { value: '' });
    for (const key of Reflect.getMetadataKeys(original))
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), traced);
    descriptor.value = traced;
  };
}

@Controller('wrapped')
@UseGuards(ApiKeyGuard)
class WrappedController {
  @Get('below')
  @RequireScopes('admin')
  @Wrapped()
  below() {
    return 'ok';
  }

  @Get('above')
  @Wrapped()
  @RequireScopes('admin')
  above() {
    return 'ok';
  }

  @Traced()
  @Get('around')
  @RequireScopes('admin')
  around() {
    return 'ok';
  }

  @Get('stacked')
  @RequireScopes('read:users')
  @Wrapped()
  @RequireScopes('admin')
  stacked() {
    return 'ok';
  }
}

@UseGuards(ApiKeyGuard)
abstract class BaseController {
  @Get('overridden')
  @RequireScopes('admin')
  overridden() {
    return 'base';
  }

  @Get('inherited')
  @RequireScopes('admin')
  inherited() {
    return 'base';
  }
}

@Controller('subclass')
class SubclassController extends BaseController {
  @Get('overridden')
  override overridden() {
    return 'ok';
  }
}

@Controller('sibling')
@RequireScopes('read:users')
class SiblingController extends BaseController {}

function adminOnly(): Type<{ find(): string }> {
  @RequireScopes('admin')
  class AdminOnly {
    @Get('mixed')
    find() {
      return 'ok';
    }
  }
  return mixin(AdminOnly);
}

@Controller('mixin')
@UseGuards(ApiKeyGuard)
class MixedController extends adminOnly() {}

@Controller('replaced')
@UseGuards(ApiKeyGuard)
class ReplacedController implements OnModuleInit {
  onModuleInit() {
    const original = this.find.bind(this);
    this.find = () => original();
  }

  @Get()
  @RequireScopes('admin')
  find() {
    return 'ok';
  }
}

describeAdapters('an access rule is enforced', (adapter) => {
  let scenario: Scenario;
  let reader: string;
  let admin: string;

  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [WrappedController, SubclassController, SiblingController, MixedController, ReplacedController],
    });
    reader = scenario.emulator.createKey({ scopes: ['read:users'] }).key;
    admin = scenario.emulator.createKey({ scopes: ['read:users', 'admin'] }).key;
  });
  afterAll(() => scenario.close());

  it.each([
    ['below a wrapping decorator', '/wrapped/below'],
    ['above a wrapping decorator', '/wrapped/above'],
    ['inside a decorator that returns a function without a name', '/wrapped/around'],
    ['stacked around a wrapping decorator', '/wrapped/stacked'],
    ['on a method that a subclass overrides', '/subclass/overridden'],
    ['on a method that a subclass inherits', '/subclass/inherited'],
    ['on the class of a mixin', '/mixin/mixed'],
    ['on a handler that was replaced on the instance', '/replaced'],
  ])('%s', async (_where, path) => {
    expect(await scenario.get(path, reader)).toMatchObject({ status: 403, body: { code: 'INSUFFICIENT_SCOPE' } });
    expect(await scenario.get(path, admin)).toMatchObject({ status: 200 });
  });

  it('for each class separately when two inherit one function', async () => {
    const none = scenario.emulator.createKey({ scopes: ['admin'] }).key;
    expect(await scenario.get('/subclass/inherited', none)).toMatchObject({ status: 200 });
    expect(await scenario.get('/sibling/inherited', none)).toMatchObject({
      body: { required_scopes: ['read:users', 'admin'] },
    });
  });
});
