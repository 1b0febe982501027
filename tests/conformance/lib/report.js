'use strict'
const fs = require('fs')
module.exports = { report: (rows, results) => { fs.writeFileSync('/tmp/results.json', JSON.stringify(rows.map((r) => ({ id: r.id, level: r.level, r: results.get(r.id) })))); return 0 } }
