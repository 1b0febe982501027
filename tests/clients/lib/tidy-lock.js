'use strict'
// Makes package-lock.json fit for every machine (`npm run lock` calls it after npm):
//  - no "resolved" addresses: whoever installs uses the registry that they have; "integrity" stays;
//  - @vtex/api names stats-lite by a GitHub address, which npm 9.2 (Debian 12) cannot compare with our
//    override in package.json, so the lock names the version that the override chose.

const fs = require('fs')
const path = require('path')

const file = path.join(__dirname, '../package-lock.json')
const lock = JSON.parse(fs.readFileSync(file, 'utf8'))
const chosen = lock.packages['node_modules/stats-lite'].version
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved
  if (entry.dependencies && entry.dependencies['stats-lite']) entry.dependencies['stats-lite'] = chosen
}
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
