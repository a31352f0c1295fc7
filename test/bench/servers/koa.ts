import Koa from 'koa'
import { built } from '../built.ts'
import type { Contestants } from './contestant.ts'
import { bytesOf, judge } from './hand-written.ts'
import { octokitOnNode } from './octokit.ts'
import { receiver } from './ours.ts'

export const contestants: Contestants = {
  async hooklayer() {
    const { createKoaMiddleware } = await built('koa')
    return new Koa().use(createKoaMiddleware(await receiver())).callback()
  },
  'hand-written': () =>
    new Koa()
      .use(async (context) => {
        const { status, answer } = judge(await bytesOf(context.req), context.get('x-commercelayer-signature'))
        context.status = status
        context.body = answer
      })
      .callback(),
  async octokit() {
    const middleware = await octokitOnNode()
    return new Koa()
      .use(async (context) => {
        context.respond = false
        await middleware(context.req, context.res)
      })
      .callback()
  },
}
