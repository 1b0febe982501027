'use strict'
const reasons = { ours: [], nginx: [], haproxy: [] }
const reasonFor = (who, id) => {
  const found = reasons[who].find(([ids]) => (ids instanceof RegExp ? ids.test(id) : ids.split(' ').includes(id)))
  return found && found[1]
}
module.exports = { reasonFor }
