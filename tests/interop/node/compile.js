// Compiles the one source file of @fluvio/client, as the package's own install script would with `npx tsc`
// (which fetches a compiler of whatever version is newest, and type checks against types that are not there).
'use strict'
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')

const installed = process.cwd()
const ts = createRequire(path.join(installed, 'package.json'))('typescript')
const root = path.join(installed, 'node_modules', '@fluvio', 'client')
const source = fs.readFileSync(path.join(root, 'src', 'index.ts'), 'utf8')
const { outputText } = ts.transpileModule(source, {
  compilerOptions: { target: ts.ScriptTarget.ES2020, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
})
fs.writeFileSync(path.join(root, 'dist', 'index.js'), outputText)
