import express from 'express'
import { testExpress } from './express-suite.ts'

testExpress('Express 5', express)
