import { addDemo } from './cli/demo.ts'
import { openDeployment } from './cli/deploy.ts'
import { knownPipelines } from './cli/known-pipelines.ts'
import { runCommand } from './cli/program.ts'

await runCommand(process.argv, { pipelines: knownPipelines, deploy: openDeployment, commands: [addDemo] })
