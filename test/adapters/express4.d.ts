/** Express 4 by its alias: the parts that these tests use have the types of Express 5. */
declare module 'express4' {
  import express from 'express'
  export = express
}
