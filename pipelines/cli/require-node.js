// Plain JavaScript, so that a Node without type stripping still reaches the sentence.

/** Ends the process with one sentence where the running Node is older than the project needs. */
export function requireNode24() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 24) return
  process.stderr.write(
    `Meterveil needs Node 24, and this is Node ${process.versions.node}: run it through npm (npm start, npm test, npx meterveil), which brings the right one.\n`,
  )
  process.exit(2)
}
