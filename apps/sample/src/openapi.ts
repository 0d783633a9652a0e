import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { documentApiKeys } from 'nestjs-kinde-api-key/openapi';
import { DEMO_KEYS } from './demo/demo-keys.js';

const DEMO_KEY_LIST = Object.values(DEMO_KEYS)
  .map(({ key, name }) => `- \`${key}\`: ${name}`)
  .join('\n');

/**
 * Serves Swagger UI at `/docs` without a key: it is not a controller, so the guard does not apply. "Authorize" stores the caller's key. What each
 * operation demands, and how it refuses, comes from the decorators.
 */
export function serveApiDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Sample API')
    .setDescription('Organizations, users and projects, for callers with a Kinde API key.')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'API key',
        description: `A Kinde API key. The emulator of \`npm start\` has these:\n\n${DEMO_KEY_LIST}`,
      },
      'apiKey',
    )
    .build();
  SwaggerModule.setup('docs', app, () => documentApiKeys(app, SwaggerModule.createDocument(app, config)), {
    swaggerOptions: { persistAuthorization: true },
  });
}
