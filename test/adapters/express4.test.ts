import express from 'express4'
import { testExpress } from './express-suite.ts'

testExpress('Express 4', express)
