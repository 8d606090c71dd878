package main

import (
	"slices"
	"strings"
	"testing"
)

const (
	goodYAML = `
http:
  routers:
    app: {rule: "PathPrefix(` + "`/`" + `)", middlewares: [login, local, ops@file], service: app}
  middlewares:
    local: {ipAllowList: {sourceRange: [127.0.0.1/32]}}
    login:
      plugin:
        latchkey: &login
          provider: {issuer: https://id.example.com, clientID: portal}
          secret: ["0123456789abcdef0123456789abcdef"]
          session: {maxPerUser: 3, cookie: {secure: "false"}}
          bearer:
            audiences: "one,two"
            issuers: [{issuer: https://other.example.com, audiences: [three]}]
    ops:
      plugin:
        latchkey:
          <<: *login
          authorize: OneOf(` + "`groups`, `ops`" + `)
  services:
    app: {loadBalancer: {servers: [{url: http://127.0.0.1:9000}]}}
`
	goodTOML = `
[http.routers.app]
  rule = "PathPrefix(` + "`/`" + `)"
  middlewares = ["login"]
[http.middlewares.login.plugin.latchkey]
  secret = ["0123456789abcdef0123456789abcdef"]
  [http.middlewares.login.plugin.latchkey.provider]
    issuer = "https://id.example.com"
    clientID = "portal"
  [http.middlewares.login.plugin.latchkey.bearer]
    enabled = true
    [[http.middlewares.login.plugin.latchkey.bearer.issuers]]
      issuer = "https://other.example.com"
      audiences = ["three"]
`
	goodKubernetes = `
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: login, namespace: apps}
spec:
  plugin:
    latchkey:
      provider: {issuer: https://id.example.com, clientID: portal, clientSecret: "urn:k8s:secret:latchkey:client"}
      secret: ["urn:k8s:secret:latchkey:secret"]
      bearer: {enabled: false}
      session: {maxPerUser: 3}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {template: "{{ .Values }}"}
`
)

func TestConfigCheck(t *testing.T) {
	const secret = `["0123456789abcdef0123456789abcdef"]`
	// One Latchkey middleware with these settings.
	with := func(settings string) string {
		return "http:\n  middlewares:\n    login:\n      plugin:\n        latchkey:\n" +
			"          " + strings.ReplaceAll(strings.TrimSpace(settings), "\n", "\n          ") + "\n"
	}
	const provider = "provider: {issuer: https://id.example.com, clientID: portal}\nbearer: {enabled: false}\n"
	for name, c := range map[string]struct {
		file, content string
		flags         []string
		want          []string // all lines, without the file's name in front; none: no mistakes
	}{
		"YAML":       {file: "d.yml", content: goodYAML},
		"YAML, long": {file: "d.YAML", content: goodYAML},
		"TOML":       {file: "d.toml", content: goodTOML},
		"a shadow file that is not there yet": {
			file: "d.yml", content: with(provider + "secret: " + secret + "\napiTokens: {file: /nowhere/tokens.json}\nlog: {level: debug}"),
		},
		"a level that is none": {
			file: "d.yml", content: with(provider + "secret: " + secret + "\nlog: {level: loud}"),
			want: []string{`middleware login: log.level: "loud" is none of debug, info, warn, error`},
		},
		"another name of the plugin": {
			file: "d.yml", content: strings.ReplaceAll(goodYAML, "latchkey:", "lk:"), flags: []string{"--plugin", "lk"},
		},
		"Kubernetes": {file: "k.yml", content: goodKubernetes, flags: []string{"--no-secrets"}},
		"a list of Kubernetes": {
			file: "k.json", flags: []string{"--no-secrets"},
			content: `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
				"metadata": {"name": "login"}, "spec": {"plugin": {"latchkey": {"isuer": 1, "bearer": {"enabled": false},
				"provider": {"issuer": "https://id.example.com", "clientID": "a"}, "secret": "urn:k8s:secret:a:b"}}}}]}`,
			want: []string{"middleware login: isuer: unknown setting; the nearest is bearer"},
		},
		"Kubernetes without its secrets": {
			file: "k.yml", content: goodKubernetes,
			want: []string{
				`middleware apps/login: provider.clientSecret: "urn:k8s:secret:latchkey:client" is known in the cluster alone`,
				`middleware apps/login: secret: "urn:k8s:secret:latchkey:secret" is known in the cluster alone`,
			},
		},
		"several typos": {
			file: "d.yml", content: with(provider + "secret: " + secret + "\nautorize: x\nsession: {cokie: {}, lifetime: 1 day}"),
			want: []string{
				"middleware login: autorize: unknown setting; the nearest is authorize",
				"middleware login: session.cokie: unknown setting; the nearest is session.cookie",
				`middleware login: session.lifetime: "1 day" is not a duration; write 90s, 12h or whole seconds`,
			},
		},
		"two middlewares": {
			file: "d.yml", content: "http: {middlewares: {b: {plugin: {latchkey: {secret: " + secret + ", bearer: {enabled: no}}}}, a: {plugin: {latchkey: {" +
				"provider: {issuer: https://id.example.com, clientID: a}, secret: " + secret + "}}}}}",
			want: []string{
				"middleware a: bearer.audiences: name what access tokens must be meant for, or set bearer.enabled: false",
				`middleware b: bearer.enabled: "no" is not true or false`,
			},
		},
		"wrong types": {
			file: "d.yml", content: with("secret: " + secret + `
provider: {issuer: https://id.example.com, clientSecret: {text: topsecret}, scopes: {a: b}}
bearer: {enabled: "ja"}
session: {maxPerUser: many, cookie: lax}
redis: {tls: {enabled: maybe}}
forward: {headers: [X-User]}`),
			want: []string{
				`middleware login: bearer.enabled: "ja" is not true or false`,
				"middleware login: forward.headers[0]: is a text, and must be a map of settings",
				"middleware login: provider.clientSecret: is a map, and must be a text",
				"middleware login: provider.scopes[0]: is a map, and must be a text",
				`middleware login: redis.tls.enabled: "maybe" is not true or false`,
				"middleware login: session.cookie: is a text, and must be a map of settings",
				`middleware login: session.maxPerUser: "many" is not a whole number`,
			},
		},
		"a section that is none": {
			file: "d.yml", content: "http: {middlewares: {login: {plugin: {latchkey: [a]}}}}",
			want: []string{"middleware login: the plugin's section is not a map of settings"},
		},
		"text that looks like two mistakes": {
			file: "d.yml", content: with(provider + "secret: " + secret + `
redirectURL: 'x"; a: y'`),
			want: []string{`middleware login: redirectURL: "x\"; a: y" is not a URL such as https://id.example.com`},
		},
		"YAML syntax": {
			file: "d.yml", content: "http:\n  middlewares:\n    login: [\n  routers: {}\n",
			want: []string{"line 3: did not find expected ',' or ']'"},
		},
		"YAML syntax, deep in a map": {
			file: "d.yml", content: "http:\n  routers: {a: [\n    b,\n    c]}\n  middlewares:\n    login:\n      plugin: {}\n     other: {}\n    more: {}\n",
			want: []string{"line 8: did not find expected key"},
		},
		"a YAML text without an end": {
			file: "d.yml", content: "http:\n  routers:\n    a: \"b\n    c: d\n",
			want: []string{"line 3: found unexpected end of stream"},
		},
		"a key twice": {
			file: "d.yml", content: "http:\n  middlewares: {}\n  middlewares: {}\n",
			want: []string{`line 3: mapping key "middlewares" already defined at line 2`},
		},
		"TOML syntax": {
			file: "d.toml", content: "[http]\na = 1\n[http.middlewares\n",
			want: []string{"line 3: expected '.' or ']' to end table name, but got '\\n' instead"},
		},
		"no middleware": {file: "d.yml", content: "http: {routers: {}}", want: []string{`no middleware of the plugin "latchkey"`}},
		"empty":         {file: "d.toml", content: "", want: []string{`no middleware of the plugin "latchkey"`}},
		"another plugin": {
			file: "d.yml", content: strings.ReplaceAll(goodYAML, "latchkey:", "lk:"),
			want: []string{`no middleware of the plugin "latchkey"; there are some of lk (see --plugin)`},
		},
		"a router's stranger": {
			file: "d.yml", content: strings.Replace(goodYAML, "[login, local, ops@file]", "[logn, local, ops@docker]", 1),
			want: []string{`router app: no middleware "logn" is declared here; one of another provider is written logn@provider`},
		},
		"a router's stranger, in TOML": {
			file: "d.toml", content: strings.Replace(goodTOML, `middlewares = ["login"]`, `middlewares = "login,rate"`, 1),
			want: []string{`router app: no middleware "rate" is declared here; one of another provider is written rate@provider`},
		},
		"a second document": {
			file: "d.yml", content: goodYAML + "---\nhttp: {}\n",
			want: []string{"document 2 of the file: Traefik reads the first one alone"},
		},
		"templates": {
			file: "d.yml", content: goodYAML + "{{ if a }}\n",
			want: []string{"line 23 has {{: Traefik runs Go templates over the file, and this command does not; give it what comes out of them"},
		},
		"templates in text": {
			file: "d.toml", content: "a = 1\n[http] # {{ x }}\n",
			want: []string{"line 2 has {{: Traefik runs Go templates over the file, and this command does not; give it what comes out of them"},
		},
		"secrets that are not here": {
			file: "d.yml", content: with(elsewhere),
			want: []string{
				`middleware login: provider.clientSecret: the environment variable "LATCHKEY_NO_SUCH" is not set`,
				`middleware login: provider.caCert: stat /nowhere/ca.pem: no such file or directory`,
				`middleware login: secret: read secret: stat /nowhere/secret: no such file or directory`,
				`middleware login: secret: the environment variable "LATCHKEY_NO_SUCH" is not set`,
				`middleware login: redis.password: read secret: stat /nowhere/redis: no such file or directory`,
			},
		},
		"without secrets":                    {file: "d.yml", content: with(elsewhere), flags: []string{"--no-secrets"}},
		"without secrets, a text of several": {file: "d.yml", content: with(provider + "secret: file:/nowhere/a,env:LATCHKEY_NO_SUCH"), flags: []string{"--no-secrets"}},
		"without secrets, a mistake": {
			file: "d.yml", content: with(provider + "secret: short\nredirectURL: env:LATCHKEY_NO_SUCH"), flags: []string{"--no-secrets"},
			want: []string{
				"middleware login: secret: is shorter than 32 bytes; make one with openssl rand -base64 48, and mind that Traefik splits a text at its commas",
				`middleware login: redirectURL: "env:LATCHKEY_NO_SUCH" is not a URL such as https://id.example.com`,
			},
		},
		"a name of the cluster, in a file": {
			file: "d.yml", content: with(provider + "secret: urn:k8s:secret:latchkey:a-long-name-for-a-key"), flags: []string{"--no-secrets"},
			want: []string{`middleware login: secret: "urn:k8s:secret:latchkey:a-long-name-for-a-key" is looked up in Kubernetes resources alone; write env:NAME or file:/path`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.file, c.content)
			r := command(t, append([]string{"config", "check", path}, c.flags...)...)
			var lines []string
			code := exitOK
			if len(c.want) > 0 {
				code = exitMistakes
				for _, line := range strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n") {
					lines = append(lines, strings.TrimPrefix(line, path+": "))
				}
			}
			if r.code != code || r.stderr != "" || !slices.Equal(lines, c.want) {
				t.Errorf("code %d, want %d\nstdout %s\nwant %s\nstderr %s", r.code, code, r.stdout, strings.Join(c.want, "\n"), r.stderr)
			}
		})
	}
}

const elsewhere = `
provider:
  issuer: https://id.example.com
  clientID: portal
  clientSecret: env:LATCHKEY_NO_SUCH
  caCert: file:/nowhere/ca.pem
secret: [file:/nowhere/secret, env:LATCHKEY_NO_SUCH]
bearer: {enabled: false}
redis: {addresses: ["redis.example.com:6379"], password: file:/nowhere/redis}`
