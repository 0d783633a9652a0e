import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { serveApiDocs } from './openapi.js';

// Needs the three KINDE_* variables. `npm start` runs start-up/start.ts: this app, with an emulator where they are not set.
const app = await NestFactory.create(AppModule);
serveApiDocs(app);
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
