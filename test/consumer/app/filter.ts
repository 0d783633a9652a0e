import 'reflect-metadata';
import { Catch, Controller, Get, HttpException, Module, type ArgumentsHost } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AnyValidKey, KindeApiKeyModule } from 'nestjs-kinde-api-key';

interface AppResponse {
  status(code: number): { send(body: unknown): void };
}

/** A filter as apps have it: it writes into the body of the exception. */
@Catch(HttpException)
class AppFilter {
  catch(exception: HttpException, host: ArgumentsHost): void {
    const body = exception.getResponse() as Record<string, unknown>;
    body['path'] = '/x';
    host.switchToHttp().getResponse<AppResponse>().status(exception.getStatus()).send(body);
  }
}

@Controller('reports')
@AnyValidKey()
class ReportsController {
  @Get()
  list(): string {
    return 'reports';
  }
}

@Module({
  imports: [
    KindeApiKeyModule.forRoot({
      domain: 'http://127.0.0.1:9',
      verifyAtBoot: false,
      clientId: 'id',
      clientSecret: 'secret',
      globalGuard: true,
    }),
  ],
  controllers: [ReportsController],
})
class AppModule {}

/** Prints the answers to two requests without a key: the second shows that the process lives. */
async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], abortOnError: false });
  app.useGlobalFilters(new AppFilter());
  await app.listen(0, '127.0.0.1');
  const answers: string[] = [];
  for (let times = 0; times < 2; times += 1) {
    const response = await fetch(`${await app.getUrl()}/reports`);
    const { code, path } = (await response.json()) as { code?: string; path?: string };
    answers.push(`${response.status} ${code} ${path} ${response.headers.get('www-authenticate')}`);
  }
  console.log(JSON.stringify(answers));
  await app.close();
}

void main();
