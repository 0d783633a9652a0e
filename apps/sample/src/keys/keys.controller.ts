import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AnyValidKey, CurrentApiKey, type VerifiedApiKey } from 'nestjs-kinde-api-key';

/** Returns the caller's key and its scopes. Helps to find the cause of a 403. */
@ApiTags('key')
@Controller('key')
export class KeysController {
  @Get()
  @AnyValidKey()
  @ApiOperation({ summary: 'Whose key is this, and what may it do?' })
  show(
    @CurrentApiKey() apiKey: VerifiedApiKey,
  ): Pick<VerifiedApiKey, 'keyId' | 'ownerType' | 'orgCode' | 'userId' | 'scopes'> {
    const { keyId, ownerType, orgCode, userId, scopes } = apiKey;
    return { keyId, ownerType, orgCode, userId, scopes };
  }
}
