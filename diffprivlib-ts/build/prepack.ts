// npm packs the folder it is called in, and the sources are not what is published: Node strips no types below node_modules.
process.stderr.write(
  'These are the sources. The published form is made by "npm run build" and packed by "npm pack ./dist".\n',
)
process.exitCode = 1
