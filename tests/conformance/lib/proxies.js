'use strict'
// The proxies under test, all set up for the same work: plain HTTP in, verified TLS out, hosts and paths by
// an allowlist, a token added, connections to the origins kept. Each has two ports: `plain`, and `extras`,
// where WebSockets and Via are switched on.
//
// A lane is { host, open, port }: of `host` only /allowed/ may be called, of `open` everything; both are
// the origin on `port`.

const fs = require('fs')
const net = require('net')
const path = require('path')
const { execFileSync, spawn } = require('child_process')

const TOKEN_HEADER = 'VtexIdclientAutCookie'
const SECRET = 'the-token-of-the-conformance-cases'

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const connects = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })

// A program that runs until stop(); `ready(line)` tells from its standard error that it can be used.
const start = (program, args, env, ready) => {
  const child = spawn(program, args, { env: Object.assign({}, process.env, env), stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  const begun = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-200000)
      const found = ready(said)
      if (found) resolve(found)
    })
    ended.then(() => reject(new Error(`${program} ended: ${said.slice(-2000)}`)))
  })
  begun.catch(() => {})
  return {
    begun,
    stop: async () => {
      child.kill('SIGTERM')
      return Object.assign(await ended, { said })
    },
  }
}

/* ---- ours ---- */

const manifestOf = (lanes) => {
  const rows = lanes.flatMap(({ host, open }) => [[host, '/allowed/*'], [open, '*']])
  const policies = rows.map(([host, where]) => ({ name: 'outbound-access', attrs: { host, path: where } }))
  return JSON.stringify({ vendor: 'acme', name: 'conformance', version: '1.0.0', policies }, null, 2)
}

const startSidecar = async (folder, name, lanes, more, program) => {
  fs.writeFileSync(path.join(folder, 'manifest.json'), manifestOf(lanes))
  fs.writeFileSync(path.join(folder, 'token'), SECRET)
  const hosts = lanes.flatMap(({ host, open }) => [host, open])
  const to = lanes.flatMap(({ host, open, port }) => [host, open].map((h) => `${h}:443:127.0.0.1:${port}`))
  const args = ['run', '--account', 'acme', '--manifest', path.join(folder, 'manifest.json'), '--token-file', path.join(folder, 'token'),
    '--ca-file', path.join(folder, 'ca.pem'), '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--allow-address', '127.0.0.0/8',
    '--janus-hosts', hosts.join(','), '--connect-to', to.join(','), ...more]
  const running = start(program, args, {}, (said) => /ready listen=127\.0\.0\.1:(\d+)/.exec(said))
  const [, port] = await running.begun
  return { name, port: Number(port), stop: running.stop }
}

const sidecar = async (folder, lanes) => {
  const program = path.join(process.env.JANUS_BIN_DIR || 'build/release/bin', 'janus-sidecar')
  const version = execFileSync(program, ['version']).toString().trim()
  const both = [await startSidecar(folder, 'plain', lanes, [], program),
    await startSidecar(folder, 'extras', lanes, ['--upgrade', 'websocket', '--via', 'on'], program)]
  return {
    name: 'ours',
    version,
    ports: { plain: both[0].port, extras: both[1].port },
    stop: async () => {
      const wrong = []
      for (const running of both) {
        const { code, signal, said } = await running.stop()
        if (code !== 0 || /ERROR: |runtime error/.test(said)) wrong.push(`${running.name}: exit ${code} ${signal || ''}\n${said.slice(-3000)}`)
      }
      return wrong
    },
  }
}

/* ---- the peers ---- */

const nginxServer = (folder, port, extras) => ({ host, open, port: to }) => `
  upstream ${host}_${extras ? 'x' : 'p'} { server 127.0.0.1:${to}; keepalive 16; }
  ${[[host, '/allowed/'], [open, '/']].map(([name, where]) => `
  server {
    listen 127.0.0.1:${port};
    server_name ${name};
    location ${where} {
      proxy_pass https://${host}_${extras ? 'x' : 'p'};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header ${TOKEN_HEADER} "${SECRET}";
      ${extras ? 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $asks; proxy_set_header Via $via;' : 'proxy_set_header Connection "";'}
      proxy_ssl_server_name on; proxy_ssl_name ${name}; proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${folder}/ca.pem;
      proxy_request_buffering off; proxy_buffering off;
    }
    ${where === '/' ? '' : 'location / { return 403; }'}
  }`).join('')}`

const nginxConfig = (folder, lanes, ports) => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 100000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((t) => `${t}_temp_path ${folder}/${t};`).join(' ')}
  map $http_upgrade $asks { default upgrade; "" ""; }
  map $http_via $via { default "$http_via, 1.1 nginx"; "" "1.1 nginx"; }
  server { listen 127.0.0.1:${ports.plain} default_server; return 403; }
  server { listen 127.0.0.1:${ports.extras} default_server; return 403; }
  ${lanes.map(nginxServer(folder, ports.plain, false)).join('')}
  ${lanes.map(nginxServer(folder, ports.extras, true)).join('')}
}
`

const nginx = async (folder, lanes) => {
  const program = process.env.NGINX
  const version = execFileSync(program, ['-v'], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }) || ''
  const ports = { plain: await freePort(), extras: await freePort() }
  fs.writeFileSync(path.join(folder, 'nginx.conf'), nginxConfig(folder, lanes, ports))
  const running = start(program, ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'], {}, (said) => /start worker process /.test(said))
  await running.begun
  return { name: 'nginx', version: process.env.NGINX_VERSION || version, ports, stop: async () => (await running.stop(), []) }
}

const haproxyFront = (name, port, lanes, extras) => `
frontend ${name}
  bind 127.0.0.1:${port}
  acl known hdr(host),host_only -i ${lanes.map((l) => l.host).join(' ')}
  acl open hdr(host),host_only -i ${lanes.map((l) => l.open).join(' ')}
  http-request deny deny_status 403 unless open || known { path_beg /allowed/ }
  http-request set-header ${TOKEN_HEADER} ${SECRET}
  ${extras ? 'http-request add-header Via "1.1 haproxy"' : ''}
  ${lanes.map((l) => `use_backend ${l.host} if { hdr(host),host_only -i ${l.host} ${l.open} }`).join('\n  ')}
`

const haproxyConfig = (folder, lanes, ports) => `
global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 10s
${haproxyFront('plain', ports.plain, lanes, false)}
${haproxyFront('extras', ports.extras, lanes, true)}
${lanes.map((l) => `backend ${l.host}
  http-reuse always
  server s 127.0.0.1:${l.port} ssl verify required ca-file ${folder}/ca.pem sni str(${l.host})
`).join('')}
`

const haproxy = async (folder, lanes) => {
  const ports = { plain: await freePort(), extras: await freePort() }
  const file = path.join(folder, 'haproxy.cfg')
  fs.writeFileSync(file, haproxyConfig(folder, lanes, ports))
  const env = process.env.HAPROXY_LIBS ? { LD_LIBRARY_PATH: process.env.HAPROXY_LIBS } : {}
  const running = start(process.env.HAPROXY, ['-db', '-f', file], env, () => null)
  for (let i = 0; !(await connects(ports.plain)); i++) {
    if (i === 100) throw new Error('haproxy does not listen')
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), running.begun])
  }
  return { name: 'haproxy', version: process.env.HAPROXY_VERSION, ports, stop: async () => (await running.stop(), []) }
}

module.exports = { SECRET, TOKEN_HEADER, haproxy, nginx, sidecar }
