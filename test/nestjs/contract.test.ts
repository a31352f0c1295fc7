import { HooklayerService } from 'hooklayer/nestjs'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { createApp, listenTo, PLATFORMS, withSecrets } from './apps.ts'

for (const platform of PLATFORMS) {
  testAdapter(
    `Nest on ${platform}`,
    async () => {
      const app = await createApp(platform, { imports: [withSecrets()] })
      Object.assign(app.get(HooklayerService).receiver, createScenarioReceiver())
      return listenTo(app)
    },
    { limitations: NO_BACKGROUND },
  )
}
