#!/usr/bin/env node
import { requireNode24 } from './require-node.js'

requireNode24()
await import('../main.ts')
