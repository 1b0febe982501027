'use strict'
// Takes the "resolved" addresses out of package-lock.json (`npm run lock` calls it after npm): whoever
// installs uses the registry that they have; "integrity" stays.

const fs = require('fs')
const path = require('path')

const file = path.join(__dirname, 'package-lock.json')
const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) delete entry.resolved
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
