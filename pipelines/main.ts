import { runCommand } from './cli/program.ts'

// Each command loads what it needs when it is called: `explain` should not wait for the pipelines.
await runCommand(process.argv, {
  pipelines: async () => (await import('./cli/known-pipelines.ts')).knownPipelines(),
  deploy: async (settings) => (await import('./cli/deploy.ts')).openDeployment(settings),
})
