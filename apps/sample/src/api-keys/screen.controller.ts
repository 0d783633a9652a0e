import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PublicRoute } from 'nestjs-kinde-api-key';
import { readFile } from 'node:fs/promises';

/** Nothing but the page's own script, styles and calls. Scripts cannot write HTML, so that a key's name stays a text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The "API keys" screen. The page is public and has no data: its script calls the API with the key that the operator pastes. */
@ApiExcludeController()
@Controller('api-keys')
@PublicRoute()
export class ScreenController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', POLICY)
  @Header('Referrer-Policy', 'no-referrer')
  @Header('X-Content-Type-Options', 'nosniff')
  page(): Promise<string> {
    return fileOfScreen('index.html');
  }

  @Get('screen.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  @Header('X-Content-Type-Options', 'nosniff')
  script(): Promise<string> {
    return fileOfScreen('screen.js');
  }

  @Get('screen.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  @Header('X-Content-Type-Options', 'nosniff')
  styles(): Promise<string> {
    return fileOfScreen('screen.css');
  }
}

function fileOfScreen(name: string): Promise<string> {
  return readFile(new URL(`screen/${name}`, import.meta.url), 'utf8');
}
