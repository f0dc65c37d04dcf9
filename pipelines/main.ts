import { runCommand } from './cli/program.ts'

// Each command loads what it needs when it is called: `explain` should wait neither for the pipelines nor for the fleet.
const light = ['run', 'audit-run', 'decode', 'explain', 'describe', 'ledger', 'register', 'services', 'topics']

await runCommand(process.argv, {
  pipelines: async () => (await import('./cli/known-pipelines.ts')).knownPipelines(),
  deploy: async (settings, names) => (await import('./cli/deploy.ts')).openDeployment(settings, names),
  commands: light.includes(process.argv[2] ?? '') ? [] : [(await import('./cli/demo.ts')).addDemo],
})
