import { Module } from '@nestjs/common'
import { secretsFromEnv } from 'hooklayer'
import { HooklayerModule } from 'hooklayer/nestjs'
import { OrderHandlers } from './order-handlers'

@Module({
  imports: [HooklayerModule.forRoot({ secrets: secretsFromEnv() })],
  providers: [OrderHandlers],
})
export class AppModule {}
