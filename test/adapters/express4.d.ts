/** Express 4 by its alias: what these tests use of it has Express 5's types. */
declare module 'express4' {
  import express from 'express'
  export = express
}
