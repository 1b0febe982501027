'use strict'
// The world of a test: the local Janus simulator, the sidecar in front of it, and what arrived.
//
//   client --plain HTTP--> sidecar --TLS, real host names--> simulator

const { spawn } = require('child_process')
const fs = require('fs')
const https = require('https')
const os = require('os')
const path = require('path')

const ACCOUNT = 'storeacct'
const WORKSPACE = 'master'
const APP_KEY = { key: 'vtexappkey-storeacct-TEST', token: 'the-other-half-of-the-app-key' }
const PLACEHOLDER = 'janus-sidecar-placeholder'
const READY_LIMIT_MS = 20000
const END_LIMIT_MS = 20000
const CONTROL_HOST = 'portal.vtexcommercestable.com.br' // any host does: /_sim/ answers on all of them

const binaries = () =>
  path.resolve(process.env.JANUS_BIN_DIR || path.join(__dirname, '../../../build/release/bin'))

// The tools must see neither our proxy settings nor settings meant for another sidecar.
const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^JANUS_|_proxy$/i.test(name)))

// Starts a program and waits for its ready line. Its standard error is kept in `program.log`.
const start = (name, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(path.join(binaries(), name), args, {
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const program = { child, log: '', ended: null }
    process.once('exit', () => child.kill('SIGKILL')) // never leave one behind
    const fail = (why) => reject(new Error(`${name} ${why}\n${program.log}`))
    const timer = setTimeout(() => fail('printed no ready line'), READY_LIMIT_MS)
    program.ended = new Promise((done) => child.on('close', (code, signal) => done({ code, signal })))
    child.on('error', (error) => fail(`did not start: ${error.message}`))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      program.death = `${name} ended by itself (${signal || `exit status ${code}`})`
      fail('ended early')
    })
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text) => {
      program.log += text
      const ready = /^ready listen=(\S+)(?: admin=(\S+))?(?: guard=(\S+))?\s*$/m.exec(program.log)
      if (!ready) return
      clearTimeout(timer)
      program.listen = ready[1]
      program.port = Number(ready[1].split(':').pop())
      program.guardPort = ready[3] && Number(ready[3].split(':').pop())
      resolve(program)
    })
  })

const stop = async (program) => {
  program.child.kill('SIGTERM')
  const timer = setTimeout(() => program.child.kill('SIGKILL'), END_LIMIT_MS)
  const how = await program.ended
  clearTimeout(timer)
  return how
}

// A call to the simulator itself, beside the sidecar. Gives the body's JSON.
const simulatorCall = (port, ca, method, target) =>
  new Promise((resolve, reject) => {
    const request = https.request(
      {
        agent: false,
        ca,
        headers: { Host: CONTROL_HOST },
        host: '127.0.0.1',
        method,
        path: target,
        port,
        servername: CONTROL_HOST,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece) => (text += piece))
        response.on('end', () => {
          if (response.statusCode >= 300) {
            reject(new Error(`simulator: ${method} ${target} gave ${response.statusCode} ${text}`))
          } else {
            resolve(JSON.parse(text))
          }
        })
      }
    )
    request.on('error', reject)
    request.end()
  })

const createWorld = async () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'janus-clients-'))
  const caFile = path.join(scratch, 'ca.pem')
  const tokenFile = path.join(scratch, 'token')
  const simulator = await start('janus-sim', [
    '--listen', '127.0.0.1:0', '--ca-out', caFile, '--account', ACCOUNT, '--workspace', WORKSPACE,
    '--token-out', tokenFile, '--appkey', APP_KEY.key, '--apptoken', APP_KEY.token,
  ])
  let sidecar
  try {
    sidecar = await start('janus-sidecar', [
      'run', '--manifest', path.join(__dirname, '../manifest.json'), '--account', ACCOUNT,
      '--workspace', WORKSPACE, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0',
      '--token-file', tokenFile, '--ca-file', caFile, '--allow-address', '127.0.0.0/8',
      '--connect-to', `::127.0.0.1:${simulator.port}`,
    ])
  } catch (error) {
    await stop(simulator)
    throw error
  }
  const ca = fs.readFileSync(caFile)
  const control = (method, target) => simulatorCall(simulator.port, ca, method, `/_sim/${target}`)
  const mint = async (kind, user) => (await control('POST', `mint?kind=${kind}&user=${user}`)).token
  const token = () => fs.readFileSync(tokenFile, 'utf8').trim()
  const users = { admin: await mint('admin', 'ana@store.com'), store: await mint('store', 'bia@mail.com') }
  const secrets = [token(), users.admin, users.store]
  // A second sidecar, as a guard before the app on that port, with that schema; it leaves with the world.
  const guards = []
  const guard = async (appPort, schema) => {
    const manifest = path.join(scratch, 'guarded.json')
    fs.writeFileSync(manifest, JSON.stringify({ builders: { graphql: '1.x' }, name: 'guarded', policies: [], vendor: 'acme', version: '1.0.0' }))
    fs.writeFileSync(path.join(scratch, 'guarded.graphql'), schema)
    const program = await start('janus-sidecar', [
      'run', '--manifest', manifest, '--account', ACCOUNT, '--workspace', WORKSPACE, '--listen', '127.0.0.1:0',
      '--admin', '127.0.0.1:0', '--guard-listen', '127.0.0.1:0', '--guard-app', `http://127.0.0.1:${appPort}`,
      '--graphql-schema', path.join(scratch, 'guarded.graphql'), '--token-file', tokenFile, '--ca-file', caFile,
      '--allow-address', '127.0.0.0/8', '--connect-to', `::127.0.0.1:${simulator.port}`,
    ])
    guards.push(program)
    return program
  }
  return {
    control,
    guard,
    port: sidecar.port,
    proxy: `http://127.0.0.1:${sidecar.port}`,
    // The app token that is current now.
    token,
    // Tokens of two people, known to the simulator.
    users,
    // Everything that must never be seen in a log.
    secrets: () => secrets,
    // Mints a new token; the token file is replaced before this returns.
    rotate: async () => {
      await control('POST', 'rotate')
      secrets.push(token())
    },
    // What reached the origin since the test began.
    arrived: () => control('GET', 'requests'),
    forget: () => control('GET', 'requests?clear=1'),
    log: () => [sidecar, ...guards].map((program) => program.log).join(''),
    assertAlive: () => {
      const dead = [simulator, sidecar].find((program) => program.death)
      if (dead) throw new Error(dead.death)
    },
    // Ends the sidecar politely and says how it ended.
    stopSidecar: () => stop(sidecar),
    end: async () => {
      for (const program of guards) await stop(program)
      await stop(sidecar)
      await stop(simulator)
      fs.rmSync(scratch, { recursive: true, force: true })
    },
  }
}

module.exports = { ACCOUNT, APP_KEY, PLACEHOLDER, WORKSPACE, cleanEnvironment, createWorld }
