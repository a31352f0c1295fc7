import express from 'express'
import { built } from '../built.ts'
import { type Contestants, PATH } from './contestant.ts'
import { judge } from './hand-written.ts'
import { octokitOnNode } from './octokit.ts'
import { receiver } from './ours.ts'

export const contestants: Contestants = {
  async hooklayer() {
    const { createExpressMiddleware } = await built('express')
    return express().post(PATH, createExpressMiddleware(await receiver()))
  },
  'hand-written': () =>
    express().post(PATH, express.raw({ type: '*/*', limit: '5mb' }), (request, response) => {
      const { status, answer } = judge(request.body, request.get('x-commercelayer-signature'))
      response.status(status).json(answer)
    }),
  octokit: async () => express().post(PATH, await octokitOnNode()),
}
